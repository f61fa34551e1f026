"""Defects planted in the call files: listed one by one, and accounted for by the loader."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import polars as pl
import pytest

from ccanalytics import CallLog, simulation
from ccanalytics.errors import InputError

SIZE = {"weeks": 4, "scale": 0.02, "seed": 3}
KINDS = {
    "changed definition",
    "clock of a line group",
    "ended before it arrived",
    "negative wait",
    "impossible order",
    "agent in two calls",
    "unknown service",
    "duplicate rows",
    "garbled line",
    "missing hours",
}


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flawed")
    simulation.write_centre(folder / "good", **SIZE)
    centre = simulation.write_centre(folder / "flawed", **SIZE, defects=True)
    log = CallLog(folder / "centre.duckdb")
    report = log.load(folder / "flawed", "ccanalytics")
    truth = json.loads((folder / "flawed" / "truth.json").read_text(encoding="utf-8"))
    good = pl.concat(
        pl.read_csv(path, infer_schema=False) for path in sorted(folder.glob("good/calls_*.csv"))
    )
    return centre, log, report, {each["kind"]: each for each in truth["defects"]}, good


def calls_of(log):
    return log.table("calls")


def test_there_is_one_of_each_kind_and_the_rows_add_up(flawed):
    centre, _, _, planted, good = flawed
    assert set(planted) == KINDS
    assert {check.status for check in centre.checks} == {"holds", "informs"}
    written = sum(n for name, n in centre.rows.items() if name.startswith("calls_"))
    assert written - good.height == sum(each["added"] for each in planted.values())


def test_the_loader_accounts_for_every_row(flawed):
    centre, _, report, planted, _ = flawed
    assert report.read == report.loaded + report.duplicates + report.rejected
    assert report.read == sum(centre.rows.values())
    by_fate = Counter()
    for each in planted.values():
        by_fate[each["load"]] += each["rows"]
    assert report.duplicates == by_fate["duplicates"] == 25
    assert report.rejected == by_fate["rejected"] == 3


def test_what_is_loaded_shows_what_is_listed(flawed):
    _, log, _, planted, good = flawed
    calls = calls_of(log)
    ids = {kind: each["ids"] for kind, each in planted.items()}

    def of(kind):
        return calls.filter(pl.col("call_id").is_in(ids[kind]))

    assert of("ended before it arrived").is_empty()
    assert of("negative wait").is_empty()
    order = of("impossible order")
    assert order.height == 1
    assert (order["answered_at"] < order["arrived_at"]).all()
    assert of("unknown service")["service"].unique().to_list() == ["X99"]
    assert "X99" not in set(log.table("services")["service"])
    assert of("duplicate rows").height == 25

    double = of("agent in two calls")
    others = calls.filter(
        (pl.col("agent") == double["agent"][0]) & (pl.col("call_id") != double["call_id"][0])
    )
    when = double["answered_at"][0]
    assert others.filter((pl.col("answered_at") < when) & (pl.col("ended_at") > when)).height == 1

    clock = good.filter(pl.col("call_id").is_in(ids["clock of a line group"]))
    assert clock["line_group"].unique().to_list() == ["central-2"]
    true = clock.select(
        "call_id", was=pl.col("arrived_at").str.to_datetime(time_zone="UTC", time_unit="us")
    )
    moved = of("clock of a line group").join(true, on="call_id")
    assert moved.height > 20
    assert ((moved["arrived_at"] - moved["was"]).dt.total_seconds() == 3600).all()

    gap = planted["missing hours"]
    begin, end = (datetime.fromisoformat(gap[edge]) for edge in ("from", "to"))
    inside = pl.col("arrived_at").is_between(begin, end, closed="left")
    assert calls.filter(inside).is_empty()
    assert gap["added"] == -gap["rows"] < 0

    changed = datetime.fromisoformat(planted["changed definition"]["from"])
    base = good.select(
        "call_id", was=pl.col("wait_s").cast(float), menu=pl.col("menu_s").cast(float)
    )
    both = (
        calls.filter(pl.col("arrived_at") >= changed).drop_nulls("wait_s").join(base, on="call_id")
    )
    assert (both["wait_s"] == both["was"] + both["menu"]).all()
    assert both.height == planted["changed definition"]["rows"]


def test_parquet_holds_the_same_rows_but_no_garbled_line(tmp_path, flawed):
    flawed_rows = flawed[0].rows
    centre = simulation.write_centre(tmp_path / "x", **SIZE, defects=True, form="parquet")
    assert {name.replace("csv", "parquet") for name in flawed_rows} == set(centre.rows)
    assert sum(flawed_rows.values()) - sum(centre.rows.values()) == 1
    report = CallLog(tmp_path / "x.duckdb").load(tmp_path / "x", "ccanalytics")
    assert (report.duplicates, report.rejected) == (25, 2)
    assert "self-service events" in centre.summary()


@pytest.mark.parametrize("wrong", [{"form": "xlsx"}, {"defects": "yes"}])
def test_a_wrong_choice_is_named(tmp_path, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        simulation.write_centre(tmp_path / "x", weeks=1, scale=0.005, **wrong)
    assert list(tmp_path.iterdir()) == []
