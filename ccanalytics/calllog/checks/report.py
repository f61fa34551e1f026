"""The report of all checks: what a log holds, what to know of it, and what it is fit for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ccanalytics.calllog.checks.finding import TOPICS, Finding
from ccanalytics.errors import InputError
from ccanalytics.results import Result
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Fitness", "LogCheck", "check_uses"]

Fit = Literal["fit", "with care", "not fit"]


@dataclass(frozen=True)
class Fitness:
    """What one question may expect of the log: ``fit``, ``with care`` or ``not fit``, and why."""

    use: str
    fit: Fit
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class LogCheck(Result):
    """Rows by table and outcome, the days covered, what was found, and what it is fit for.

    Attributes
    ----------
    rows, outcomes
        Rows by table, calls by outcome.
    first_day, last_day, time_zone
        Local days of the first and last call.
    rejected
        Rows set aside, by reason.
    findings
        What each check found, in order.
    uses
        Question (a notebook) → topics it needs, of :data:`TOPICS`.
    """

    rows: dict[str, int]
    outcomes: dict[str, int]
    first_day: str
    last_day: str
    time_zone: str
    rejected: dict[str, int]
    findings: tuple[Finding, ...] = ()
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def fitness(self) -> tuple[Fitness, ...]:
        """What each use may expect: the worst of what touches the topics it needs."""
        return tuple(self._fitness(use, set(needs)) for use, needs in self.uses.items())

    def _fitness(self, use: str, needs: set[str]) -> Fitness:
        if not self.rows["calls"]:
            return Fitness(use, "not fit", (("calls", "the log holds no calls"),))
        blocked = [f for f in self.findings if f.blocks & needs]
        doubtful = [f for f in self.findings if f.needs_care and needs & set(f.consequences)]
        fit: Fit = "not fit" if blocked else "with care" if doubtful else "fit"
        order = sorted(doubtful, key=lambda f: f.verdict != "fails")
        reasons = [
            (f.name, next(text for topic, text in f.consequences.items() if topic in needs))
            for f in blocked or order
        ]
        return Fitness(use, fit, tuple(reasons))

    def touched(self, finding: Finding) -> dict[str, str]:
        """Use → what a finding does to it."""
        return {
            use: next(text for topic, text in finding.consequences.items() if topic in needs)
            for use, needs in self.uses.items()
            if set(needs) & set(finding.consequences)
        }

    def headline(self) -> str:
        """What the log is fit for, and with which reserve, in a sentence or two."""
        if not self.rows["calls"]:
            return "The log holds no calls."
        by: dict[Fit, list[Fitness]] = {"fit": [], "with care": [], "not fit": []}
        for one in self.fitness():
            by[one.fit].append(one)
        parts = []
        if by["fit"]:
            parts.append(f"fit for {_and([_named(one.use) for one in by['fit']])}")
        told: tuple[tuple[Fit, str], ...] = (
            ("with care", "{} with care"),
            ("not fit", "not fit for {}"),
        )
        for fit, words in told:
            same: dict[str, list[str]] = {}
            for one in by[fit]:
                same.setdefault(_because(one), []).append(_named(one.use))
            parts += [f"{words.format(_and(uses))}, because of {why}" for why, uses in same.items()]
        return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)

    def holds(self) -> str:
        """What the log holds, in words."""
        others = [
            f"{counted(n, 'row')} of {t.replace('_', ' ')}"
            for t, n in self.rows.items()
            if n and t != "calls"
        ]
        if not self.rows["calls"]:
            return "The log holds no calls" + (f", but {', '.join(others)}." if others else ".")
        return (
            f"The log holds {counted(self.rows['calls'], 'call')} from {self.first_day} to "
            f"{self.last_day} (local days in {self.time_zone})"
            + (f", and {', '.join(others)}" if others else "")
            + ". "
            + ", ".join(f"{n:,} {o.replace('_', ' ')}" for o, n in self.outcomes.items())
            + "."
        )

    def summary(self) -> str:
        """What the log is fit for, where that was asked, and what it holds."""
        if not self.uses or not self.rows["calls"]:
            return self.holds()
        return f"{self.headline()} {self.holds()}"

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that fail."""
        return tuple(f for f in self.findings if f.verdict == "fails")

    def to_frame(self) -> pl.DataFrame:
        """Rows by table."""
        import polars as pl

        return pl.DataFrame(
            {"table": list(self.rows), "rows": list(self.rows.values())},
            schema={"table": pl.String, "rows": pl.Int64},
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "summary": self.summary(),
            "headline": self.headline(),
            "fitness": [
                {
                    "use": one.use,
                    "fit": one.fit,
                    "reasons": [{"finding": name, "why": why} for name, why in one.reasons],
                }
                for one in self.fitness()
            ],
            "rows": self.rows,
            "outcomes": self.outcomes,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "time_zone": self.time_zone,
            "checks": [vars(check) for check in self.checks],
            "findings": [
                {
                    "name": f.name,
                    "verdict": f.verdict,
                    "detail": f.detail,
                    "count": f.count,
                    "base": f.base,
                    "of": f.of,
                    "care": f.needs_care,
                    "examples": [dict(row) for row in f.examples],
                    "consequences": self.touched(f),
                    "remedy": f.remedy,
                }
                for f in self.findings
            ],
        }


def _named(use: str) -> str:
    return use.replace("_", " ")


def _because(one: Fitness) -> str:
    """The first two reasons by name, and that there are more."""
    names = [_as_reason(name) for name in dict.fromkeys(name for name, _ in one.reasons)]
    return _and([*names[:2], "more"] if len(names) > 2 else names)


def _as_reason(name: str) -> str:
    column, said, _ = name.partition(" is never recorded")
    return f"{column} never recorded" if said else name


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def check_uses(uses: object) -> dict[str, tuple[str, ...]]:
    """Uses and the topics they need, refused by name if there is no such topic."""
    if uses is None:
        return {label: (topic,) for topic, label in TOPICS.items()}
    if not isinstance(uses, Mapping):
        raise InputError(
            "this must be a mapping of uses to topics",
            f"uses={uses!r}",
            'such as {"plan": ["volume", "handle"]}',
        )
    chosen = {}
    for use, topics in uses.items():
        if isinstance(topics, str) or not isinstance(topics, Iterable):
            raise InputError("topics are a list", f"uses: {use}={topics!r}")
        names = tuple(topics)
        for name in names:
            if name not in TOPICS:
                raise InputError(
                    "no such topic", f"uses: {use}={name!r}", "one of " + ", ".join(TOPICS)
                )
        chosen[str(use)] = names
    return chosen
