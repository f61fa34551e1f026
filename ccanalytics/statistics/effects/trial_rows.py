"""The rows of a trial, checked at the door: subjects, strata, arms, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.trial import Trial
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of strata with both arms; ``cut`` says which strata have none."""

    trial: Trial
    after: Floats
    before: Floats | None
    lead: Floats | None
    taken: Floats | None
    taken_before: Floats | None
    left: Floats | None
    names: list[str]
    cut: str

    @property
    def covariate(self) -> Floats | None:
        """All calls before."""
        if self.before is None or self.lead is None:
            return self.before if self.lead is None else self.lead
        return self.before + self.lead

    @classmethod
    def of(
        cls, after: Any, assigned: Any, subject: Any, stratum: Any, before: Any, lead: Any,
        taken: Any, taken_before: Any, left: Any, per: str,
    ) -> Rows:  # fmt: skip
        """Check the columns, and keep the strata that have both arms."""
        if per not in ("subject", "before"):
            raise InputError("counts are per subject or per call before", f"per={per!r}", "")
        calls = _column("after", after, None)
        size = calls.size
        columns = {
            name: None if values is None else _column(name, values, size)
            for name, values in (
                ("before", before), ("lead", lead), ("taken", taken),
                ("taken_before", taken_before), ("left", left),
            )
        }  # fmt: skip
        for name in ("taken", "taken_before", "left"):
            values = columns[name]
            if values is not None and (values > 1).any():
                raise InputError("a share lies between 0 and 1", f"{name}: {values.max():g}", "")
        lot = np.asarray(assigned)
        if lot.shape != (size,) or not np.isin(lot, (0, 1)).all():
            raise InputError("assigned is true or false, one a row", f"shape {lot.shape}", "")
        lot = lot.astype(bool)
        who = np.arange(size) if subject is None else _coded("subject", subject, size)[0]
        group, names = (
            (np.zeros(size, np.int64), ["all"])
            if stratum is None
            else _coded("stratum", stratum, size)
        )
        weight = np.ones(size)
        if per == "before":
            if columns["before"] is None:
                raise InputError("per='before' needs the calls before", "before=None", "give them")
            weight = columns["before"] + (0 if columns["lead"] is None else columns["lead"])
        keep = weight > 0
        both = np.array(
            [
                all(len(np.unique(who[(group == s) & (lot == arm) & keep])) > 1 for arm in (0, 1))
                for s in range(len(names))
            ]
        )
        if not both.any():
            arms = f"{counted(int(lot.sum()), 'row')} assigned, {int((~lot).sum()):,} not"
            if (lot & keep).any() and (~lot & keep).any():
                raise DataError(
                    "nobody can be compared: it takes two assigned and two not at the same time",
                    f"{arms}; no stratum has so many of both",
                    "for units that go live one by one take design='staggered'",
                )
            raise DataError(
                "there is no control: nobody to compare those assigned with",
                arms,
                "an offer to everybody at once leaves nobody out; keep some for later by lot",
            )
        keep &= both[group]
        cut = ", ".join(f"{n}: no control" for n, fits in zip(names, both, strict=True) if not fits)
        if calls[keep].sum() <= 0:
            raise DataError("no call came in the windows that are compared", f"{size} rows", "")
        order = np.cumsum(both) - 1
        _, compact = np.unique(who[keep], return_inverse=True)
        return cls(
            trial=Trial(compact, order[group[keep]], lot[keep], weight[keep]),
            after=calls[keep],
            names=[n for n, fits in zip(names, both, strict=True) if fits],
            cut=cut,
            **{n: None if v is None else v[keep] for n, v in columns.items()},
        )


def _column(name: str, values: Any, size: int | None) -> Floats:
    found = np.asarray(values, float)
    if found.ndim != 1 or (size is not None and found.size != size):
        raise InputError("each row has one value", f"{name}: shape {found.shape}", "")
    if found.size and not (np.isfinite(found) & (found >= 0)).all():
        raise InputError("counts and shares are finite, 0 or more", f"{name}", "see the frame")
    return found


def _coded(name: str, values: Any, size: int) -> tuple[NDArray[np.int64], list[str]]:
    found = np.asarray(values)
    if found.shape != (size,):
        raise InputError("each row has one value", f"{name}: shape {found.shape}", "")
    names, codes = np.unique(found, return_inverse=True)
    return codes.astype(np.int64), [str(each) for each in names] if name == "stratum" else []
