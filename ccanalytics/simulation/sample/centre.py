"""The sample centre: seeded exports of a provincial hotline, and beside them what is true of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.schema import SCHEMA_VERSION
from ccanalytics.simulation.sample.build import build
from ccanalytics.simulation.sample.days import SPRING_FESTIVALS
from ccanalytics.simulation.sample.defects import Defects
from ccanalytics.simulation.sample.export import Exported, frames
from ccanalytics.simulation.sample.luck import stream
from ccanalytics.simulation.sample.parameters import CentreParameters
from ccanalytics.simulation.sample.truth import arithmetic, truth_of
from ccanalytics.simulation.sample.write import FORMS, complete_or_nothing, write_json, write_table

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


__all__ = ["TIME_ZONE", "Centre", "write_centre"]

TIME_ZONE = "Asia/Shanghai"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Centre(Result):
    """A sample centre that was written.

    Attributes
    ----------
    directory
        Where its files are.
    rows
        Rows of each CSV file, by file name.
    sizes
        Bytes of every file, by file name.
    arithmetic
        The figures of the centre held against those of a published account, by name.
    truth
        What ``truth.json`` holds: parameters, and true values overall, by service and by week.
    """

    directory: Path
    rows: Mapping[str, int]
    sizes: Mapping[str, int]
    arithmetic: Mapping[str, float]
    truth: Mapping[str, Any]

    def summary(self) -> str:
        """What was written, what the channels truly removed, and how that is known."""
        overall = self.truth["overall"]
        removed = overall["removed"]["both"]
        weeks = self.inputs["weeks"]
        calls = sum(rows for name, rows in self.rows.items() if name.startswith("calls_"))
        return (
            f"{calls:,} calls of {weeks} week{'' if weeks == 1 else 's'} and "
            f"{self.rows[f'self_service{self._ending()}']:,} self-service events were written to "
            f"{self.directory}; SMS-assist before the call and the web hall truly removed "
            f"{removed['requests']:,} of {overall['worlds']['neither']['requests']:,} requests for "
            f"an agent ({removed['requests_share']:.1%}). "
            "That is counted, not estimated: the same customers were followed with and without "
            "each channel (paired random numbers). "
            f"Scale {self.inputs['scale']:g} of a hotline of 350 agents, seed "
            f"{self.inputs['seed']}; the truth is in truth.json, and no log holds any of it."
        )

    def _ending(self) -> str:
        return "." + next(iter(self.rows)).rsplit(".", 1)[1]

    def to_frame(self) -> pl.DataFrame:
        """One row per file: file, rows (null for JSON), bytes."""
        import polars as pl

        return pl.DataFrame(
            {
                "file": list(self.sizes),
                "rows": [self.rows.get(name) for name in self.sizes],
                "bytes": list(self.sizes.values()),
            },
            schema={"file": pl.String, "rows": pl.Int64, "bytes": pl.Int64},
        )


def write_centre(
    directory: str | Path,
    weeks: int = 78,
    scale: float = 0.1,
    seed: int = 1,
    start: str | date = "2024-01-01",
    progress: Progress | None = None,
    *,
    parameters: CentreParameters | None = None,
    form: str = "csv",
    defects: bool = False,
) -> Centre:
    """Write a sample centre's exports, and its truth, in the canonical written form.

    A provincial hotline with a voice menu, a first and a second line of agents, SMS-assist before
    and during the call, an SMS hall, and a web hall; 49 services whose go-lives are staggered over
    the span. Files:
    ``calls_YYYY-MM.csv`` (local months), one file of each other table of ``schema.TABLES``,
    ``centre.json`` and ``truth.json``.

    Parameters
    ----------
    directory
        A new or empty directory, or one that holds nothing but an earlier sample, which is
        replaced. All files appear at once, or none.
    weeks
        Length of the log, 1 or more.
    scale
        Size: 1 is a centre of 350 agents and about 22,000 calls a day; above 0, at most 10.
        Memory and time grow with weeks × scale: 78 weeks at 0.1 take about 0.7 GB, at 1 about
        3.3 GB and a minute and a half on two cores.
    seed
        Whole number, 0 or more. The same arguments give the same bytes.
    start
        First local day. The Chinese calendar is known for 2020 to 2030.
    progress
        Called as ``progress(done, total, what)``.
    parameters
        The causes at work; see :class:`CentreParameters`.
    form
        Of the tables: ``csv``, or ``parquet``, which is smaller and loads sooner.
    defects
        Plant one defect of each kind that real exports have in the files of calls, as ``defects``
        in ``truth.json`` lists them.

    Returns
    -------
    Centre
        What was written and what is true of it.

    Raises
    ------
    InputError
        An argument out of range, a directory that holds other files or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     centre = write_centre(f"{place}/sample", weeks=1, scale=0.002)
    >>> sorted(centre.rows)  # doctest: +ELLIPSIS
    ['agent_states.csv', 'agents.csv', 'articles.csv', 'assessments.csv', 'calls_2024-01.csv', ...]
    """
    first = _checked(weeks, scale, seed, start)
    chosen = CentreParameters() if parameters is None else parameters
    if not isinstance(chosen, CentreParameters):
        raise InputError("parameters must be CentreParameters", f"got {type(chosen).__name__}")
    if not isinstance(defects, bool):
        raise InputError("defects must be True or False", f"defects={defects!r}")
    if form not in FORMS:
        raise InputError("no such form of files", f"form={form!r}", "one of " + ", ".join(FORMS))
    inputs = {
        "weeks": weeks,
        "scale": float(scale),
        "seed": seed,
        "start": first.isoformat(),
        "time_zone": TIME_ZONE,
    }
    steps = 100

    def report(share: float, what: str) -> None:
        if progress is not None:
            progress(round(steps * share), steps, what)

    with complete_or_nothing(directory) as (fresh, target):
        report(0.0, "calls")
        built = build(
            chosen,
            first,
            weeks,
            scale,
            seed,
            lambda done, total: report(0.3 + 0.4 * done / max(total, 1), "calls"),
        )
        exported = Exported.of(built)
        flaws = _flaws(exported, seed) if defects else None
        with ThreadPoolExecutor(1) as beside:
            told = beside.submit(truth_of, chosen, inputs, built)
            del built
            rows = _write(fresh, chosen, exported, flaws, form, report)
            truth = told.result()
        truth["defects"] = [] if flaws is None else flaws.planted
        centre = {"format": "ccanalytics", "schema": SCHEMA_VERSION, "time_zone": TIME_ZONE}
        write_json(fresh / "centre.json", centre)
        write_json(fresh / "truth.json", truth)
        sizes = {each.name: each.stat().st_size for each in sorted(fresh.iterdir())}
        report(1.0, "files")
    return Centre(
        inputs=inputs,
        checks=_checks(truth, rows),
        directory=target,
        rows=rows,
        sizes=sizes,
        arithmetic=arithmetic(truth),
        truth=truth,
    )


def _flaws(exported: Exported, seed: int) -> Defects:
    midnight = datetime.combine(exported.start, datetime.min.time(), ZoneInfo(TIME_ZONE))
    begin = midnight.astimezone(UTC).replace(tzinfo=None)
    return Defects(exported.start, begin, exported.days, stream(seed, "defects"))


def _write(
    fresh: Path,
    parameters: CentreParameters,
    exported: Exported,
    flaws: Defects | None,
    form: str,
    report: Callable[[float, str], None],
) -> dict[str, int]:
    midnight = datetime.combine(exported.start, datetime.min.time(), ZoneInfo(TIME_ZONE))
    rows, calls = {}, 0
    tables = frames(parameters, exported, int(midnight.timestamp()))

    def written(path: Path, table: str, height: int) -> None:
        nonlocal calls
        rows[path.name] = height + (0 if flaws is None else flaws.garble(path))
        calls += height if table == "calls" else 0
        report(0.7 + 0.25 * calls / max(exported.calls.arrived.size, 1), "files")

    # A file is written while the rows of the next are made.
    with ThreadPoolExecutor(1) as writer:
        pending: tuple[Future[Path], str, int] | None = None
        for table, suffix, frame in tables if flaws is None else flaws.plant(tables):
            if pending is not None:
                written(pending[0].result(), *pending[1:])
            job = writer.submit(write_table, fresh, table, frame, suffix, form)
            pending = (job, table, frame.height)
            if flaws is not None:
                # Defects are drawn file by file.
                written(job.result(), table, frame.height)
                pending = None
        if pending is not None:
            written(pending[0].result(), *pending[1:])
    return rows


def _checks(truth: Mapping[str, Any], rows: Mapping[str, int]) -> tuple[Check, ...]:
    overall, figures = truth["overall"], arithmetic(truth)
    causes, worlds, repeats = overall["causes"], overall["worlds"], overall["repeats"]
    told = (
        worlds["neither"]["requests"]
        - causes["web_taken"]
        + causes["web_given_back"]
        + causes["web_caused"]
        - causes["sms_taken"]
        + causes["sms_given_back"]
    )
    written = sum(count for name, count in rows.items() if name.startswith("calls_"))
    second = truth["second_line"]["calls"]
    counted = worlds["both"]["calls"] + repeats["redials"] + repeats["follow_up_calls"] + second
    flawed = sum(each["added"] for each in truth["defects"])
    return (
        Check(
            "requests add up",
            "holds" if told == worlds["both"]["requests"] else "fails",
            f"without the channels {worlds['neither']['requests']:,}, less and plus what each "
            f"took, gave back and caused, {told:,}; in the log {worlds['both']['requests']:,}",
        ),
        Check(
            "calls add up",
            "holds" if written == counted + flawed else "fails",
            f"{worlds['both']['calls']:,} first calls, {repeats['redials']:,} redials, "
            f"{repeats['follow_up_calls']:,} follow-up calls and {second:,} of the second line; "
            f"{written:,} rows written"
            + (f", {flawed:+,} by planted defects" if truth["defects"] else ""),
        ),
        Check(
            "base of the published 7%",
            "informs",
            "a published account's 110,000 assists, 7% of traffic and 350 staff do not fit one "
            f"base: 7% makes {figures['published_base_calls']:,.0f} calls in ten months, the "
            f"centre takes {figures['calls_ten_months']:,.0f}; declared as its base is "
            f"{truth['parameters']['published_base']['value']:.0%} of all calls, "
            f"{figures['declared_base_calls_ten_months']:,.0f}. What is removed here is told of "
            "requests for an agent that would have come without either channel",
        ),
    )


def _checked(weeks: int, scale: float, seed: int, start: str | date) -> date:
    if isinstance(weeks, bool) or not isinstance(weeks, int) or weeks < 1:
        raise InputError("weeks must be a whole number, 1 or more", f"weeks={weeks!r}")
    if (
        isinstance(scale, bool)
        or not isinstance(scale, (int, float))
        or not (math.isfinite(scale) and 0 < scale <= 10)
    ):
        raise InputError(
            "the scale must be a number above 0 and at most 10",
            f"scale={scale!r}",
            "1 is a centre of 350 agents, 0.1 a tenth of it",
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError("the seed must be a whole number, 0 or more", f"seed={seed!r}")
    if isinstance(start, str):
        try:
            first = date.fromisoformat(start)
        except ValueError:
            raise InputError(
                "start is not a date", f"start={start!r}", "write it as 2024-01-01"
            ) from None
    elif isinstance(start, date) and not isinstance(start, datetime):
        first = start
    else:
        raise InputError("start is not a date", f"start={start!r}", "write it as 2024-01-01")
    known = SPRING_FESTIVALS
    try:
        last = first + timedelta(weeks=weeks)
    except OverflowError:
        last = date.max
    if first.year < min(known) or last.year > max(known):
        raise InputError(
            "the centre's calendar does not reach that far",
            f"start={first}, weeks={weeks}",
            f"stay within {min(known)} to {max(known)}",
        )
    return first
