import datetime as dt

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.runs import run

pytestmark = pytest.mark.notebook


def test_it_tells_mean_median_and_what_it_cannot_know(make_log, tmp_path):
    rng = np.random.default_rng(1)
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    seconds = np.rint(rng.lognormal(4.8, 0.9, 400)).clip(1)
    log = make_log(
        {"arrived_at": start + dt.timedelta(minutes=3 * k), "talk_s": s, "service": f"S{k % 3}"}
        for k, s in enumerate(seconds.tolist())
    )
    done = run("handle_time", log.path, {"most": 1}, output=tmp_path / "r.html")
    # A day of calls has no whole week: whether it changes is the question, so it is said first.
    assert done.answer.startswith("Whether handle time is changing cannot be told")
    assert f"calls take {seconds.mean():.1f} s on the mean" in done.answer
    assert f"{np.median(seconds):g} s on the median" in done.answer
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    # Talk alone is no composition: said, not failed.
    assert "hold no whole week" in html
    assert "The log has talk only" in html
    assert "does not know who took the calls" in html
    assert "those with most calls (1) one by one, the other 2 together" in html
    assert done.charts == 2
    with pytest.raises(InputError, match="floor_s"):
        run("handle_time", log.path, {"floor_s": 0}, output=tmp_path / "r.html")


@pytest.mark.real
def test_on_the_bank(bank_log, tmp_path):
    where = {"start": "1999-02-01", "end": "1999-03-01"}
    done = run("handle_time", bank_log.path, where, output=tmp_path / "r.html")
    assert "calls take 176.9 s on the mean" in done.answer
    assert "107 s on the median" in done.answer


def test_the_people_stand_in_it(people_centre, tmp_path):
    done = run("handle_time", people_centre.path, output=tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "newcomers take" in html
    assert "beyond luck" in html
    assert "agents do the work of" in html
    assert "of agents leave in a month" in html
    assert done.charts >= 12


def test_agents_without_a_day_of_hiring_are_compared_all_the_same(make_log, tmp_path):
    """That newcomers cannot be followed takes nothing from what is told of the others."""
    rng = np.random.default_rng(1)
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log(
        {"arrived_at": start + dt.timedelta(hours=k), "agent": f"A{k % 4}", "service": "s",
         "talk_s": s}
        for k, s in enumerate(np.rint(rng.lognormal(4.8, 0.9, 600)).clip(1).tolist())
    )  # fmt: skip
    run("handle_time", log.path, output=tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "of 4 agents differ in typical handle time beyond luck" in html
    assert "4 agents do the work of" in html
