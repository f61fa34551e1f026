"""Daily peaks of lines against random calls: planted days, and the Anonymous Bank."""

import os
from datetime import UTC, date, datetime, timedelta
from functools import cache
from heapq import heappop, heappush

import numpy as np
import polars as pl
import pytest

from ccanalytics import staffing
from ccanalytics.errors import DataError, InputError

DAYS = 60


@cache
def planted(bunched=False, seed=3):
    """Days of twelve hours; calls at random around 12 erlangs, or by tens at one moment."""
    rng = np.random.default_rng(seed)
    rows, peaks, held = [], [], []
    for k in range(DAYS):
        day = datetime(2025, 3, 3) + timedelta(days=k)
        busy = 0.6 + 0.8 * np.sin(np.pi * (np.arange(24) + 0.5) / 24)
        count = rng.poisson(120 * busy)
        if bunched:
            count = 10 * rng.poisson(12 * busy)
        begin = np.repeat(np.arange(24) * 1800.0, count)
        spread = np.repeat(rng.random(count.sum() // 10), 10) if bunched else rng.random(begin.size)
        starts = np.sort(begin + 1800 * spread)
        took = np.round(rng.lognormal(4.8, 0.9, starts.size)) + 1.0
        held.append(took)
        rows += [
            {
                "interval_start": (day + timedelta(seconds=1800 * i)).replace(tzinfo=UTC),
                "local_start": day + timedelta(seconds=1800 * i),
                "interval_s": 1800,
                "arrived": int(count[i]),
                "line_busy_s": float(took[begin == 1800.0 * i].sum()),
            }
            for i in range(24)
        ]
        until, most = [], 0
        for at, end in zip(starts, starts + took, strict=True):
            while until and until[0] <= at:
                heappop(until)
            heappush(until, end)
            most = max(most, len(until))
        peaks.append({"local_start": day, "peak_lines": most})
    seconds, calls = np.unique(np.concatenate(held), return_counts=True)
    times = pl.DataFrame({"seconds": seconds.astype(np.int64), "calls": calls})
    return pl.DataFrame(rows), times, pl.DataFrame(peaks)


def test_random_calls_lie_inside_as_often_as_promised():
    found = staffing.line_peaks(*planted(), replications=100)
    assert found.frame.height == DAYS
    # 95% at least, since peaks are whole numbers; 60 days leave 3 standard errors of .084.
    assert 0.90 <= found.inside <= 1.0
    assert found.checks[0].status == "holds"
    assert (found.frame["peak_lines"] - found.frame["expected_peak_lines"]).mean() == pytest.approx(
        0, abs=1.0
    )
    again = staffing.line_peaks(*planted(), replications=100)
    assert again.frame.equals(found.frame)


def test_calls_that_come_in_bunches_do_not():
    found = staffing.line_peaks(*planted(bunched=True), replications=40)
    assert found.inside < 0.5
    assert found.checks[0].status == "fails"
    assert "above the band on" in found.checks[0].detail


def test_days_left_out_are_left_out():
    found = staffing.line_peaks(
        *planted(), weekdays=range(1, 6), exclude="2025-03-05", replications=20
    )
    assert date(2025, 3, 5) not in found.frame["day"].to_list()
    assert set(found.frame["day"].dt.weekday()) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("given", "named"),
    [({"replications": 3}, "replications"), ({"level": 1.2}, "level"), ({"exclude": 7}, "exclude")],
)
def test_what_is_none_is_named(given, named):
    with pytest.raises(InputError, match=named):
        staffing.line_peaks(*planted(), **given)
    with pytest.raises(InputError, match="peaks: peak_lines"):
        staffing.line_peaks(*planted()[:2], pl.DataFrame({"local_start": [datetime(2025, 1, 1)]}))
    with pytest.raises(DataError, match="no day"):
        staffing.line_peaks(*planted(), exclude="2025-01-01..2025-12-31")


# ---- the bank -----------------------------------------------------------------------------------

# Normal days are Sundays to Thursdays, but for these: closed or short days of Israeli banks in
# 1999, the two days that the log lacks, and the day of the outage that METHODS 6.1 names.
NOT_NORMAL = {
    "1999-01-11..1999-01-12": "no record",
    "1999-03-02": "Purim",
    "1999-03-31..1999-04-01": "Passover and its eve",
    "1999-04-04..1999-04-07": "Passover week",
    "1999-04-20..1999-04-21": "Memorial Day, Independence Day",
    "1999-05-17": "election day",
    "1999-05-20": "eve of Shavuot",
    "1999-05-23": "the outage with 3,064 calls",
}


@pytest.mark.real
def test_peaks_of_the_bank_lie_inside_the_band_on_nine_normal_days_of_ten(bank_log):
    full = bool(os.environ.get("CCANALYTICS_FULL"))
    found = staffing.line_peaks(
        bank_log.intervals("30min"),
        bank_log.holding_times(),
        bank_log.lines("1d"),
        weekdays=(7, 1, 2, 3, 4),
        exclude=list(NOT_NORMAL),
        replications=500 if full else 60,
    )
    assert found.frame.height == 115
    assert found.inside >= 0.90
    assert found.checks[0].status == "holds"


@pytest.mark.real
def test_the_bank_cannot_know_its_lines_and_the_report_says_so(bank_log):
    measured = staffing.lines_measured(
        bank_log.busy_hours(weekdays=(7, 1, 2, 3, 4)),
        bank_log.intervals("1d"),
        bank_log.lines("1mo", by="line"),
    )
    assert measured.lower_bound
    told = {check.name: check.detail for check in measured.checks}
    assert "the total number of lines cannot be known" in told["Calls that the log leaves out"]
    assert "busy signal" in told["Busy signals"]
    assert "two calls are recorded at once" in told["Two calls on one line"]
    assert "At least 28 lines were in use at once" in measured.summary()
