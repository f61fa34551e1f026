"""Text and Python values become what a notebook declares, or a sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics.errors import InputError
from ccanalytics.runs.notebook import Notebook, Parameter
from ccanalytics.runs.parameters import convert, resolve


def _parameter(kind: str, *, optional: bool = False, item: str = "") -> Parameter:
    return Parameter("p", None, kind, item, optional, "its meaning, unit")


@pytest.mark.parametrize(
    ("kind", "given_value", "wanted"),
    [
        ("bool", "yes", True),
        ("bool", "False", False),
        ("bool", "0", False),
        ("bool", True, True),
        ("int", " 14 ", 14),
        ("int", 14.0, 14),
        ("int", np.int64(3), 3),
        ("float", "0.8", 0.8),
        ("float", "1e3", 1000.0),
        ("float", 1, 1.0),
        ("str", "14", "14"),
        ("str", date(1999, 2, 3), "1999-02-03"),
        ("str", Path("a") / "b", str(Path("a") / "b")),
        ("dict", "{'a': 1}", {"a": 1}),
    ],
)
def test_values_fit_their_kind(kind: str, given_value: object, wanted: object) -> None:
    got = convert(_parameter(kind), given_value)
    assert got == wanted
    assert type(got) is type(wanted)


@pytest.mark.parametrize(
    ("item", "text", "wanted"),
    [
        ("int", "1,3, 7", [1, 3, 7]),
        ("int", "[1, 3]", [1, 3]),
        ("str", "bills", ["bills"]),
        ("str", "['a, b', 'c']", ["a, b", "c"]),
        ("str", "7,8", ["7", "8"]),
        ("float", "", []),
        ("float", (1, 2), [1.0, 2.0]),
        ("", "1,x", [1, "x"]),
    ],
)
def test_lists_take_commas_or_brackets(item: str, text: object, wanted: list) -> None:
    assert convert(_parameter("list", item=item), text) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", "maybe"),
        ("bool", 1),
        ("int", "14.5"),
        ("int", True),
        ("int", "fourteen"),
        ("float", "nan"),
        ("float", float("inf")),
        ("float", True),
        ("float", [1]),
        ("str", 5),
        ("dict", "[1]"),
        ("int", None),
        ("float", "None"),
        ("float", ""),
    ],
)
def test_what_does_not_fit_is_refused_with_name_and_value(kind: str, value: object) -> None:
    with pytest.raises(InputError, match=r"does not fit \(p=.*: give .*its meaning"):
        convert(_parameter(kind), value)


def test_a_percent_for_a_share_says_how_to_write_it() -> None:
    with pytest.raises(InputError, match=r"80% is 0\.80"):
        convert(_parameter("float"), "80%")


def test_none_only_where_the_notebook_allows_it() -> None:
    assert convert(_parameter("float", optional=True), "None") is None
    assert convert(_parameter("str", optional=True), None) is None
    assert convert(_parameter("str"), "None") == "None"
    assert convert(_parameter("", optional=True), "14") == 14
    assert convert(_parameter("", optional=True), "1999-02-03") == "1999-02-03"


def _notebook() -> Notebook:
    log = Parameter("log", "", "str", "", optional=False, meaning="the log")
    share = Parameter("share", 0.8, "float", "", optional=False, meaning="share")
    return Notebook("seats", Path("seats.ipynb"), "Seats", "", (log, share))


def test_pairs_of_a_command_line() -> None:
    assert resolve(_notebook(), ["share=0.9"]) == {"share": 0.9}
    assert resolve(_notebook(), {"share": "0.9"}) == {"share": 0.9}
    assert resolve(_notebook(), ()) == {}


@pytest.mark.parametrize(
    ("given_values", "words"),
    [
        (["share"], "name=value"),
        (["=1"], "name=value"),
        (["share=1", "share=2"], "twice"),
        ({"log": "x"}, "pass it as log="),
        (["shares=1"], "did you mean 'share'"),
    ],
)
def test_pairs_that_cannot_be_used(given_values: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(_notebook(), given_values)


@given(st.text())
def test_any_text_is_a_value_or_a_sentence(text: str) -> None:
    for kind in ("bool", "int", "float", "str", "list", "dict", ""):
        try:
            convert(_parameter(kind, optional=not kind, item="int"), text)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
