"""What runs of the queue with and without a cause say of its effect, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Runs = NDArray[np.int64]

__all__ = [
    "KNOWN",
    "LEAST_RUNS",
    "MEASURES",
    "effects_of",
    "known_or_null",
    "nothing_known",
    "runs_wanted",
    "totals",
]

# Rows of the daily counts, as ``line.count_days`` fills them.
MEASURES = (
    "offered",
    "requests",
    "redials",
    "follow_up_calls",
    "answered",
    "agent_s",
    "in_time",
    "wait_s",
)
KNOWN = 0.02  # an effect's standard error over its size, at most
LEAST_RUNS = 2
_COUNTS = ("offered", "answered", "abandoned", "redials", "agent_s")
_OF_OFFERED = {"abandoned_share": "abandoned", "in_time_share": "in_time", "mean_wait_s": "wait_s"}
_SURE = 3  # standard errors


def known_or_null(found: dict[str, tuple[float, float]], why: str) -> dict[str, Any]:
    """Each effect and its error; null, the reason and a bound where the error is too large."""
    told: dict[str, Any] = {}
    unknown = {}
    for name, (value, error) in found.items():
        known = error <= KNOWN * abs(value)
        told[name] = value if known else None
        told[f"{name}_error"] = error
        if not known:
            unknown[name] = {"reason": why, "at_most": abs(value) + _SURE * error}
    return told | ({"unknown": unknown} if unknown else {})


def nothing_known(why: str) -> dict[str, Any]:
    """All effects null, where there was no run."""
    names = [*_COUNTS, *(f"{name}_share" for name in _COUNTS if name != "abandoned"), *_OF_OFFERED]
    return {
        **dict.fromkeys(names),
        **{f"{name}_error": None for name in names},
        "unknown": {name: {"reason": why, "at_most": None} for name in names},
    }


def totals(runs: Runs) -> dict[str, float]:
    """What a world's runs count over the span, on average."""
    sums = dict(zip(MEASURES, runs.sum(axis=2).mean(axis=0).tolist(), strict=True))
    sums["abandoned"] = sums["offered"] - sums["answered"]
    shares = {name: sums[of] / max(sums["offered"], 1.0) for name, of in _OF_OFFERED.items()}
    return sums | shares


def effects_of(with_it: Runs, without: Runs) -> dict[str, tuple[float, float]]:
    """With the cause less without it, each with its standard error.

    Days are apart: whatever luck does to one does nothing to the next. The spread of the runs is
    therefore taken day by day and added up, which two runs already tell well. Where they happen
    to agree it is put at one call a run: that a few runs saw nothing rare does not exclude it.
    """
    here, there = _by_name(with_it), _by_name(without)
    # Only worlds without any difference differ by nothing for certain.
    least = 0.0 if np.array_equal(with_it, without) else 1.0
    found = {}
    for name in _COUNTS:
        gone = here[name] - there[name]
        found[name] = (float(gone.sum() / len(gone)), _error(gone, least))
        if name == "abandoned":
            continue  # its share is of what is offered
        base = there[name].sum()
        share = gone.sum() / base if base else 0.0
        per_run = len(gone) / max(base, 1.0)
        rest = (gone - share * there[name]) * per_run
        found[f"{name}_share"] = (float(share), _error(rest, least * per_run))
    for name, of in _OF_OFFERED.items():
        shares, rests = [], []
        for world in (here, there):
            per_run = len(with_it) / max(world["offered"].sum(), 1.0)
            shares.append(world[of].sum() / max(world["offered"].sum(), 1.0))
            # Residuals of a ratio.
            rests.append((world[of] - shares[-1] * world["offered"]) * per_run)
        error = _error(rests[0] - rests[1], least * per_run)
        found[name] = (float(shares[0] - shares[1]), error)
    return found


def runs_wanted(there: Runs, log: Runs, most: int) -> int:
    """Runs after which all that ``most`` runs can tell is known; as many as made, if it is."""
    made = len(there)
    wanted = made
    for value, error in effects_of(log, there).values():
        if not value:
            continue
        need = made * (error / (KNOWN * abs(value))) ** 2
        if made < need <= most:
            wanted = max(wanted, min(int(np.ceil(need)), most))
    return wanted


def _by_name(runs: Runs) -> dict[str, NDArray[np.float64]]:
    named = {name: runs[:, each].astype(float) for each, name in enumerate(MEASURES)}
    named["abandoned"] = named["offered"] - named["answered"]
    return named


def _error(runs_by_days: NDArray[np.float64], least: float) -> float:
    """Standard error of the mean over runs of the sum over days; ``least`` of one run's sum."""
    spread = float(runs_by_days.var(axis=0, ddof=1).sum())
    return float(np.sqrt(max(spread, least**2) / len(runs_by_days)))
