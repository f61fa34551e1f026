"""How well each design finds what was planted; the tables of recovery.md.

``python tests/statistics/effects/test_recovery.py --worlds 1000`` measures them anew, and
``--only one/structural`` a part of them; ``make validate`` (CCANALYTICS_FULL=1) does so as a test.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

import polars as pl
import pytest

from ccanalytics.simulation.panels import RollOut, draw_panels
from ccanalytics.simulation.panels.recovery import recovery
from ccanalytics.statistics import effects

FULL = bool(os.environ.get("CCANALYTICS_FULL"))
HERE = Path(__file__).parent
MANY, ONE = {"units": 49}, {"units": 30, "first": 0.5, "last": 0.5, "never": 29 / 30}
SETTINGS = {
    "many": (MANY, ("staggered", "group_time", "synthetic_did", "synthetic_control", "structural",
                    "segmented_units")),
    "one": (ONE, ("synthetic_did", "synthetic_control", "structural", "segmented_units")),
}  # fmt: skip
WORLDS = {
    "sound": ({}, 0),
    "no effect": ({"effect": 0.0}, 0),
    "anticipation": ({"early": 12, "anticipation": 1.0}, 0),
    "growth": ({"trend_gap": -0.2}, 0),
    "spill-over, units out of reach": ({"spill_over": 1.0}, 5),
    "spill-over": ({"spill_over": 1.0}, 0),
}
BROKEN = tuple(name for name in WORLDS if name not in ("sound", "no effect"))


def study(setting, name, design, worlds, seed=8):
    causes, outside = WORLDS[name]
    where = dict(SETTINGS[setting][0])
    units, spill = where.pop("units"), causes.get("spill_over", 0.0)
    roll = {k: v for k, v in causes.items() if k != "spill_over"}
    panels = draw_panels(
        worlds=worlds, seed=seed, units=units, spill_over=spill,
        effect=RollOut(**{"effect": -0.1, **where, **roll}),
    )  # fmt: skip
    more = {"outside": outside} if design != "segmented_units" else {}
    return recovery(panels, getattr(effects, design), **more)


def measure(worlds, only=""):
    """Measure and keep the rows asked for; what was measured before stays."""
    path = HERE / "recovery.csv"
    for setting, (_, designs) in SETTINGS.items():
        for name in WORLDS:
            if setting == "one" and name in BROKEN:
                continue  # one unit shows neither a drift by date nor a rise of its many controls
            for design in designs:
                key = f"{setting}/{design}/{name}"
                if only and not key.startswith(only):
                    continue
                found = study(setting, name, design, worlds)
                off = (found.each["relative"] - found.each["true"]).mean()
                row = pl.DataFrame({"setting": setting, "world": name, "design": design}).hstack(
                    found.to_frame().with_columns(off=pl.lit(off))
                )
                old = pl.read_csv(path, schema=row.schema) if path.exists() else row.clear()
                same = (pl.col("setting") == setting) & (pl.col("world") == name)
                pl.concat([old.filter(~(same & (pl.col("design") == design))), row]).write_csv(path)
                print(key, found.summary(), flush=True)
    write(pl.read_csv(path))


def write(rows):
    """Put the tables into the page, between its marks."""
    page = HERE / "recovery.md"
    text = page.read_text(encoding="utf-8")
    for setting, (_, designs) in SETTINGS.items():
        lines = ["| worlds | design | n | bias, points | coverage | error / spread | alarms |",
                 "|---|---|--:|--:|--:|--:|--:|"]  # fmt: skip
        for name in WORLDS:
            for design in designs:
                mine = rows.filter(
                    (pl.col("setting") == setting)
                    & (pl.col("world") == name)
                    & (pl.col("design") == design)
                )
                lines += [
                    f"| {name} | {design.removesuffix('_units')} | {row['worlds']:,} "
                    f"| {100 * row['off']:+.1f} | {row['coverage']:.0%} | {row['ratio']:.2f} "
                    f"| {row['alarms']:.0%} |"
                    for row in mine.iter_rows(named=True)
                ]
        start, end = f"<!-- {setting} -->\n", f"<!-- end of {setting} -->"
        head, rest = text.split(start)
        text = head + start + "\n".join(lines) + "\n" + end + rest.split(end)[1]
    page.write_text(text, encoding="utf-8")


SLICE = [("many", "staggered", 20), ("many", "group_time", 12), ("one", "structural", 30),
         ("one", "synthetic_control", 8)]  # fmt: skip


@pytest.mark.parametrize(("setting", "design", "worlds"), SLICE)
def test_limits_hold_the_truth_and_sound_worlds_raise_few_alarms(setting, design, worlds):
    worlds = (1000 if design in ("staggered", "group_time") else 300) if FULL else worlds
    found = study(setting, "sound", design, worlds)
    chance = 3 * math.sqrt(0.05 * 0.95 / worlds)
    least = 0.93 if design in ("staggered", "group_time") else 0.90
    assert found.coverage.value >= (least if FULL else 0.95 - chance)
    assert found.alarms.value <= 0.10 + (0.02 if FULL else 3 * math.sqrt(0.09 / worlds))
    assert abs(found.bias) <= 0.05 + (0 if FULL else 3 * found.spread / 0.1 / math.sqrt(worlds))
    if design in ("staggered", "group_time"):
        room = 0 if FULL else 0.4
        assert 0.9 - room <= found.ratio <= 1.15 + room
        assert found.coverage.value <= (0.97 if FULL else 1.0)


@pytest.mark.parametrize("name", ["anticipation", "growth", "spill-over, units out of reach"])
def test_broken_worlds_raise_alarms(name):
    worlds = 300 if FULL else 8
    found = study("many", name, "staggered", worlds)
    off = abs((found.each["relative"] - found.each["true"]).mean())
    assert off >= 0.5 * 0.9 * abs(found.each["true"].mean())
    assert found.alarms.value >= (0.8 if FULL else 0.8 - 3 * math.sqrt(0.16 / worlds))


@pytest.mark.skipif(not FULL, reason="the full study takes hours: CCANALYTICS_FULL=1")
def test_the_tables_of_the_page():
    measure(int(os.environ.get("CCANALYTICS_WORLDS", "100")))
    assert "| sound | staggered |" in (HERE / "recovery.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--worlds", type=int, default=1000)
    asked.add_argument("--only", default="", help="such as many/staggered or one/structural/sound")
    given = asked.parse_args()
    measure(given.worlds, given.only)
