"""A course on Kirkpatrick's four levels: reaction, learning, behaviour and result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.quality.course_worth import CourseWorth, course_worth
from ccanalytics.quality.reactions import reaction_of
from ccanalytics.quality.score_pairs import score_pairs, taken_by
from ccanalytics.quality.training_needs import needs_of
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.ancova import BeforeAfter, ancova
from ccanalytics.statistics.frames import as_polars
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["Training", "training"]

_MEASURED = {"aht": "handle time", "transfers": "transfers", "errors": "items wrong"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Training(Result):
    """What a course did, level by level; a level that the data cannot answer says why.

    Attributes
    ----------
    course, trainees
        Which, and how many took it.
    reaction
        What trainees said of it; or that this is not recorded.
    rated
        Mean of the scores that they gave it; None where fewer than two did.
    learning
        Occasion (``post``, ``delayed``) → gains and effect, in points of the test.
    behaviour
        Effects on the job, as given: handle time, errors, transfers.
    result
        Cost against benefit.
    needs
        Items of random reviews: ``item``, ``items_marked``, ``items_failed``, ``item_error`` with
        limits, ``share_of_failed``, ``covered``; None without reviews.
    covered
        Share of failed items that the course is about.
    refused
        Level → why it has no answer.
    """

    course: str
    trainees: int
    reaction: str
    rated: Estimate | None
    learning: dict[str, BeforeAfter]
    behaviour: tuple[Any, ...]
    result: CourseWorth | None
    needs: pl.DataFrame | None
    covered: Estimate | None
    refused: dict[str, str] = field(default_factory=dict)

    def worth(self) -> CourseWorth:
        """Give cost against benefit, or refuse with the reason.

        Raises
        ------
        DataError
            Something that it takes is missing.
        """
        if self.result is None:
            raise DataError("there is no cost against benefit", self.refused.get("result", ""), "")
        return self.result

    def headline(self) -> str:
        """Give what each level says, in one sentence."""
        said = []
        post = self.learning.get("post")
        if post is not None:
            learnt = f"{_points(post.effect.value)} learnt" if post.effect.excludes_zero else (
                "no learning that the tests can show"
            )  # fmt: skip
            said.append(f"{learnt} ({_limits(post.effect)})")
        said += [each.short()[:1].lower() + each.short()[1:] for each in self.behaviour]
        if self.result is not None:
            roi = self.result.roi
            said.append(
                f"return on its cost {_percent(roi.value)} ({_percent(roi.low)} to "
                f"{_percent(roi.high)})"
            )
        told = "; ".join(said) or "the log answers for none of the levels"
        verdict = f" {self.result.verdict}" if self.result is not None else ""
        return f'The course "{self.course}" of {counted(self.trainees, "agent")}{verdict}: {told}.'

    def summary(self) -> str:
        """Give the levels in turn, and what cannot be said."""
        later = self.learning.get("delayed")
        kept = (
            f" In the delayed test {_points(later.effect.value)} are left "
            f"({_limits(later.effect)})."
            if later is not None
            else ""
        )
        worth = f" {self.result.headline()}" if self.result is not None else ""
        needs = (
            f" Of items that random reviews found wrong, {self.covered.value:.0%} are of what the "
            f"course is about ({self.covered.low:.0%} to {self.covered.high:.0%})."
            if self.covered is not None
            else ""
        )
        no = "".join(f" No answer on {level}: {why}." for level, why in self.refused.items())
        return (
            f"{self.headline()}{kept}{worth}{needs} What trainees say of it: {self.reaction}.{no} "
            "Learning is compared at the same score before (analysis of covariance)."
        )

    def table(self) -> pl.DataFrame:
        """Give the levels in words, as reports print them."""
        import polars as pl

        rows = []
        for row in self.to_frame().iter_rows(named=True):
            ends = [row["value"], row["value_low"], row["value_high"]]
            told = ""
            if row["value"] is not None:
                points = row["unit"] == "points"
                gain = "+" if row["level"] != "1 reaction" else ""
                value, low, high = (
                    f"{x:{gain}.1f}" if points else f"{x:+.1%}".replace(".0%", "%") for x in ends
                )
                told = f"{value}{' points' if points else ''} ({low} to {high})".replace("-", "−")
            level = row["level"][:1].upper() + row["level"][1:]
            rows.append((level, row["measured"], told, row["remark"]))
        return pl.DataFrame(rows, schema=["level", "measured", "effect", "remark"], orient="row")

    def to_frame(self) -> pl.DataFrame:
        """Give a row per level: what was measured, and the effect in its own unit."""
        import polars as pl

        rows: list[tuple[str, str, str, float | None, float | None, float | None, str]] = [
            (
                "1 reaction",
                "what trainees say",
                "points" if self.rated else "",
                *((r.value, r.low, r.high) if (r := self.rated) else (None,) * 3),
                self.reaction,
            )
        ]
        for occasion, found in self.learning.items():
            each = found.effect
            who = f"{found.treated} against {found.untreated} agents"
            ends = (each.value, each.low, each.high)
            rows.append(("2 learning", f"{occasion} test", "points", *ends, who))
        for effect in self.behaviour:
            each = effect.relative
            what = _MEASURED.get(effect.outcome, effect.outcome)
            ends = (each.value, each.low, each.high)
            rows.append(("3 behaviour", what, "share", *ends, f"grade {effect.grade}"))
        if self.result is not None:
            each = self.result.roi
            rows.append(("4 result", "return on cost", "share", each.value, each.low, each.high,
                         f"pays in {self.result.chance}"))  # fmt: skip
        rows += [(level, "", "", None, None, None, why) for level, why in self.refused.items()]
        texts = dict.fromkeys(("level", "measured", "unit"), pl.String)
        numbers = dict.fromkeys(("value", "value_low", "value_high"), pl.Float64)
        return pl.DataFrame(rows, schema={**texts, **numbers, "remark": pl.String}, orient="row")


def training(
    course: str,
    trainings: Any,
    assessments: Any = None,
    *,
    behaviour: Any = (),
    panel: Any = None,
    reviews: Any = None,
    covers: Mapping[str, str] | Iterable[str] | None = None,
    reaction: str | None = None,
    instrument: str | None = None,
    wage: float | None = None,
    hours: float | None = None,
    seat_cost: float | None = None,
    level: float = 0.95,
    **worth: Any,
) -> Training:
    """Judge a course on all levels that the data can answer for.

    Parameters
    ----------
    course, trainings, assessments
        Name of the course, and frames of ``CallLog.table(…)``.
    behaviour
        Effects of the course on the job: what :func:`ccanalytics.handletime.effects` returned for
        it, or one or several of :func:`ccanalytics.handletime.effect`. That on handle time is what
        the result rests on.
    panel
        Frame of ``CallLog.agent_panel()``, of the calls that the course is about: calls a week and
        their handle time.
    reviews
        Frame of ``CallLog.table("reviews")``: what quality reviews find wrong.
    covers
        Items of reviews that the course is about, or a mapping of items to courses.
    reaction
        What trainees said of it, in words; scores that they gave are assessments of occasion
        ``reaction``.
    instrument
        Which test, where the course was judged by several.
    wage
        Cost of an agent's hour, in money; without it there is no cost against benefit.
    hours, seat_cost
        Of the course, by trainee; default: means of ``hours`` and ``cost`` of the trainings.
    level
        Of the limits, 0–1.
    **worth
        Of :func:`~ccanalytics.quality.course_worth`: weeks, half_life_weeks, leaving_a_year,
        usable, draws, seed.

    Raises
    ------
    InputError
        A frame without its columns.
    DataError
        Nobody took the course.

    References
    ----------
    Kirkpatrick & Kirkpatrick (2006), Evaluating training programs: the four levels.

    Examples
    --------
    >>> from ccanalytics.simulation.panels import draw_team_world
    >>> world = draw_team_world(2)
    >>> found = training("course", world.trainings, world.assessments)
    >>> found.learning["post"].effect.low > 0, sorted(found.refused)
    (True, ['behaviour', 'needs', 'result'])
    """
    level = check_level(level)
    rows = taken_by(trainings, course)
    trainees = rows["agent"].n_unique()
    refused: dict[str, str] = {}
    if isinstance(getattr(behaviour, "effects", None), dict):
        refused |= {
            f"behaviour, {_MEASURED.get(o, o)}": why for o, why in behaviour.refused.items()
        }
        behaviour = tuple(behaviour.effects.values())
    effects = tuple(behaviour) if isinstance(behaviour, (list, tuple)) else (behaviour,)
    for each in effects:
        if not all(hasattr(each, name) for name in ("relative", "outcome", "short", "grade")):
            raise InputError(
                "behaviour holds effects on the job",
                f"got {type(each).__name__}",
                "give what handletime.effect returned",
            )
    learning, checks = _learning(course, trainings, assessments, instrument, level, refused)
    if not effects and not any(each.startswith("behaviour") for each in refused):
        refused["behaviour"] = "no effect on the job was given"
    result = _result(
        rows, trainees, effects, panel, (wage, hours, seat_cost), level, worth, refused
    )
    rated, said = reaction_of(assessments, rows, course, level)
    if reaction and rated:
        said = f"{reaction}; {said}"
    needs, covered = needs_of(course, reviews, covers, level, refused)
    for each in effects:
        checks += [
            Check(f"{check.name} ({each.outcome})", check.status, check.detail)
            for check in each.checks
            if check.status == "fails"
        ]
    return Training(
        course=course,
        trainees=trainees,
        reaction=said if rated or not reaction else reaction,
        rated=rated,
        learning=learning,
        behaviour=effects,
        result=result,
        needs=needs,
        covered=covered,
        refused=refused,
        checks=tuple(checks),
        inputs={
            "course": course, "instrument": instrument, "wage": wage, "hours": hours,
            "seat_cost": seat_cost, "level": level, **worth,
        },
    )  # fmt: skip


def _learning(
    course: str,
    trainings: Any,
    assessments: Any,
    instrument: str | None,
    level: float,
    refused: dict[str, str],
) -> tuple[dict[str, BeforeAfter], list[Check]]:
    found: dict[str, BeforeAfter] = {}
    checks: list[Check] = []
    if assessments is None:
        refused["learning"] = "no tests were given"
        return found, checks
    for occasion in ("post", "delayed"):
        try:
            pairs, remarks = score_pairs(assessments, trainings, course, occasion, instrument)
            told = ancova(pairs["before"], pairs["after"], pairs["taken"], level=level)
        except DataError as error:
            refused["learning" if occasion == "post" else "learning, delayed"] = error.what
            continue
        found[occasion] = told
        checks += [Check(f"{c.name} ({occasion})", c.status, c.detail) for c in remarks]
        apart = abs(told.before - told.untreated_before)
        if occasion == "post":
            checks.append(
                Check("Scores before", "informs",
                      f"those who took it had {told.before:.1f} points on average, the others "
                      f"{told.untreated_before:.1f}; the difference of {apart:.1f} is allowed for")
            )  # fmt: skip
    return found, checks


def _result(
    rows: pl.DataFrame,
    trainees: int,
    effects: tuple[Any, ...],
    panel: Any,
    prices: tuple[float | None, float | None, float | None],
    level: float,
    worth: dict[str, Any],
    refused: dict[str, str],
) -> CourseWorth | None:
    wage, hours, seat_cost = prices
    on_time = [each for each in effects if each.outcome == "aht"]
    mean = {
        name: rows[name].drop_nulls().mean() if name in rows.columns else None
        for name in ("hours", "cost")
    }
    hours = mean["hours"] if hours is None else hours  # type: ignore[assignment]
    seat_cost = mean["cost"] if seat_cost is None else seat_cost  # type: ignore[assignment]
    missing = [
        name
        for name, value in (
            ("an effect on handle time", on_time or None), ("panel", panel),
            ("hours of the course", hours), ("cost of a seat", seat_cost),
        )
        if value is None
    ]  # fmt: skip
    if missing:
        missing += ["wage"] if wage is None else []
        refused["result"] = "cost against benefit takes " + ", ".join(missing)
        return None
    calls, seconds = _volume(panel, rows)
    if not calls:
        refused["result"] = "trainees have no calls in the panel"
        return None
    change = on_time[0].relative.value
    assert hours is not None and seat_cost is not None  # noqa: S101, PT018
    found = course_worth(
        on_time[0],
        trainees=trainees,
        calls_a_week=calls,
        aht_s=seconds / (1 + change),
        wage=1.0 if wage is None else wage,
        hours=float(hours),
        seat_cost=float(seat_cost),
        level=level,
        **worth,
    )
    if wage is not None:
        return found
    refused["result"] = _without_wage(found)
    return None


def _without_wage(found: CourseWorth) -> str:
    """What can be said at a wage of 1: hours freed, and the wage from which they pay."""
    freed, weeks = found.hours_freed, found.inputs["weeks"]
    told = (
        f"it takes what an agent's hour costs (wage). In {weeks} weeks {freed.value:,.0f} hours "
        f"of handling are freed ({freed.low:,.0f} to {freed.high:,.0f})"
    ).replace("-", "−")
    # Of an hour's wage, this many hours come back beyond those that trainees sat in the course.
    gained = found.benefit.value - found.wages
    if gained <= 0:
        return f"{told}, fewer than the course took: it pays at no wage"
    return f"{told}: the course pays where an hour costs more than {found.seats / gained:,.2f}"


def _volume(panel: Any, rows: pl.DataFrame) -> tuple[float, float]:
    """Calls of a trainee a week since the course, and their mean handle time."""
    import polars as pl

    needs = ["agent", "local_start", "calls", "handle_s"]
    frame = as_polars(panel, "panel", needs, "log.agent_panel()")
    first = rows.group_by("agent").agg(pl.col("on").min())
    after = frame.join(first, on="agent").filter(pl.col("local_start").cast(pl.Date) > pl.col("on"))
    calls = float(after["calls"].sum())
    if not after.height or not calls:
        return 0.0, 0.0
    return calls / after.height, float(after["handle_s"].sum()) / calls


def _points(value: float) -> str:
    return f"{value:+.1f} points".replace("-", "−")


def _percent(share: float) -> str:
    return f"{share:+.0%}".replace("-", "−")


def _limits(told: Estimate) -> str:
    text = f"{100 * told.level:g}% interval {told.low:+.1f} to {told.high:+.1f}"
    return text.replace("-", "−")
