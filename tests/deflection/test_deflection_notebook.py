import datetime as dt
import re

import pytest

from ccanalytics import deflection
from ccanalytics.runs import run

pytestmark = pytest.mark.notebook
SENTENCE = "The log holds no self-service records, so it cannot say what self-service takes away."


def test_without_self_service_records_it_ends_with_one_sentence(make_log, tmp_path):
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log(
        {"arrived_at": start + dt.timedelta(minutes=k), "talk_s": 60 + k, "wait_s": 5}
        for k in range(20)
    )
    done = run("deflection", log.path, output=tmp_path / "r.html")
    assert done.answer == SENTENCE
    assert done.charts == 0
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Limits of this answer" in html
    assert "How many calls fewer came</h2>" not in html
    assert html.count('class="result refusal"') == 1
    assert "Traceback" not in html


def test_on_a_small_sample_centre_it_says_what_the_library_says(small_centre, tmp_path):
    _, log = small_centre
    done = run("deflection", log.path, {"window_days": 3}, output=tmp_path / "r.html")
    funnel = deflection.funnel(log.self_service(), window_days=3)
    answers = deflection.before_after_each(log.panel(), log.table("rollouts"))
    designs = deflection.designs(log.panel(), log.table("rollouts"), answers.named())
    words = deflection.overview(funnel, answers, designs).summary()
    assert words.startswith("Against units that were not live, grade ")
    assert done.answer == re.split(r"(?<=\.) ", words)[0]
    assert done.details == words
    assert "within 3 days" in words
    assert done.charts >= 4
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Gross and net shares are not calls saved" in html
    for raw in ("sms_assist", "web_hall"):
        # In the working and in settings codes are in place, in running text they are not.
        assert not any(raw in finding["answer"] for finding in done.findings)
        assert not re.search(rf"<li class=.check[^>]*>[^<]*<b>[^<]*{raw}", html)
    contents = html.split('aria-label="Contents"')[1].split("</nav>")[0]
    assert "How many calls fewer came" in contents
    assert "Grade: weak" in html
