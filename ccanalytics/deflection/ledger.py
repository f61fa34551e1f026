"""The ledger of self-service: what was settled, what came back, what it cost, what it took over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.channels import name_of
from ccanalytics.deflection.funnel import Funnel
from ccanalytics.deflection.ledger_lines import ledger_checks, lines_of, opened, unrecorded
from ccanalytics.deflection.shares import REMOVING_STAGES
from ccanalytics.errors import InputError
from ccanalytics.results import Estimate, Result
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    check_numbers,
    check_texts,
)
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Ledger", "ledger"]

_PLACE = ("channel", "stage")
_NEEDS = (
    *("episodes", "settled", "reached", "contacts", "requests", "taken_up", "unknown"),
    *("watched", "asked_before", "asked_after", "change_nn", "change_xn", "change_xx"),
    *("looked_back", "used_before", "from_elsewhere"),
    *("touched", "others", "agent_s", "touched_s", "touched_ss", "others_s", "others_ss"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ledger(Result):
    """Line by line, what self-service did and what it cost, each with base and interval.

    Attributes
    ----------
    lines
        ``channel``, ``stage``, ``line``, ``value`` with ``value_low`` and ``value_high``, its
        ``unit``, ``base`` (how many it is a share of, or rests on) and ``base_of`` in words. Lines:

        ``acceptance``, ``completion``, ``gross_deflection``, ``leakage``, ``net_deflection``
            as in `Funnel`.
        ``failed_recontact``
            of contacts taken up and not completed: the customer asked an agent within the window.
        ``failed_calls``, ``failed_hours``
            answered calls that came first after such a contact, and their agent-hours.
        ``failed_longer_s``
            by how much they are longer than other calls about the same services, in seconds.
        ``called_more``
            contacts after which an agent was asked less those before which one was, each within
            the window, per contact: calls that the contact brought. At most so many are induced.
        ``from_elsewhere``
            of completed contacts: the customer's last use of self-service for the same, within the
            look-back, was in another channel. What a log can see of cannibalisation.
        ``assist_longer_s``, ``assist_hours``
            during a call: handle time of calls that took the assist over those that declined it
            (negative: shorter), and the agent-hours that makes for all that took it.
    episodes
        Episodes by the place where they begin: ``episodes``, ``settled``, ``reached``,
        ``agent_hours`` and the shares ``settled_share`` and ``reached_share``.
    funnel
        The counts that this goes on from.
    """

    lines: pl.DataFrame
    episodes: pl.DataFrame
    funnel: Funnel

    def or_refuse(self) -> Ledger:
        """Give the ledger itself, or refuse where the log holds no self-service records."""
        self.funnel.or_refuse()
        return self

    def line(self, name: str, channel: str, stage: str) -> Estimate | None:
        """Give one line of a channel; None where it is unknown or makes no sense there.

        Raises
        ------
        InputError
            No such line or place.
        """
        if (channel, stage) not in self.funnel.places:
            raise InputError(
                "the ledger has no such place",
                f"{channel} {stage}",
                "it has " + "; ".join(f"{c} {s}" for c, s in self.funnel.places),
            )
        if name not in _LINES:
            raise InputError("no such line", repr(name), "one of " + ", ".join(_LINES))
        at = self.lines.filter(
            (self.lines["channel"] == channel)
            & (self.lines["stage"] == stage)
            & (self.lines["line"] == name)
        )
        if not at.height:
            return None
        row = at.row(0, named=True)
        low, high = (
            row["value"] if row[k] is None else row[k] for k in ("value_low", "value_high")
        )
        return Estimate(row["value"], low, high, self.inputs["level"])

    def to_frame(self) -> pl.DataFrame:
        """Give the lines."""
        return self.lines

    def table(self) -> pl.DataFrame:
        """Give the lines that the funnel does not have, a column per channel: value, limits, base.

        The shares of the funnel are in ``lines`` too.
        """
        import polars as pl

        own = [line for line in _LINES if line not in _OF_FUNNEL]
        cells = {
            (row["channel"], row["stage"], row["line"]): _told(row)
            for row in self.lines.iter_rows(named=True)
        }
        have = [p for p in self.funnel.places if any((*p, line) in cells for line in own)]
        used = [line for line in own if any((*p, line) in cells for p in have)]
        return pl.DataFrame(
            {"line": [_LINES[line] for line in used]}
            | {name_of(*p): [cells.get((*p, line), "") for line in used] for p in have},
            schema=dict.fromkeys(["line", *(name_of(*p) for p in have)], pl.String),
        )

    def episodes_table(self) -> pl.DataFrame:
        """Give the episodes by the place where they begin, in words."""
        import polars as pl

        places = self.episodes.select(_PLACE).rows()
        return self.episodes.select(
            pl.Series("begins", [name_of(*place) for place in places], pl.String),
            *("episodes", "settled_share", "reached_share", "agent_hours"),
        )

    def fates(self) -> pl.DataFrame:
        """Give what became of the contacts taken up in each channel that can take a call away.

        Columns channel, stage, taken_up (completed or failed), and shares of it: ``stayed``,
        ``came_back`` (completed, and an agent asked within the window), ``failed_called``,
        ``failed_silent``. Estimates from the contacts that are followed to the window's end.
        """
        import polars as pl

        totals, window = self.funnel.totals, self.funnel.window_days
        at = totals.filter(
            (pl.col("window_days") == window) & pl.col("stage").is_in(REMOVING_STAGES)
        )
        base = pl.col("followed") + pl.col("failed_followed")
        shares = {
            "stayed": pl.col("followed") - pl.col("recontacted"),
            "came_back": pl.col("recontacted"),
            "failed_called": pl.col("failed_recontacted"),
            "failed_silent": pl.col("failed_followed") - pl.col("failed_recontacted"),
        }
        order = {place: k for k, place in enumerate(self.funnel.places)}
        found = at.filter(base > 0).select(
            *_PLACE, base.alias("taken_up"), *((e / base).alias(n) for n, e in shares.items())
        )
        rank = [order[place] for place in found.select(_PLACE).rows()]
        return found.with_columns(pl.Series("_rank", rank, pl.Int64)).sort("_rank").drop("_rank")

    def summary(self) -> str:
        """Say what came back, what failed diversions cost, what was taken from elsewhere."""
        if self.funnel.empty:
            return self.funnel.summary()
        words = [self._failed(), self._brought(), self._taken_over(), self._in_calls()]
        window = counted(self.funnel.window_days, "day")
        words.append(
            f"A call follows a contact if it is about the same service and within {window}; "
            f"{100 * self.inputs['level']:g}% intervals in brackets. All of this is counted or "
            "compared: what a channel takes away needs a design with a control."
        )
        return " ".join(word for word in words if word)

    def _failed(self) -> str:
        told = []
        for place in self._told():
            share, calls = self.line("failed_recontact", *place), self.line("failed_calls", *place)
            hours = self.line("failed_hours", *place)
            if share is None or calls is None or hours is None or calls.value < _FEWEST:
                continue
            text = (
                f"{name_of(*place)}, {_share(share)} of those who did not complete asked an agent, "
                f"{calls.value:,.0f} answered calls of {hours.value:,.0f} agent-hours"
            )
            longer = self.line("failed_longer_s", *place)
            told.append(text if longer is None else f"{text}, {_longer(longer)}")
        return f"Failed diversions: {'; '.join(told)}." if told else ""

    def _brought(self) -> str:
        told = [
            f"{name_of(*place)} {_share(change)}"
            for place in self._told()
            if (change := self.line("called_more", *place)) is not None and change.excludes_zero
        ]
        if not told:
            return ""
        return (
            f"More contacts are followed by a call than come after one: {', '.join(told)}; at most "
            "so many calls are induced, the others were not spared."
        )

    def _taken_over(self) -> str:
        told = [
            f"{name_of(*place)} {_share(share)}"
            for place in self._told()
            if (share := self.line("from_elsewhere", *place)) is not None
        ]
        if not told:
            return ""
        days = counted(self.inputs["lookback_days"], "day")
        return (
            f"Last used another self-service channel for the same within {days}, of completed "
            f"contacts: {', '.join(told)}, which is what a log can see of cannibalisation."
        )

    def _in_calls(self) -> str:
        told = []
        for place in self.funnel.places:
            change = self.line("assist_longer_s", *place)
            if change is not None:
                told.append(
                    f"{name_of(*place)} removes no call; calls that took it are {_longer(change)} "
                    "than those that declined it (an association)"
                )
        return f"{'; '.join(told)}." if told else ""

    def _told(self) -> list[tuple[str, str]]:
        """Channels that the words speak of: those that can take a call away, the menu aside."""
        places = self.funnel.places
        return [p for p in places if p[1] in REMOVING_STAGES and p[0] != "menu"]


_LINES = {
    "acceptance": "Acceptance",
    "completion": "Completion",
    "gross_deflection": "Gross deflection",
    "leakage": "Leakage",
    "net_deflection": "Net deflection",
    "failed_recontact": "Not completed, and an agent asked",
    "failed_calls": "Calls after a failed diversion",
    "failed_hours": "Agent-hours of these",
    "failed_longer_s": "Longer than others about the same",
    "called_more": "Calls brought, per contact (induced at most)",
    "from_elsewhere": "Last used another channel",
    "assist_longer_s": "Longer than calls that declined it",
    "assist_hours": "Agent-hours that makes (negative: saved)",
}


_OF_FUNNEL = ("acceptance", "completion", "gross_deflection", "leakage", "net_deflection")
_FEWEST = 30  # calls, below which the words pass a channel over


def ledger(funnel: Funnel, episodes: Any, *, rollouts: Any = None, services: Any = None) -> Ledger:
    """Draw up the ledger of self-service from its funnel and the episodes around it.

    Parameters
    ----------
    funnel
        Of `funnel`, with the window that the words use.
    episodes
        Frame of ``CallLog.episodes``, of the same window.
    rollouts, services
        Frames of ``CallLog.table``: channels that they name, and that have no record, are said.

    Raises
    ------
    InputError
        Another kind of argument, a frame without its columns, another window.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ccanalytics import CallLog, simulation
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = simulation.write_centre(folder / "centre", weeks=8, scale=0.01, seed=1)
    >>> log = CallLog(folder / "centre.duckdb")
    >>> _ = log.load(folder / "centre", "ccanalytics")
    >>> from ccanalytics.deflection import funnel
    >>> found = ledger(funnel(log.self_service()), log.episodes(7))
    >>> 0.5 < found.line("failed_recontact", "sms", "before_call").value < 1
    True
    """
    import polars as pl

    if not isinstance(funnel, Funnel):
        raise InputError("funnel must come from deflection.funnel", f"got {type(funnel).__name__}")
    frame = as_polars(
        episodes,
        "episodes",
        [*_PLACE, "service", "window_days", "lookback_days", *_NEEDS],
        "log.episodes(…)",
    )
    # The sum of x·n may be negative: fewer calls after than before.
    told = ("window_days", "lookback_days", *_NEEDS)
    check_counts(frame, [name for name in told if name != "change_xn"], "episodes")
    check_numbers(frame, ["change_xn"])
    check_known(frame, [*_PLACE, *told], "episodes")
    check_texts(frame, _PLACE, "episodes")
    windows, back = (frame[name].unique().to_list() for name in ("window_days", "lookback_days"))
    if frame.height and windows != [funnel.window_days]:
        raise InputError(
            "episodes and funnel have different windows",
            f"window_days={windows}, and {funnel.window_days}",
            f"ask for log.episodes({funnel.window_days})",
        )
    level = funnel.inputs["level"]
    lines = [
        {**dict(zip(_PLACE, place, strict=True)), **line}
        for place in funnel.places
        for line in lines_of(funnel, frame, place, level)
    ]
    numbers = ["value", "value_low", "value_high"]
    return Ledger(
        inputs={
            "window_days": funnel.window_days,
            "lookback_days": back[0] if back else None,
            "level": level,
        },
        checks=(*ledger_checks(frame), *unrecorded(funnel, rollouts, services)),
        lines=pl.DataFrame(
            lines,
            schema={
                **dict.fromkeys([*_PLACE, "line"], pl.String),
                **dict.fromkeys(numbers, pl.Float64),
                "unit": pl.String,
                "base": pl.Int64,
                "base_of": pl.String,
            },
        ),
        episodes=opened(frame),
        funnel=funnel,
    )


def _told(row: dict[str, Any]) -> str:
    number = {"share": "{:.1%}", "calls": "{:,.0f}", "h": "{:,.1f} h", "s": "{:+,.0f} s"}
    form = number.get(row["unit"], "{:+.1%}")
    value, low, high = (
        form.format(row[f"value{end}"]).replace("-", "−") for end in ("", "_low", "_high")
    )
    if row["line"] == "failed_calls":
        return value
    return f"{value if low == high else f'{value} ({low} to {high})'}, of {row['base']:,}"


def _share(share: Estimate) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})".replace("-", "−")


def _longer(change: Estimate) -> str:
    if not change.excludes_zero:
        limits = f"{change.low:+.0f} to {change.high:+.0f} s".replace("-", "−")
        return f"no longer or shorter that the data can show ({limits})"
    word = "longer" if change.value > 0 else "shorter"
    low, high = sorted((abs(change.low), abs(change.high)))
    return f"{abs(change.value):.0f} s ({low:.0f} to {high:.0f} s) {word}"
