"""Tests in pairs: who was tested before and after a course, and who took it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.statistics.frames import as_polars, check_numbers, check_texts
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["courses", "score_pairs", "taken_by"]

_TESTS = ("agent", "instrument", "course", "occasion", "at", "score")
_COURSES = ("agent", "course", "on")


def score_pairs(
    assessments: Any, trainings: Any, course: str, occasion: str, instrument: str | None
) -> tuple[pl.DataFrame, list[Check]]:
    """Agents with ``before``, ``after`` and ``taken``; and who is left out.

    Before is the last test of occasion ``pre``, after the first of the other, of those tests that
    are to judge this course.

    Raises
    ------
    InputError
        A frame without its columns; several instruments and none chosen.
    DataError
        No test of the course, or no second one.
    """
    import polars as pl

    tests = as_polars(assessments, "assessments", _TESTS, "log.table('assessments')")
    check_numbers(tests, ["score"])
    check_texts(tests, ["agent"], "assessments")
    courses = taken_by(trainings, course)
    # What trainees say of the course is no test of them.
    mine = tests.filter(
        pl.col("course") == course, pl.col("occasion").ne_missing("reaction")
    ).drop_nulls(["agent", "score"])
    if not mine.height:
        known = ", ".join(sorted(map(str, tests["course"].drop_nulls().unique().to_list())))
        raise DataError(
            "no test was to judge this course",
            f"course={course!r}",
            f"tests are of {known}" if known else "load assessments with their course",
        )
    kinds = mine["instrument"].unique().sort().to_list()
    if instrument is None and len(kinds) > 1:
        raise InputError(
            "this course was judged by several tests", ", ".join(kinds), "give instrument"
        )
    if instrument is not None:
        if instrument not in kinds:
            raise InputError("no such test", f"instrument={instrument!r}", ", ".join(kinds))
        mine = mine.filter(pl.col("instrument") == instrument)
    pre = mine.filter(pl.col("occasion") == "pre").sort("at").unique("agent", keep="last")
    post = mine.filter(pl.col("occasion") == occasion).sort("at").unique("agent", keep="first")
    if not pre.height or not post.height:
        missing = "pre" if not pre.height else occasion
        raise DataError(
            "without a test before and one after, nothing tells what was learnt",
            f"course={course!r}: no test of occasion {missing!r}",
            "test the same agents, those who do not take the course too, before and after it",
        )
    pairs = pre.select("agent", before="score").join(
        post.select("agent", after="score"), on="agent", how="inner"
    )
    if not pairs.height:
        raise DataError(
            "nobody was tested twice", f"course={course!r}", "test the same agents before and after"
        )
    remarks = []
    once = pre.height + post.height - 2 * pairs.height
    if once:
        remarks.append(
            Check("Tested once", "informs", f"{counted(once, 'agent')} left out: the other test is "
                  "missing, be it that they left")
        )  # fmt: skip
    untested = set(courses["agent"].to_list()) - set(pairs["agent"].to_list())
    if untested:
        remarks.append(
            Check("Taken, not tested twice", "informs",
                  f"{counted(len(untested), 'agent')} who took the course")
        )  # fmt: skip
    taken = pl.col("agent").is_in(courses["agent"].to_list())
    return pairs.with_columns(taken=taken).sort("agent"), remarks


def taken_by(trainings: Any, course: str) -> pl.DataFrame:
    """Rows of the trainings that are of a course.

    Raises
    ------
    DataError
        Nobody took it.
    """
    import polars as pl

    rows = as_polars(trainings, "trainings", _COURSES, "log.table('trainings')")
    check_numbers(rows, [name for name in ("hours", "cost") if name in rows.columns])
    check_texts(rows, ["agent"], "trainings")
    mine = rows.filter(pl.col("course") == course).drop_nulls("agent")
    if not mine.height:
        known = ", ".join(sorted(map(str, rows["course"].drop_nulls().unique().to_list())))
        raise DataError(
            "nobody took this course", f"course={course!r}", f"one of {known}" if known else ""
        )
    return mine


def courses(trainings: Any, assessments: Any = None, rollouts: Any = None) -> pl.DataFrame:
    """List the courses that agents took, those drawn by lot first, then the largest.

    Parameters
    ----------
    trainings, assessments, rollouts
        Frames of ``CallLog.table(…)``.

    Returns
    -------
    polars.DataFrame
        ``course``, ``trainees``, ``first_on``, ``last_on``, ``by_lot`` (the roll-outs say that a
        lot decided), ``by_score`` (all who took it scored below all others in the test before).

    Raises
    ------
    DataError
        The log holds no course.
    """
    import polars as pl

    rows = as_polars(trainings, "trainings", _COURSES, "log.table('trainings')")
    rows = rows.drop_nulls(["agent", "course"])
    if not rows.height:
        raise DataError("the log holds no course", "the table trainings is empty", "load trainings")
    lots: set[str] = set()
    if rollouts is not None:
        needs = ("treatment", "randomised")
        said = as_polars(rollouts, "rollouts", needs, "log.table('rollouts')")
        known = said.group_by("treatment").agg(pl.col("randomised").fill_null(value=False).all())
        lots = set(known.filter("randomised")["treatment"].to_list())
    found = rows.group_by("course").agg(
        pl.col("agent").n_unique().cast(pl.Int64).alias("trainees"),
        first_on=pl.col("on").min(),
        last_on=pl.col("on").max(),
    )
    names = found["course"].to_list()
    return found.with_columns(
        by_lot=pl.Series([name in lots for name in names], dtype=pl.Boolean),
        by_score=pl.Series([_by_score(assessments, rows, name) for name in names]),
    ).sort("by_lot", "trainees", "course", descending=[True, True, False])


def _by_score(assessments: Any, trainings: pl.DataFrame, course: str) -> bool:
    if assessments is None:
        return False
    try:
        pairs, _ = score_pairs(assessments, trainings, course, "post", None)
    except (DataError, InputError):
        return False
    took = pairs.filter("taken")["before"]
    left = pairs.filter(~pairs["taken"])["before"]
    return bool(took.len() and left.len() and took.max() <= left.min())  # type: ignore[operator]
