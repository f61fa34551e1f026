"""Words and doubts of a plan of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.results import Check
from ccanalytics.staffing._seats import counted

if TYPE_CHECKING:
    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing._line_search import LineSearch
    from ccanalytics.staffing.lines_measured import LinesMeasured
    from ccanalytics.staffing.trunks import TrunkPlan

__all__ = ["against", "checks_of", "solved", "told_callers"]

_RARELY = 0.05  # of days


def solved(agents: bool, lines: bool, priced: bool) -> str:
    if agents and lines:
        return "Lines and agents are as given"
    if agents:
        return "Agents are as given, lines the least that do"
    if lines:
        return "Lines are as given, agents the least that do"
    if priced:
        return "No other numbers of lines and agents cost less"
    return "No other number of lines needs fewer agent-hours, and no smaller one so few"


def told_callers(patience: float | None, redial: float) -> str:
    words = (
        "callers who wait without end"
        if patience is None
        else f"callers who lose patience after {patience:.4g} s on average"
    )
    return words + (f", {redial:.0%} of whom try again after a busy signal" if redial else "")


def against(lines: int, measured: LinesMeasured) -> Check:
    """Hold the lines against the most seen at once: the mean day is blind to such moments."""
    peaks = measured.frame["peak_lines"].to_numpy()
    above = int((peaks > lines).sum())
    words = (
        f"on {above:,} of {counted(peaks.size, 'day')} of the log more than {lines:,} lines were "
        f"in use at once, {int(peaks.max()):,} at most: with the queue of those days callers would "
        "have met a busy signal"
        if above
        else f"never more than {int(peaks.max()):,} lines were in use at once in the log"
    )
    few = above <= _RARELY * peaks.size
    return Check("Peaks in the log", "holds" if not above else "informs" if few else "fails", words)


def checks_of(plan: TrunkPlan, goal: ServiceLevel, search: LineSearch) -> tuple[Check, ...]:
    checks = []
    some = plan.frame.filter(plan.frame["blocking"].is_not_null())
    if some.height:
        low = float(some["service_level"].to_numpy().min())
        words = f"{low:.1%} in the worst interval, {goal.share:.0%} wanted"
        met = low >= goal.share - 1e-9
        if not met:
            words += "; more lines would make it worse, since more callers would wait: seat agents"
        checks.append(Check("Service of those who get in", "holds" if met else "fails", words))
        high, most = float(some["blocking"].to_numpy().max()), search.model.max_blocking
        words = f"{high:.2%} in the worst interval, at most {most:.2%} wanted"
        checks.append(
            Check("Busy signals", "holds" if high <= most * (1 + 1e-9) else "fails", words)
        )
    if plan.textbook_blocking is not None and plan.inputs["lines"] is None:
        short = plan.lines - (plan.textbook_lines or 0)
        words = (
            f"Erlang B on menu + share × (wait + AHT) finds {plan.textbook_lines:,} lines, "
            f"{counted(abs(short), 'line')} {'fewer' if short > 0 else 'more'}: it takes the wait "
            "as known, and as if it did not come in bunches"
            if short
            else f"Erlang B on menu + share × (wait + AHT) finds the same {plan.lines:,} lines"
        )
        checks.append(Check("Textbook recipe", "informs", words))
    if plan.ports:
        lost = search.port_blocking(plan.ports)
        full = plan.ports >= plan.lines
        words = (
            f"{counted(plan.ports, 'port')}: as many as lines, so that none lacks one"
            if full
            else f"{counted(plan.ports, 'port')} lose {lost:.3%} of the calls in the menu, of its "
            f"{float(search.model.menu_load.max()):.1f} erlangs, by Erlang B"
        )
        holds = full or lost <= search.max_port_blocking * (1 + 1e-9)
        checks.append(Check("Voice-menu ports", "holds" if holds else "fails", words))
    return tuple(checks)
