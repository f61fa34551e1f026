from __future__ import annotations

import json

import polars as pl
import pytest

from ccanalytics import simulation
from ccanalytics.schema import TABLES
from ccanalytics.simulation.sample import replays

_TYPES = {
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date,
    "seconds": pl.Float64,
    "number": pl.Float64,
    "whole": pl.Int64,
    "flag": pl.Boolean,
    "text": pl.String,
}


def read_table(directory, table):
    """A table as a reader of the canonical form sees it: typed by the schema, all files of it."""
    frames = []
    for path in sorted([*directory.glob(f"{table}.csv"), *directory.glob(f"{table}_*.csv")]):
        frame = pl.read_csv(path, infer_schema=False)
        casts = []
        for name in frame.columns:
            kind = TABLES[table].column(name).kind
            if kind == "timestamp":
                casts.append(pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
            elif kind == "date":
                casts.append(pl.col(name).str.to_date("%Y-%m-%d"))
            elif kind == "flag":
                casts.append(
                    pl.col(name).replace_strict({"true": True, "false": False}, default=None)
                )
            else:
                casts.append(pl.col(name).cast(_TYPES[kind]))
        frames.append(frame.with_columns(casts))
    return pl.concat(frames)


class Sample:
    """A centre on disk, and its tables read back."""

    def __init__(self, centre):
        self.centre = centre
        self.directory = centre.directory
        self.truth = json.loads((centre.directory / "truth.json").read_text(encoding="utf-8"))
        self.calls = read_table(centre.directory, "calls")
        self.events = read_table(centre.directory, "self_service")
        self.services = read_table(centre.directory, "services")
        self.rollouts = read_table(centre.directory, "rollouts")
        self.agents = read_table(centre.directory, "agents")

    def table(self, name):
        return read_table(self.directory, name)

    @property
    def offered(self):
        """Of the first line: the second line's calls continue one of these."""
        return self.first_line.filter(pl.col("outcome").is_in(["answered", "abandoned"]))

    @property
    def first_line(self):
        return self.calls.filter(pl.col("queue") == "hotline")

    @property
    def answered(self):
        return self.first_line.filter(pl.col("outcome") == "answered").with_columns(
            handle_s=pl.col("talk_s") + pl.col("hold_s") + pl.col("wrap_s")
        )


@pytest.fixture(scope="session")
def make_sample(tmp_path_factory):
    def make(*, runs=2, **arguments):
        """A centre; its queue is run again seldom, for most tests are about something else."""
        place = tmp_path_factory.mktemp("centre") / "sample"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replays, "MOST_RUNS", runs)
            return Sample(simulation.write_centre(place, **arguments))

    return make


@pytest.fixture(scope="session")
def sample(make_sample):
    """Half a year of a small centre."""
    return make_sample(weeks=26, scale=0.05, seed=7, runs=replays.MOST_RUNS)


@pytest.fixture(scope="session")
def year(make_sample):
    """A year at the default size: what the demo makes."""
    return make_sample(weeks=52)
