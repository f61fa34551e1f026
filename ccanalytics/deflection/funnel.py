"""The funnel of self-service: offered, accepted, delivered, completed, and not asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.channels import begun, name_of
from ccanalytics.deflection.counts import check_parts, known_delivery
from ccanalytics.deflection.shares import REMOVING_STAGES, SHARES, SQUARES, with_shares
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    check_texts,
    key_columns,
)
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Funnel", "funnel"]

COUNTS = ("eligible", "sent", "accepted", "delivered", "completed", "followed", "recontacted")
_FAILED = ("failed_followed", "failed_recontacted")
_PLACE = ("channel", "stage")
_TOLD = ("acceptance", "gross_deflection", "leakage", "net_deflection")
_FEW = 3  # channels and stages that are told one by one
_NOTHING = "the log holds no self-service records, so it cannot say what self-service takes away"


@dataclass(frozen=True, eq=False, kw_only=True)
class Funnel(Result):
    """What became of the offers and sessions of each self-service channel.

    Attributes
    ----------
    rows
        One row per channel, stage, key and window: the counts of ``CallLog.self_service`` and the
        shares ``acceptance`` (accepted/sent), ``delivery`` (delivered/accepted), ``completion``
        (completed/accepted), ``leakage`` (recontacted/followed), ``failed_recontact``
        (failed_recontacted/failed_followed), ``gross_deflection`` (completed/eligible) and
        ``net_deflection`` (gross × (1 − leakage)), each with ``_low`` and ``_high``. A share is
        null where its denominator is 0 or unknown, and gross and net are null for stages that
        cannot take a call away.
    totals
        The same per channel, stage and window.
    keys
        The key columns of ``rows``.
    window_days
        The window that the words and the charts use, in days.
    """

    rows: pl.DataFrame
    totals: pl.DataFrame
    keys: tuple[str, ...]
    window_days: int

    @property
    def empty(self) -> bool:
        """Whether the log holds no self-service records."""
        return self.rows.height == 0

    def or_refuse(self) -> Funnel:
        """Give the funnel itself, or refuse where the log holds no self-service records.

        Raises
        ------
        DataError
            There is nothing to show.
        """
        if self.empty:
            raise DataError(_NOTHING)
        return self

    @property
    def places(self) -> list[tuple[str, str]]:
        """Channels with the stage they acted at, the busiest first; the voice menu, which every
        caller enters, last."""
        at = self._ordered(self._at_window(self.totals))
        return [(str(row["channel"]), str(row["stage"])) for row in at.iter_rows(named=True)]

    def share(self, name: str, channel: str, stage: str, window_days: int | None = None) -> Any:
        """Give one share of a channel over all keys as an Estimate; None where it is unknown.

        Raises
        ------
        InputError
            No such share, channel, stage or window.
        """
        if name not in (*SHARES, "net_deflection"):
            raise InputError(
                "no such share", f"{name!r}", "one of " + ", ".join([*SHARES, "net_deflection"])
            )
        window = self.window_days if window_days is None else window_days
        found = _place(self.totals, channel, stage)
        found = found.filter(found["window_days"] == window)
        if not found.height:
            raise InputError(
                "the funnel has no such row",
                f"{channel} {stage}, {counted(window, 'day')}",
                "it has " + "; ".join(f"{c} {s}" for c, s in self.places),
            )
        row = found.row(0, named=True)
        if row[name] is None:
            return None
        return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], self.inputs["level"])

    def steps(self) -> pl.DataFrame:
        """Give the steps of each channel's funnel, for charts.

        Columns channel, stage, step, contacts, share_of_sent. The last step, ``stayed``, is an
        estimate: completed × (1 − leakage at the window).
        """
        import polars as pl

        stayed = (pl.col("completed") * (1 - pl.col("leakage"))).alias("stayed")
        steps = ["sent", "accepted", "delivered", "completed", "stayed"]
        index = [*_PLACE, "_place", "_sent"]
        return (
            self._ordered(self._at_window(self.totals))
            .with_columns(stayed)
            .with_row_index("_place")
            .select(
                *_PLACE, "_place", pl.col("sent").alias("_sent"), pl.col(steps).cast(pl.Float64)
            )
            .unpivot(steps, index=index, variable_name="step", value_name="contacts")
            .with_columns(share_of_sent=pl.col("contacts") / pl.col("_sent"))
            .sort("_place", maintain_order=True)
            .drop("_sent", "_place")
        )

    def by_key(self, share: str = "acceptance") -> pl.DataFrame:
        """Give the rows at the window that have one share, the busiest keys first.

        Acceptance is given for stages at which an offer is made, the other shares for those that
        can take a call away.

        Raises
        ------
        InputError
            No such share.
        """
        import polars as pl

        if share not in (*SHARES, "net_deflection"):
            raise InputError(
                "no such share", f"{share!r}", "one of " + ", ".join([*SHARES, "net_deflection"])
            )
        stages = ("before_call", "during_call") if share == "acceptance" else REMOVING_STAGES
        rows = self._at_window(self.rows).filter(pl.col("stage").is_in(stages)).drop_nulls(share)
        if not self.keys:
            return rows.sort("sent", descending=True)
        busy = pl.col("sent").sum().over(self.keys)
        return rows.sort(busy, *self.keys, descending=[True] + [False] * len(self.keys))

    def table(self) -> pl.DataFrame:
        """Give counts and shares of each channel at the window, in words."""
        import polars as pl

        at = self._ordered(self._at_window(self.totals))
        names = pl.Series("channel", [name_of(*place) for place in at.select(_PLACE).rows()])
        counts = ["sent", "completed", "eligible"]
        shares = ["acceptance", "completion", "leakage", "gross_deflection", "net_deflection"]
        return at.select(names, *counts, *shares, "net_deflection_low", "net_deflection_high")

    def to_frame(self) -> pl.DataFrame:
        """Give the rows: counts, shares and limits per channel, stage, key and window."""
        return self.rows

    def summary(self) -> str:
        """Say what each channel did, how certain it is, and what it does not mean."""
        if self.empty:
            return f"{_NOTHING[0].upper()}{_NOTHING[1:]}."
        removing = [place for place in self.places if place[1] in REMOVING_STAGES]
        words = [self._removed(removing)] if removing else []
        # Of many channels the table beside it tells the shares; in words they would be a wall.
        few = len(self.places) <= _FEW
        words += [self._about(*place) for place in self.places if few or place[1] == "during_call"]
        if removing:
            words.append(
                "Net deflection is not calls saved: some of these customers would never have "
                "called; and the shares of two channels have different bases and do not add up."
            )
        words.append(
            "Gross deflection is completed over eligible contacts; leakage, of completed contacts "
            "that the log follows so long, those whose customer asked an agent about the same "
            f"service within {_days(self.window_days)}; net is gross × (1 − leakage). In brackets "
            f"{100 * self.inputs['level']:g}% intervals ({self._limits()}; net: product of the "
            "two, on logs)."
        )
        return " ".join(words)

    def _limits(self) -> str:
        return "Wilson, by customer" if self.inputs["by_customer"] else "Wilson"

    def _removed(self, places: list[tuple[str, str]]) -> str:
        at = self._at_window(self.totals)
        rows = [
            _place(at, *place).row(0, named=True) | {"name": name_of(*place)} for place in places
        ]
        known = [row for row in rows if row["net_deflection"] is not None]
        if not known and any(row["completed"] and not row["followed"] for row in rows):
            return (
                f"Net deflection within {_days(self.window_days)} cannot be known: the log does "
                "not follow any completed contact for so long."
            )
        if not known:
            return "Gross and net deflection cannot be told from these records."
        told = "; ".join(
            f"{row['name']} {row['gross_deflection']:.1%} of {row['eligible']:,}, net "
            f"{row['net_deflection']:.1%}"
            for row in known
        )
        return (
            "Of the contacts that could have used it each channel settled, gross and net of "
            f"customers who asked an agent again within {_days(self.window_days)}: {told}."
        )

    def _about(self, channel: str, stage: str) -> str:
        row = _place(self._at_window(self.totals), channel, stage)
        text = f"{name_of(channel, stage)}: {row['sent'].item():,} {begun(stage)}"
        # A session is taken up by being begun: all are.
        shares = _TOLD[stage == "own_initiative" :]
        for share in shares:
            found = self.share(share, channel, stage)
            if found is not None:
                text += f", {share.replace('_', ' ')} {_percent(found)}"
        if stage == "during_call":
            text += f"; its {row['completed'].item():,} completed assists remove no call"
        return f"{text}."

    def _ordered(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        order = [pl.col("channel") == "menu", -pl.col("sent"), *map(pl.col, _PLACE)]
        return frame.sort(order)

    def _at_window(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        return frame.filter(pl.col("window_days") == self.window_days)


def _place(frame: pl.DataFrame, channel: str, stage: str) -> pl.DataFrame:
    import polars as pl

    return frame.filter((pl.col("channel") == channel) & (pl.col("stage") == stage))


def funnel(self_service: Any, *, window_days: int | None = None, level: float = 0.95) -> Funnel:
    """Count the funnel of each self-service channel, with intervals.

    Parameters
    ----------
    self_service
        Frame of ``CallLog.self_service``; polars or pandas.
    window_days
        Re-contact window for words and charts; default 7 days where it is there, else the longest.
    level
        Of the intervals, 0–1.

    Raises
    ------
    InputError
        A frame without its columns, counts that are negative or exceed what they are a part of,
        a window that the frame does not have.

    Examples
    --------
    >>> import polars as pl
    >>> counts = pl.DataFrame({"channel": ["sms"], "stage": ["before_call"], "service": ["Q01"],
    ...     "window_days": [7], "eligible": [2000], "sent": [1000], "accepted": [400],
    ...     "delivered": [398], "completed": [390], "followed": [300], "recontacted": [60]})
    >>> answer = funnel(counts)
    >>> print(answer.share("net_deflection", "sms", "before_call").format("{:.1%}"))
    15.6% (95% interval 14.0% to 17.3%)
    """
    import polars as pl

    level = check_level(level)
    frame = as_polars(
        self_service, "self_service", [*_PLACE, "window_days", *COUNTS], "log.self_service(…)"
    )
    # What is not there may be left out, but not in part.
    more = [n for part in (_FAILED, SQUARES) if set(part) & set(frame.columns) for n in part]
    as_polars(frame, "self_service", more, "log.self_service(…)")
    check_counts(frame, [*COUNTS, *more, "window_days"], "self_service")
    check_known(frame, [*_PLACE, "window_days", "sent", "completed"], "self_service")
    check_texts(frame, _PLACE, "self_service")
    keys = key_columns(frame, [*_PLACE, "window_days", *COUNTS, *more])
    check_parts(frame)
    windows = sorted(frame["window_days"].unique().to_list())
    window = _window(window_days, windows)
    if frame.select([*_PLACE, *keys, "window_days"]).is_duplicated().any():
        raise InputError("two rows have the same channel, stage, keys and window", "self_service")
    told = [*COUNTS, *more]
    frame, unrecorded = known_delivery(frame.with_columns(pl.col(told).cast(pl.Int64)))
    totals = frame.group_by(*_PLACE, "window_days").agg(
        # A sum over a part that is unknown is unknown.
        pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
        for name in told
    )
    return Funnel(
        inputs={
            "window_days": window,
            "windows": windows,
            "keys": keys,
            "level": level,
            "by_customer": set(SQUARES) <= set(more),
        },
        checks=(*unrecorded, *_checks(frame, window, by_customer=set(SQUARES) <= set(more))),
        rows=with_shares(frame, level).sort([*_PLACE, *keys, "window_days"]),
        totals=with_shares(totals, level).sort([*_PLACE, "window_days"]),
        keys=tuple(keys),
        window_days=window,
    )


def _window(asked: int | None, windows: list[int]) -> int:
    if not windows:
        return asked or 7
    if asked is None:
        return 7 if 7 in windows else windows[-1]
    if asked not in windows:
        raise InputError(
            "the counts do not have this window",
            f"window_days={asked!r}",
            "one of " + ", ".join(map(str, windows)),
        )
    return asked


def _checks(frame: pl.DataFrame, window: int, *, by_customer: bool) -> tuple[Check, ...]:
    import polars as pl

    checks = []
    if not frame.height:
        return ()
    over = frame.filter(
        (pl.col("completed") > pl.col("eligible")) & pl.col("stage").is_in(REMOVING_STAGES)
    )
    if over.height:
        row = over.row(0, named=True)
        checks.append(
            Check(
                "eligible contacts",
                "fails",
                f"more contacts were completed than were eligible in "
                f"{counted(over.height, 'row')} (such as {name_of(row['channel'], row['stage'])}, "
                f"{row['completed']} of {row['eligible']}): gross and net "
                "deflection are left out there",
            )
        )
    at = frame.filter(pl.col("window_days") == window)
    done, followed = at.select(pl.col("completed", "followed").sum()).row(0)
    if done:
        checks.append(
            Check(
                "followed to the end of the window",
                "informs" if followed else "fails",
                f"{followed:,} of {done:,} completed contacts ({followed / done:.0%}); the others "
                "had no known customer or came too near the end of the log, and are taken to be "
                "like them"
                if followed
                else f"none of {done:,} completed contacts: the log does not go on for "
                f"{_days(window)} after one of a known customer, so leakage within it cannot be "
                "known, nor net deflection",
            )
        )
    checks.append(
        Check(
            "independence",
            "informs",
            "the intervals allow for a customer's contacts being alike, within a service; gross "
            "deflection by its completed contacts alone, and calls in the voice menu not at all"
            if by_customer
            else "the intervals count every contact as a customer of its own; where few customers "
            "make many contacts they are too narrow",
        )
    )
    return tuple(checks)


def _percent(share: Estimate) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"
