"""A result carries its inputs, its doubts and its words, and cannot be changed."""

import dataclasses
import re
from dataclasses import dataclass
from html import unescape

import pytest

from ccanalytics import Check, Estimate
from ccanalytics.results import Result


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer(Result):
    value: float

    def summary(self):
        return f"The answer is {self.value}, <b>not</b> & never 43."


DOUBTS = (
    Check("enough <calls>", "holds", "1 & 2"),
    Check("stable", "fails", "it is not"),
    Check("note", "informs", "by the way"),
)


def test_a_result_is_frozen_and_carries_what_was_asked():
    answer = Answer(inputs={"calls": 100}, value=42.0)
    assert answer.inputs == {"calls": 100}
    assert answer.checks == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.value = 1
    with pytest.raises(TypeError):
        Answer({"calls": 100}, value=42.0)
    with pytest.raises(TypeError):
        Answer(value=42.0)


def test_two_results_are_equal_only_if_they_are_one():
    """They may hold arrays, whose comparison is not a truth."""
    one, other = (Answer(inputs={}, value=42.0) for _ in range(2))
    assert one == one  # noqa: PLR0124 - that is the question
    assert one != other


def test_a_result_without_words_says_so():
    @dataclass(frozen=True, eq=False, kw_only=True)
    class Mute(Result):
        pass

    for question in (Mute(inputs={}).summary, Mute(inputs={}).to_frame):
        with pytest.raises(NotImplementedError):
            question()


def test_what_is_shown_in_a_notebook_is_escaped():
    html = Answer(inputs={}, checks=DOUBTS, value=42.0)._repr_html_()
    assert "The answer is 42.0, &lt;b&gt;not&lt;/b&gt; &amp; never 43." in html
    assert "Enough &lt;calls&gt;" in html
    assert "1 &amp; 2" in html
    assert html.count("<li") == 3
    for status in ("holds", "fails", "informs"):
        assert status in html
    assert "<ul" not in Answer(inputs={}, value=42.0)._repr_html_()


@pytest.mark.parametrize(("check", "mark"), list(zip(DOUBTS, "✓✗i", strict=True)))
def test_checks_are_marked(check, mark):
    # Names begin alike, however they were given; the sign and the colon are text, not style.
    title = check.name[0].upper() + check.name[1:]
    assert str(check) == f"{mark} {title}: {check.detail}"
    html = Answer(inputs={}, checks=(check,), value=42.0)._repr_html_()
    item = html.split("<li", 1)[1].split(">", 1)[1].split("</li>")[0]
    assert unescape(re.sub(r"<[^>]+>", "", item)) == str(check)


def test_the_name_of_a_column_keeps_its_letters():
    assert str(Check("wrap_s is never recorded", "informs", "so")).startswith("i wrap_s is")


def test_an_estimate_prints_its_limits_and_level():
    estimate = Estimate(0.8123, 0.79, 0.83, level=0.9)
    assert str(estimate) == "0.8123 (90% interval 0.79 to 0.83)"
    assert estimate.format("{:.1%}") == "81.2% (90% interval 79.0% to 83.0%)"
    assert Estimate(1, 0, 2).level == 0.95


@pytest.mark.parametrize(
    ("low", "high", "excludes"),
    [(0.1, 2, True), (-2, -0.1, True), (-1, 1, False), (0, 1, False), (-1, 0, False)],
)
def test_an_estimate_knows_whether_it_excludes_zero(low, high, excludes):
    assert Estimate((low + high) / 2, low, high).excludes_zero is excludes
