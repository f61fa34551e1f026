"""Plotly figures in a page: data in a block no browser runs, titles as text that wraps."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import Any

__all__ = ["Figures", "in_script"]

# Every mark-up but what plotly draws in labels and is harmless; a link would leave the page.
_MARKUP = re.compile(r"<(?!/?(?:b|i|em|strong|s|u|sub|sup|br|span|extra)\b)", re.IGNORECASE)


class Figures:
    """Collects the figures of one page; templates that several share are kept once."""

    def __init__(self) -> None:
        self.count = 0
        self._templates: dict[str, int] = {}

    def html(self, figure: dict[str, Any]) -> str:
        """Write one figure, given as plotly's JSON."""
        self.count += 1
        data = [_trace(trace) for trace in figure.get("data", [])]
        layout = dict(figure.get("layout", {}))
        height = layout.get("height") or 420
        title, subtitle = _take_title(layout)
        margin = layout.get("margin", {})
        if title and "t" in margin:
            # The title stands above as text. Legends make their own room, words above the plot
            # do not.
            freed = max(
                0, margin["t"] - (26 if layout.get("annotations") or layout.get("shapes") else 10)
            )
            layout["margin"] = {**margin, "t": margin["t"] - freed}
            height = layout["height"] = height - freed
        layout["template"] = self._template(layout.get("template"))
        layout.pop("width", None)
        content = in_script(_json(_harmless({"data": data, "layout": layout})))
        caption = f"<h3>{escape(title)}</h3>" if title else ""
        caption += f"<p>{escape(subtitle)}</p>" if subtitle else ""
        label = escape(title or f"chart {self.count}", quote=True)
        return (
            f'<figure class="chart">'
            f"{f'<figcaption>{caption}</figcaption>' if caption else ''}"
            f'<div class="plot" style="height:{height:g}px" role="img" aria-label="{label}"></div>'
            f'<script type="application/json">{content}</script></figure>'
        )

    def templates_json(self) -> str:
        """Write the templates that the figures name by number."""
        return in_script(f"[{','.join(self._templates)}]")

    def _template(self, template: Any) -> int:
        text = _json(_harmless(template or {}))
        return self._templates.setdefault(text, len(self._templates))


def in_script(text: str) -> str:
    r"""Keep JSON from ending the script element it stands in: ``<`` becomes ``\u003c``."""
    return text.replace("<", "\\u003c")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _take_title(layout: dict[str, Any]) -> tuple[str, str]:
    title = layout.pop("title", None)
    if isinstance(title, str):
        return _words(title), ""
    if not isinstance(title, dict):
        return "", ""
    return _words(title.get("text")), _words((title.get("subtitle") or {}).get("text"))


def _words(text: str | None) -> str:
    """Turn plotly's marked-up text into words."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text or "")).split())


def _trace(trace: dict[str, Any]) -> dict[str, Any]:
    # WebGL needs code made at run time, which the page's policy forbids; the picture is the same.
    kind = str(trace.get("type", "scatter"))
    return {**trace, "type": kind.removesuffix("gl")} if kind.endswith("gl") else trace


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return _MARKUP.sub("&lt;", value)
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    if isinstance(value, dict):
        return {name: _harmless(item) for name, item in value.items()}
    return value
