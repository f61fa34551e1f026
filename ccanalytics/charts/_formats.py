"""How numbers and times are written in charts: units, durations, ticks and hover text."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.vocabulary import measure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["axis_key", "duration", "duration_axis", "hover", "plain", "share_axis", "time_axis"]

_VALUES = {"share": ".1%", "s": ",.0f", "erlangs": ",.1f", "agents": ",.4~g", "calls": ",.4~g"}
_NOUNS = {"s": " s", "erlangs": " erlangs", "agents": " agents", "calls": " calls"}


def hover(name: str, at: str = "y", *, head: str = "%{x}") -> str:
    """Text under the pointer: ``head`` in bold, then the measure with its value and unit.

    Examples
    --------
    >>> hover("service_level")
    '<b>%{x}</b><br>Service level %{y:.1%}<extra></extra>'
    """
    it = measure(name)
    value = f"%{{{at}:{_VALUES.get(it.unit, ',.4~g')}}}{_NOUNS.get(it.unit, '')}"
    return f"<b>{head}</b><br>{it.label} {value}<extra></extra>"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Examples
    --------
    >>> [duration(s) for s in (0.4, 42, 200, 7500, 100_000)]
    ['0.4 s', '42 s', '3 min 20 s', '2 h 5 min', '1 d 4 h']
    """
    if math.isnan(seconds):
        return "–"
    if math.isinf(seconds):
        return "∞" if seconds > 0 else "−∞"
    sign, size = ("−" if seconds < 0 else ""), abs(seconds)
    if size < 9.95:
        return f"{sign}{size:.1f}".removesuffix(".0") + " s"
    if round(size) < 60:
        return f"{sign}{round(size)} s"
    # Rounded to the smaller unit shown first, so that 59 min 59.7 s becomes 1 h.
    if round(size) < 3600:
        count, rest, units = *divmod(round(size), 60), ("min", "s")
    elif round(size / 60) < 24 * 60:
        count, rest, units = *divmod(round(size / 60), 60), ("h", "min")
    else:
        count, rest, units = *divmod(round(size / 3600), 24), ("d", "h")
    return f"{sign}{count} {units[0]}" + (f" {rest} {units[1]}" if rest else "")


def plain(text: object) -> str:
    """Text from a log as a label: plotly shows it as it is, and reads no HTML in it."""
    return escape(str(text), quote=False)


def share_axis(fig: go.Figure, axis: str = "y", *, whole: bool = False, zero: bool = True) -> None:
    """Write the shares (0–1) of an axis as percent.

    ``whole`` shows all of 0 to 100%; without ``zero`` the axis may start above 0%, which suits
    a line whose changes matter more than its height.
    """
    settings: dict[str, Any] = {"tickformat": ".2~%", "hoverformat": ".1%"}
    if whole:
        settings |= {"range": [0, 1.02], "tick0": 0, "dtick": 0.2}
    else:
        settings["rangemode"] = "tozero" if zero else "normal"
    fig.layout[axis_key(axis)].update(settings)


def duration_axis(fig: go.Figure, upto: float, axis: str = "x") -> None:
    """Mark an axis of seconds from 0 to ``upto`` in steps that people count time in."""
    if not (math.isfinite(upto) and upto > 0):
        raise InputError("an axis needs a positive, finite end", f"upto={upto!r}", "give seconds")
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((step for step in steps if upto / step <= 7), 86400 * math.ceil(upto / 604800))
    marks = [step * i for i in range(math.floor(upto / step) + 1)]
    fig.layout[axis_key(axis)].update(
        tickvals=marks,
        ticktext=[duration(mark) for mark in marks],
        range=[0, upto],
        title={"text": _name_without_unit(fig.layout[axis_key(axis)].title.text)},
    )


def time_axis(fig: go.Figure, axis: str = "x", *, clock: bool = False) -> None:
    """Write dates as "3 Feb" with the year once below; ``clock`` writes times of day alone."""
    fig.layout[axis_key(axis)].update(
        type="date",
        tickformat="%H:%M" if clock else None,
        tickformatstops=[]
        if clock
        else [
            {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%a %-d %b"},
            {"dtickrange": [86_400_000, "M1"], "value": "%-d %b\n%Y"},
            {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
            {"dtickrange": ["M12", None], "value": "%Y"},
        ],
        hoverformat="%H:%M" if clock else "%a %-d %b %Y %H:%M",
    )


def axis_key(axis: str) -> str:
    """Give the layout's name of an axis: ``x2`` is ``xaxis2``."""
    if axis[:1] not in {"x", "y"} or not (axis[1:] == "" or axis[1:].isdigit()):
        raise InputError("no such axis", f"axis={axis!r}", "x, y, or with its number, such as x2")
    return f"{axis[0]}axis{axis[1:]}"


def _name_without_unit(label: str | None) -> str:
    return (label or "").removesuffix(" (seconds)")
