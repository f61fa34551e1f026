"""One defect of each kind that real exports have, planted in the call files and listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from pathlib import Path

    import numpy as np
    import polars as pl

__all__ = ["Defects"]

_REPEATED, _UNKNOWN = 25, 5
_UNKNOWN_SERVICE = "X99"
_CLOCK_GROUP = "central-2"
# Where in the span each defect lies, and what a careful reader makes of it.
_GAP, _CLOCK, _ROWS, _DEFINITION = 0.35, 0.45, 0.5, 0.85


@dataclass(eq=False)
class Defects:
    """Plants defects while the call files are written; ``planted`` fills as it goes.

    ``start`` is the first local day, ``midnight`` its beginning in UTC (naive). Each entry of
    ``planted`` has kind, table, rows (how many are affected), added (rows that the file has more,
    or less), load (what the loader makes of them: duplicates, rejected, loaded or missing),
    meaning, and ids or the span of time.
    """

    start: date
    midnight: datetime
    days: int
    rng: np.random.Generator
    planted: list[dict[str, Any]] = field(default_factory=list)
    _garbled: bytes = b""

    def plant(
        self, frames: Iterable[tuple[str, str, pl.DataFrame]]
    ) -> Iterator[tuple[str, str, pl.DataFrame]]:
        """The same frames, those of calls with their defects."""
        for table, suffix, frame in frames:
            yield table, suffix, self._spoiled(frame) if table == "calls" else frame

    def garble(self, path: Path) -> int:
        """Add the cut-off line with bytes that are no text, if it is this file's; rows added."""
        if not self._garbled or path.suffix != ".csv":
            return 0
        with path.open("ab") as file:
            file.write(self._garbled)
        self._garbled = b""
        self._note(
            "garbled line", 1, 1, "rejected", "a line is cut off and holds bytes that are no text"
        )
        return 1

    def _spoiled(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        at = pl.col("arrived_at")
        # The definition first: it is what the switch wrote before anything else went wrong.
        first, last = self._day(_DEFINITION), self._day(0, at_end=True)
        changed = at.is_between(first, last, closed="left") & pl.col("wait_s").is_not_null()
        count = frame.filter(changed).height
        if count:
            frame = frame.with_columns(
                wait_s=pl.when(changed)
                .then(pl.col("wait_s") + pl.col("menu_s"))
                .otherwise("wait_s")
            )
            self._note(
                "changed definition",
                count,
                0,
                "loaded",
                "from this day the wait is counted from the arrival, the voice menu included",
                span=(first, last),
            )
        day = self._day(_CLOCK)
        moved = at.is_between(day, day + timedelta(days=1), closed="left") & (
            pl.col("line_group") == _CLOCK_GROUP
        )
        count = frame.filter(moved).height
        if count:
            ids = frame.filter(moved)["call_id"]
            frame = frame.with_columns(
                pl.when(moved).then(pl.col(name) + pl.duration(hours=1)).otherwise(name).alias(name)
                for name in ("arrived_at", "answered_at", "ended_at")
            )
            self._note(
                "clock of a line group",
                count,
                0,
                "loaded",
                f"the clock of {_CLOCK_GROUP} was an hour fast on this day",
                ids=ids,
                span=(day, day + timedelta(days=1)),
            )
        frame = self._rows(frame)
        begin = self._day(_GAP) + timedelta(hours=14)
        lost = at.is_between(begin, begin + timedelta(hours=2), closed="left")
        count = frame.filter(lost).height
        if count:
            frame = frame.filter(~lost)
            self._note(
                "missing hours",
                count,
                -count,
                "missing",
                "nothing was exported of these two hours",
                span=(begin, begin + timedelta(hours=2)),
            )
        return frame

    def _rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Defects of single rows, on one day."""
        import polars as pl

        day = self._day(_ROWS)
        on = pl.col("arrived_at").is_between(day, day + timedelta(days=1), closed="left")
        calls = frame.filter(on & (pl.col("outcome") == "answered")).sort("answered_at", "call_id")
        if calls.height < 2 * (_REPEATED + _UNKNOWN):
            return frame
        overlap = calls.filter(
            (pl.col("answered_at") < pl.col("ended_at").shift(1))
            & (pl.col("agent") != pl.col("agent").shift(1))
        )
        twice = overlap["call_id"][:1].to_list()
        free = calls.filter(~pl.col("call_id").is_in(twice))["call_id"]
        chosen = free.gather(self.rng.permutation(free.len())[: 4 + _UNKNOWN + _REPEATED]).to_list()
        ended, wait, order, garbled, *others = chosen
        unknown, repeated = others[:_UNKNOWN], others[_UNKNOWN:]

        def of(ids: list[str]) -> pl.Expr:
            return pl.col("call_id").is_in(ids)

        before = dict(zip(calls["call_id"], calls["agent"].shift(1), strict=True))
        frame = frame.with_columns(
            ended_at=pl.when(of([ended]))
            .then(pl.col("arrived_at") - pl.duration(minutes=1))
            .otherwise("ended_at"),
            wait_s=pl.when(of([wait])).then(-12).otherwise("wait_s"),
            answered_at=pl.when(of([order]))
            .then(pl.col("arrived_at") - pl.duration(seconds=30))
            .otherwise("answered_at"),
            agent=pl.when(of(twice))
            .then(pl.lit(before[twice[0]] if twice else None, dtype=pl.String))
            .otherwise("agent"),
            service=pl.when(of(unknown)).then(pl.lit(_UNKNOWN_SERVICE)).otherwise("service"),
        )
        for kind, ids, load, meaning in (
            ("ended before it arrived", [ended], "rejected", "the call ends before it begins"),
            ("negative wait", [wait], "rejected", "a duration below zero"),
            ("impossible order", [order], "loaded", "answered before the call came in"),
            ("agent in two calls", twice, "loaded", "the agent of the call was still in another"),
            ("unknown service", unknown, "loaded", "a code that the services table does not have"),
        ):
            if ids:
                self._note(kind, len(ids), 0, load, meaning, ids=ids)
        again = frame.filter(of(repeated))
        self._note(
            "duplicate rows",
            again.height,
            again.height,
            "duplicates",
            "exported twice",
            ids=repeated,
        )
        # A copy of another call's identity, cut off in the middle of a field.
        self._garbled = f"{garbled[:-3]}".encode() + b"\xff\xfe\x81,answ"
        self._garbled += b"\n"
        return pl.concat([frame, again])

    def _day(self, share: float, *, at_end: bool = False) -> datetime:
        """The beginning of a local day, in UTC."""
        day = self.days if at_end else min(round(share * self.days), self.days - 1)
        return self.midnight + timedelta(days=day)

    def _note(
        self,
        kind: str,
        rows: int,
        added: int,
        load: str,
        meaning: str,
        *,
        ids: Iterable[str] = (),
        span: tuple[datetime, datetime] | None = None,
    ) -> None:
        listed = list(ids)
        earlier = next((each for each in self.planted if each["kind"] == kind), None)
        if earlier is not None:  # one that reaches over several files
            earlier["rows"] += rows
            earlier["added"] += added
            earlier["ids"] += listed
            return
        self.planted.append(
            {
                "kind": kind,
                "table": "calls",
                "rows": rows,
                "added": added,
                "load": load,
                "meaning": meaning,
                "ids": listed,
                "from": span[0].isoformat() + "Z" if span else None,
                "to": span[1].isoformat() + "Z" if span else None,
            }
        )
