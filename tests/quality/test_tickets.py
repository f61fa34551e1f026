"""Tickets: those still open followed, those opened again counted, weeks on a chart."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.proportions import wilson


def counts(rows, **more):
    frame = pl.DataFrame(
        rows,
        schema={
            "state": pl.String, "reopened": pl.Boolean, "hours": pl.Int64, "tickets": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    return frame.with_columns(**more)


def test_open_tickets_are_followed_and_not_left_out():
    """S(10) = 1 − 2/10; two leave at 15; S(20) = 0.8·(1 − 3/6): half of those seen long enough."""
    rows = counts(
        [("closed", False, 10, 2), ("open", False, 15, 2), ("closed", False, 20, 3),
         ("open", False, 90, 3)]
    )  # fmt: skip
    found = quality.tickets(rows, within_hours=[12, 24])
    assert found.closed_within(12).value == pytest.approx(0.2)
    assert found.closed_within(24).value == pytest.approx(0.6)
    assert found.median().value == 20
    assert found.overall.select("tickets", "open").row(0) == (10, 5)
    assert np.isinf(quality.tickets(rows.filter(pl.col("hours") != 20)).median().value)


def test_of_those_closed_once_some_came_back():
    rows = counts(
        [("closed", False, 5, 80), ("closed", True, 50, 10), ("open", True, 60, 2),
         ("open", False, 7, 8)], service=pl.lit("s"),
    )  # fmt: skip
    found = quality.tickets(rows)
    row = found.groups.row(0, named=True)
    assert (row["reopened"], row["reopen_rate"]) == (12, pytest.approx(12 / 92))
    assert (row["reopen_rate_low"], row["reopen_rate_high"]) == pytest.approx(wilson(12, 92))
    # Left out, the time in between does not count.
    assert quality.tickets(rows, reopened=False).closed_within(24).value == pytest.approx(80 / 88)
    assert quality.tickets(rows).closed_within(24).value == pytest.approx(0.8)


def test_the_most_tickets_come_first():
    rows = pl.concat(
        [counts([("closed", False, 5, n)], service=pl.lit(name)) for name, n in
         (("a", 10), ("b", 70), ("c", 20))]
    )  # fmt: skip
    found = quality.tickets(rows, names={"b": "Bills"})
    assert found.groups["service"].to_list() == ["b", "c", "a"]
    assert found.groups["cumulative"].to_list() == pytest.approx([0.7, 0.9, 1.0])
    assert "Most tickets, 70%, are of Bills." in found.summary()


def test_a_published_account_leaves_its_base_open():
    """Qinghai Mobile (2012): 297 complaints settled on the spot, of 486, or of 486 and 287."""
    for settled, others, share, low, high in (
        (297, 486 - 297, 61.1, 56.7, 65.3), (297, 486 + 287 - 297, 38.4, 35.1, 41.9),
    ):  # fmt: skip
        rows = counts([("closed", False, 1, settled), ("closed", False, 100, others)])
        row = quality.tickets(rows, within_hours=[1]).overall
        assert 100 * row["closed_1h"][0] == pytest.approx(share, abs=0.05)
        limits = wilson(settled, settled + others)
        assert tuple(100 * each for each in limits) == pytest.approx((low, high), abs=0.06)
        # Kaplan–Meier with nobody censored is the share itself; its limits differ little.
        assert row["closed_1h_low"][0] == pytest.approx(limits[0], abs=0.003)
        assert row["closed_1h_high"][0] == pytest.approx(limits[1], abs=0.003)


def test_records_that_cannot_be_right_are_named_and_left_out():
    rows = counts(
        [("closed", False, 5, 8), ("closed before opened", False, None, 3),
         ("opened after the end", False, None, 2)]
    )  # fmt: skip
    found = quality.tickets(rows)
    assert found.overall["tickets"][0] == 8
    assert found.left_out == {"closed before opened": 3, "opened after the end": 2}
    assert [c.detail for c in found.checks if c.name == "records"] == [
        "3 tickets closed before opened, left out",
        "2 tickets opened after the end, left out",
    ]
    with pytest.raises(DataError, match=r"no ticket .* closed before opened"):
        quality.tickets(rows.filter(pl.col("state") == "closed before opened"))
    with pytest.raises(InputError, match="above 0"):
        quality.tickets(rows, within_hours=[0])
    with pytest.raises(InputError, match="no such key"):
        quality.tickets(rows, by=["owner"])


def weeks(tickets, answered, lengths=None):
    at = [dt.datetime(2024, 1, 1) + dt.timedelta(days=7 * k) for k in range(len(tickets))]
    return pl.DataFrame(
        {
            "local_start": at, "interval_s": lengths or [604_800] * len(at), "tickets": tickets,
            "answered": answered,
        }
    )  # fmt: skip


def test_a_week_of_complaints_is_a_signal_and_a_usual_one_is_not():
    rng = np.random.default_rng(3)
    usual = rng.poisson(50, 40).tolist()
    chart = quality.complaint_chart(weeks([*usual, 120], [2000] * 41), baseline=40)
    assert chart.signals["at"].to_list() == [dt.date(2024, 1, 1) + dt.timedelta(days=280)]
    assert chart.frame["centre"][0] == pytest.approx(sum(usual) / 80)
    # A week cut by the end of the log, and one without calls, are left out.
    cut = weeks([*usual, 3, 0], [2000] * 40 + [2000, 0], [604_800] * 40 + [90_000, 604_800])
    assert quality.complaint_chart(cut).frame.height == 40
    with pytest.raises(InputError, match="limits need"):
        quality.complaint_chart(weeks([1, 2], [10, 10]))


def test_the_report_of_a_week_names_what_stands_out():
    rng = np.random.default_rng(8)
    parts = []
    for name, mean, last in (("bill", 40, 42), ("fault", 30, 95), ("rare", 0.4, 1)):
        tickets = [*rng.poisson(mean, 30).tolist(), last]
        parts.append(weeks(tickets, [2000] * 31).with_columns(service=pl.lit(name)))
    frame = pl.concat(parts)
    found = quality.complaint_week(frame, names={"fault": "Faults"})
    assert found.week == dt.date(2024, 1, 1) + dt.timedelta(days=210)
    assert found.groups["key"].to_list() == ["fault", "bill", "all others"]
    assert found.groups["signal"].to_list() == [True, False, False]
    assert found.groups["per_1000"].to_list() == pytest.approx([47.5, 21, 0.5])
    assert "out of the ordinary: Faults (47.5" in found.headline()
    assert found.chart.baseline == 26
    usual = quality.complaint_week(frame, "2024-07-24")
    assert usual.week == dt.date(2024, 7, 22)
    assert "nothing stands out by itself" in usual.headline()
    with pytest.raises(InputError, match="not covered"):
        quality.complaint_week(frame, "2026-01-01")
    with pytest.raises(DataError, match="too few whole weeks"):
        quality.complaint_week(frame, "2024-02-01")
    with pytest.raises(InputError, match="10 or more"):
        quality.complaint_week(frame, weeks=3)


def test_what_is_not_told_of_tickets_is_in_no_share():
    rows = counts([("closed", None, 1, 3), ("open", None, 60, 4)])
    found = quality.tickets(rows)
    row = found.overall.row(0, named=True)
    assert row["reopen_rate"] is row["reopened"] is None
    assert "opened again" not in found.headline()
    assert [c.status for c in found.checks if c.name == "opened again, unknown"] == ["fails"]
    some = quality.tickets(pl.concat([rows, counts([("closed", True, 9, 5)])]))
    assert some.overall["reopen_rate"].to_list() == [1.0]
    assert quality.tickets(rows, reopened=False).closed_within(24).value == pytest.approx(3 / 7)


def test_an_hour_is_one_and_an_endless_limit_is_said_in_words():
    said = quality.tickets(counts([("closed", False, 1, 5), ("open", False, 9, 5)])).summary()
    assert "within 1 hour (95% interval from 1 on, with no upper limit)" in said
    assert "inf" not in said.replace("interval", "")
