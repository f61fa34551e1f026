"""What trainees said of a course: the mean of their scores, and how many said nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.frames import as_polars, check_numbers
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["reaction_of"]

_NEEDS = ("agent", "course", "occasion", "at", "score")


def reaction_of(
    assessments: Any, trainings: pl.DataFrame, course: str, level: float
) -> tuple[Estimate | None, str]:
    """Mean of the scores that trainees gave the course, and the same in words; or "not recorded".

    Scores are assessments of occasion ``reaction``, the last of each trainee; limits are Student's,
    of those who answered: what the silent think is not in them.
    """
    import polars as pl
    from scipy.special import stdtrit

    if assessments is None:
        return None, "not recorded"
    rows = as_polars(assessments, "assessments", _NEEDS, "log.table('assessments')")
    check_numbers(rows, ["score"])
    took = trainings["agent"].unique().to_list()
    said = (
        rows.filter(
            pl.col("occasion") == "reaction",
            pl.col("course") == course,
            pl.col("agent").is_in(took),
        )
        .drop_nulls("score")
        .sort("at")
        .unique("agent", keep="last")
    )
    if not said.height:
        return None, "not recorded"
    score = said["score"].cast(pl.Float64).to_numpy()
    if not np.isfinite(score).all():
        raise InputError("scores are finite numbers", "one of occasion 'reaction' is unknown")
    who = f"{said.height} of {counted(len(took), 'trainee')} answered"
    mean = float(score.mean())
    if said.height < 2:
        return None, f"{mean:.1f} points ({who}: too few for an interval)"
    half = float(stdtrit(score.size - 1, 0.5 + level / 2) * score.std(ddof=1) / np.sqrt(score.size))
    told = Estimate(mean, mean - half, mean + half, level)
    return told, f"{mean:.1f} points ({told.low:.1f} to {told.high:.1f}; {who})"
