"""A frame as the table of a report: labels from the vocabulary, units, few digits."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from html import escape
from typing import Any

from ccanalytics import smallcells
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import Measure, counted, measure

__all__ = ["html_table"]

_ROWS = 100
_TALL = 15
_COUNTS = {"calls", "contacts", "customers", "rows", "people", "n"}
_LIMITS = {"_low": "low", "_high": "high"}


def html_table(frame: Any) -> str | None:
    """Write a polars or pandas frame as an HTML table; None if the frame is of another kind.

    At most 100 rows are written, and the table says so; one of more than 15 scrolls in a box.
    Numbers of rows on fewer calls or people than :mod:`ccanalytics.smallcells` allows are left out.
    Shares become percent, the numbers of a column have the same decimal places, and every text is
    escaped.
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        frame = _from_pandas(frame)
        if frame is None:
            return None
    if frame.height == 0:
        return '<p class="note">No rows.</p>'
    heads, bodies = [], []
    small, more = (set(rows) for rows in smallcells.hidden(frame))
    below = f"<{smallcells.least()}"
    shown = frame.head(_ROWS)
    for name in frame.columns:
        known = _measure(name)
        number = frame[name].dtype.is_numeric()
        kind = ' class="num"' if number else ""
        kind = ' class="when"' if frame[name].dtype.is_temporal() else kind
        label, title = _label(name, known)
        heads.append(f"<th scope=col{kind}{title}>{escape(label)}</th>")
        values = shown[name].to_list()
        unit = known.unit if known else _unit(name)
        places = _places(values, unit)
        if number and small:
            values = [None if i in small or i in more else v for i, v in enumerate(values)]
        texts = [_text(value, unit, places) for value in values]
        if number and frame[name].dtype.is_integer():
            texts = [below if i in small else text for i, text in enumerate(texts)]
        bodies.append([f"<td{kind}>{escape(text)}</td>" for text in texts])
    rows = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*bodies, strict=True))
    tall, hint = "", ""
    if shown.height > _TALL:
        tall = " tall"
        hint = f'<p class="note scroll">{shown.height} rows; scroll in the table to see all.</p>'
    note = f"The first {_ROWS} of {frame.height:,} rows." if frame.height > _ROWS else ""
    if small:
        note += f" {_hidden(len(small), len(more))}"
    return (
        f'<div class="table{tall}"><table><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{hint}"
        + (f'<p class="note">{note}</p>' if note else "")
    )


def _hidden(small: int, more: int) -> str:
    text = f"{counted(small, 'row')} of fewer than {smallcells.least()} calls or people "
    text += f"and {more} beside, which totals would give away, " if more else ""
    return text + ("are" if small + more > 1 else "is") + " not shown."


def _from_pandas(frame: Any) -> Any:
    import pandas as pd
    import polars as pl

    if not isinstance(frame, pd.DataFrame):
        return None
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    try:
        return pl.from_pandas(frame.rename(columns=str))
    except Exception:  # noqa: BLE001 - a frame polars cannot hold keeps pandas' own table
        return None


def _measure(name: str) -> Measure | None:
    for suffix in ("", *_LIMITS):
        if name.endswith(suffix):
            try:
                return measure(name.removesuffix(suffix) if suffix else name)
            except InputError:
                continue
    return None


def _unit(name: str) -> str:
    """Guess the unit of a column that the vocabulary lacks: seconds, or a count."""
    if name.endswith("_s"):
        return "s"
    return "calls" if name.rsplit("_", 1)[-1] in _COUNTS else ""


def _label(name: str, known: Measure | None) -> tuple[str, str]:
    if known is None:
        words = name.removesuffix("_s").replace("_", " ").strip() or name
        words = f"{words[:1].upper()}{words[1:]}"
        return (f"{words} (s)" if name.endswith("_s") else words), ""
    label = known.label
    for suffix, word in _LIMITS.items():
        if name.endswith(suffix) and known.name != name:
            label += f", {word}"
    if known.unit == "s":
        label += " (s)"
    elif known.unit == "hours" and "hour" not in label.lower():
        label += " (h)"
    return label, f' title="{escape(known.definition)}"'


def _text(value: Any, unit: str, places: int) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            # Years and numbers of agents' names are keys; only amounts get separators.
            return f"{value:,}" if unit else str(value)
        case float():
            return _number(value, unit, places)
        case datetime():
            zone = " UTC" if value.utcoffset() == timedelta(0) else value.strftime(" %z").rstrip()
            return f"{value:%Y-%m-%d %H:%M}" + (f":{value:%S}" if value.second else "") + zone
        case date() | time():
            return value.isoformat()
        case list():
            return ", ".join(_text(item, unit, _places(value, unit)) for item in value)
    return str(value)


def _places(values: list[Any], unit: str) -> int:
    """Give the decimal places a column is written with, so that its points stand in line."""
    sizes = [abs(v) for v in values if isinstance(v, float) and math.isfinite(v)]
    if unit == "share":
        return 1
    if all(size == int(size) for size in sizes):
        return 0
    largest = max(sizes)
    if unit == "s":
        return 1 if largest < 100 else 0
    return next((n for n, least in ((0, 1000), (1, 100), (2, 1), (3, 0.1)) if largest >= least), 4)


def _number(value: float, unit: str, places: int) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    scaled, mark = (100 * value, "%") if unit == "share" else (value, "")
    text = f"{scaled or 0.0:,.{places}f}"  # no zero below zero
    if scaled and not float(text.replace(",", "")):
        # Not nothing: a column of large numbers must not turn a small one into zero.
        text = f"{scaled:.1g}"
    return text.replace("-", "−") + mark
