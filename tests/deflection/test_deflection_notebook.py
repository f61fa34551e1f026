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
    assert "Before and after</h3>" not in html
    assert "Traceback" not in html


def test_on_a_small_sample_centre_it_says_what_the_library_says(small_centre, tmp_path):
    _, log = small_centre
    done = run("deflection", log.path, {"window_days": 3}, output=tmp_path / "r.html")
    funnel = deflection.funnel(log.self_service(), window_days=3)
    assert done.answer == re.split(r"(?<=\.) ", funnel.summary())[0]
    assert "within 3 days" in done.answer
    assert done.charts >= 4
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Net deflection is not calls saved" in html
    assert "Grade: weak" in html
