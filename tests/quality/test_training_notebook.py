"""The report on training: what it says on a small sample centre, and on logs that cannot answer."""

import datetime as dt
import re

import pytest

from ccanalytics import handletime, quality
from ccanalytics.runs import run

pytestmark = pytest.mark.notebook


def test_without_courses_it_ends_with_one_sentence(make_log, tmp_path):
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log(
        {"arrived_at": start + dt.timedelta(minutes=k), "talk_s": 60 + k, "agent": f"A{k % 3}"}
        for k in range(20)
    )
    done = run("training", log.path, output=tmp_path / "r.html")
    assert done.answer.startswith("The log holds no course")
    assert done.charts == 0
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Limits of this answer" in html
    assert "Traceback" not in html


def test_on_a_small_sample_centre_it_says_what_the_library_says(small_centre, tmp_path):
    _, log = small_centre
    asked = {"wage": 100.0, "covers": "gave the right answer", "weeks": 26}
    done = run("training", log.path, asked, output=tmp_path / "r.html")
    panel, rollouts = log.agent_panel(), log.table("rollouts")
    on_job = handletime.effects(panel, rollouts, "shorter calls", ["aht", "errors"])
    told = quality.training(
        "shorter calls", log.table("trainings"), log.table("assessments"), behaviour=on_job,
        panel=panel, reviews=log.table("reviews"), covers=["gave the right answer"], wage=100.0,
        weeks=26, leaving_a_year=0.25, usable=0.8,
    )  # fmt: skip
    assert done.details == told.summary()
    assert done.answer == re.split(r"(?<=\.) ", told.summary())[0]
    assert done.answer.startswith('The course "shorter calls" of ')
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Was it the right course?" in html
    assert "Traceback" not in html
    for raw in ("items_marked", "relative_low", "score_before"):
        assert raw not in html
