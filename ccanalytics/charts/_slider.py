"""A slider whose steps are stored in the figure, so that it moves without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.charts._marks import INK, MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

__all__ = ["slider"]

_LINE = 18  # pixels of a line of words
_WIDE = 44  # letters of a line, so that it fits a phone


def slider(
    fig: go.Figure,
    labels: Sequence[str],
    traces: Sequence[int],
    data: Sequence[dict[str, Sequence[Any]]],
    words: Sequence[Sequence[Sequence[str]]],
    *,
    active: int,
    prefix: str,
) -> None:
    """Let a slider below the figure choose what some traces show, and say it in words.

    Parameters
    ----------
    labels
        One per step, written below the slider.
    traces
        Places of the traces that change.
    data
        Per step: attribute (``x``, ``y``, …) → one value per trace.
    words
        Per step: groups of short texts above the slider; each group begins a line.
    active
        Step shown at first; the traces are taken to show it already.
    prefix
        What the labels are, written before the chosen one, above the words.
    """
    told = [
        "<br>".join(
            [f"<b>{prefix} {label}</b>", *(line for group in each for line in _lines(group))]
        )
        for label, each in zip(labels, words, strict=True)
    ]
    room = 50 + _LINE * max(text.count("<br>") + 1 for text in told)
    note = len(fig.layout.annotations)
    fig.add_annotation(
        text=told[active], x=0, xref="paper", xanchor="left", y=0, yref="paper", yanchor="top",
        yshift=-46, showarrow=False, align="left", font={"size": 13, "color": INK},
    )  # fmt: skip
    steps = [
        {
            "method": "update",
            "label": label,
            "args": [
                {name: list(values) for name, values in each.items()},
                {f"annotations[{note}].text": text},
                list(traces),
            ],
        }
        for label, each, text in zip(labels, data, told, strict=True)
    ]
    fig.update_layout(
        sliders=[
            {
                "active": active,
                "steps": steps,
                # The words say it: plotly's own line would stand in them.
                "currentvalue": {"visible": False},
                "x": 0,
                "len": 1,
                "y": 0,
                "yanchor": "top",
                "pad": {"t": room + 6, "b": 8},
                "font": {"size": 12, "color": MUTED},
                "minorticklen": 0,
                "ticklen": 5,
            }
        ]
    )
    fig.update_layout(height=fig.layout.height + room + 50, margin={"b": room + 50})


def _lines(group: Sequence[str]) -> list[str]:
    """Put texts on lines that fit a phone, none of them broken.

    >>> _lines(["Erlang A", "service level 80.3%", "speed of answer 8 s"])
    ['Erlang A · service level 80.3%', 'speed of answer 8 s']
    """
    lines: list[str] = []
    for text in group:
        if lines and len(lines[-1]) + 3 + len(text) <= _WIDE:
            lines[-1] += f" · {text}"
        else:
            lines.append(text)
    return lines
