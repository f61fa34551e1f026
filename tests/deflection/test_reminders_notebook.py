import datetime as dt
import re

import pytest

from ccanalytics import deflection
from ccanalytics.runs import run

pytestmark = pytest.mark.notebook


def test_without_reminders_it_ends_with_one_sentence(make_log, tmp_path):
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log(
        {"arrived_at": start + dt.timedelta(minutes=k), "talk_s": 60 + k, "wait_s": 5}
        for k in range(20)
    )
    done = run("reminders", log.path, output=tmp_path / "r.html")
    assert done.answer == (
        "The log holds no subscriptions, so who takes reminders is not known "
        "(the table subscriptions is empty): load subscriptions with started_on and ended_on."
    )
    assert done.charts == 0
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Limits of this answer" in html
    assert html.count('class="result refusal"') == 1
    assert "Traceback" not in html


def test_on_a_small_sample_centre_it_says_what_the_library_says(small_centre, tmp_path):
    _, log = small_centre
    asked = {"waves_by_lot": True, "churn_limit": 1.2}
    done = run("reminders", log.path, asked, output=tmp_path / "r.html")
    words = deflection.reminders(log.reminded(), facts=log.reminder_facts()).summary()
    assert done.details == words
    assert done.answer == re.split(r"(?<=\.) ", words)[0]
    assert done.charts == 5
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    invited = deflection.encouraged(log.offers(), by_lot=True)
    gone = deflection.churn(log.leaving(), by_lot=True, limit=1.2)
    ended = deflection.expiry(log.reminded())
    for result in (invited, gone, ended):
        assert result.headline()[:60] in html
    assert "limit 1.2" in html
    assert "customers chose not to renew" in html
    for raw in ("complier_relative", "never subscribed</td>"):
        assert raw not in html
