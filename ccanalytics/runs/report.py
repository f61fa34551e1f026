"""An executed notebook as one HTML file that works offline, in any browser and on paper.

The page may run two scripts, plotly.js and ours, which its content security policy names by
their hashes: whatever a log smuggled into a label or a table, no other script runs, and nothing
is asked of any other host.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from html import escape, unescape
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from ccanalytics.runs.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ccanalytics.results import Check
    from ccanalytics.runs.notebook import Notebook

__all__ = ["Facts", "Page", "report"]

_HIDDEN = {"parameters", "injected-parameters", "silent", "ccanalytics-skipped"}
# What an output may consist of; everything else in it is dropped.
_TAGS = [
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("div", "p", "span", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd"),
    *("b", "i", "u", "s", "em", "strong", "small", "sub", "sup", "mark", "abbr", "q", "a"),
    *("code", "pre", "kbd", "samp", "blockquote", "details", "summary", "figcaption"),
]
_ATTRIBUTES = {
    "*": ["class", "title", "lang"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "details": ["open"],
}
_ANSWER = re.compile(r'<p class="answer">(.*?)</p>', re.DOTALL)
_FAILS = re.compile(r'<li class="check fails">(.*?)</li>', re.DOTALL)
# All but a check's sign and its name.
_OTHER_TAGS = re.compile(r'<(?!/?b>|span class="sign">|/span>)[^>]+>')
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Facts:
    """What the footer tells of a run."""

    notebook: Notebook
    log: str
    holds: str
    fingerprint: str
    values: Mapping[str, Any]
    versions: Mapping[str, str]
    started_at: datetime
    seconds: float
    checks: tuple[Check, ...]
    small_cells: int = 0


@dataclass(frozen=True)
class Page:
    """The report: its HTML, the number of its charts, and its answers as plain text.

    ``answer`` is the first sentence of the headline, ``details`` all of it; ``findings`` holds
    each answer with its ``section``, its words (``answer``) and the checks that fail (``fails``).
    """

    html: str
    charts: int
    answer: str
    details: str = ""
    findings: tuple[dict[str, Any], ...] = ()


def report(executed: Any, facts: Facts) -> Page:
    """Write an executed notebook (nbformat 4) as a page."""
    from nbconvert import HTMLExporter

    with as_file(files("ccanalytics.runs") / "templates") as templates:
        exporter = HTMLExporter(
            template_name="report",
            extra_template_basedirs=[str(templates)],
            exclude_anchor_links=True,
        )
        style = (templates / "report" / "report.css").read_text(encoding="utf-8")
        script = (templates / "report" / "report.js").read_text(encoding="utf-8")
        writer = _Writer(exporter)
        view = writer.view(executed.cells, facts)
        html, _ = exporter.from_notebook_node(executed, resources={"report": view})
    scripts = []
    if writer.figures.count:
        from plotly.offline import get_plotlyjs

        scripts = [_inline(get_plotlyjs()), _inline(script)]
    policy = (
        "default-src 'none'; "
        f"script-src {' '.join(map(_hash, scripts)) or repr('none')}; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # Put in last, byte for byte: the hashes must hold.
    html = html.replace("@@POLICY@@", policy, 1).replace("/*@@STYLE@@*/", style, 1)
    tags = "\n".join(f"<script>{text}</script>" for text in scripts)
    html = html.replace("<!--@@SCRIPTS@@-->", tags, 1)
    found = tuple(writer.findings)
    return Page(html, writer.figures.count, writer.answer, writer.details, found)


class _Writer:
    """Turns cells into what the template lays out."""

    def __init__(self, exporter: Any) -> None:
        from nbconvert.preprocessors.sanitize import SanitizeHTML

        self._exporter = exporter
        self._cleaner = SanitizeHTML(tags=_TAGS, attributes=_ATTRIBUTES, strip=True)
        self.figures = Figures()
        self.answer = self.details = ""
        self.findings: list[dict[str, Any]] = []
        self._headline: dict[str, Any] | None = None
        self._contents: list[dict[str, str]] = []
        self._working: list[str] = []
        self._results = 0

    def view(self, cells: list[Any], facts: Facts) -> dict[str, Any]:
        marked = any("headline" in _tags(cell) for cell in cells)
        blocks: list[dict[str, Any]] = []
        for cell in cells:
            if "ccanalytics-skipped" in _tags(cell):
                continue
            if cell.cell_type == "markdown":
                blocks.append({"kind": "text", "html": self._text(cell)})
            elif cell.cell_type == "code" and not _HIDDEN & _tags(cell):
                outputs = self._outputs(cell, may_lead=not marked or "headline" in _tags(cell))
                if outputs:
                    blocks.append({"kind": "outputs", "items": outputs, "working": self._flush()})
        if self._working:
            blocks.append({"kind": "outputs", "items": [], "working": self._flush()})
        title, question = self._lead(blocks)
        return {
            "title": title or escape(facts.notebook.title),
            "question": question,
            "headline": self._headline,
            "contents": self._contents if len(self._contents) > 2 else [],
            "blocks": blocks,
            "templates": self.figures.templates_json(),
            "charts": self.figures.count,
            "facts": _footer(facts),
        }

    def _text(self, cell: Any) -> str:
        html = self._exporter.markdown2html({"cell": cell}, cell.source)
        # A report refers to no other host: the address of a source is printed, not linked.
        html = re.sub(
            r'<a [^>]*href="((?:https?:)?//[^"]*)"[^>]*>(.*?)</a>', _address, html, flags=re.DOTALL
        )
        return re.sub(r"<h2>(.*?)</h2>", self._section, _boxed(html), flags=re.DOTALL)

    def _section(self, match: re.Match[str]) -> str:
        name = f"section-{len(self._contents) + 1}"
        words = re.sub(r"<[^>]+>", "", match[1])
        self._contents.append({"id": name, "title": words})
        return f'<h2 id="{name}">{match[1]}</h2>'

    def _outputs(self, cell: Any, *, may_lead: bool) -> list[str]:
        shown, messages = [], []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                messages.append(_plain(output.text))
            elif html := self._output(output):
                self._found(html)
                shown.append(self._lead_by(html) if may_lead else html)
        source = "\n".join([cell.source.strip(), *(f"# {line}" for line in _lines(messages))])
        self._working.append(source)
        return shown

    def _output(self, output: Any) -> str:
        if output.output_type == "stream":
            text = _plain(output.text)
            return f'<pre class="stream">{escape(text)}</pre>' if text.strip() else ""
        data = output.get("data", {})
        if "application/vnd.plotly.v1+json" in data:
            return self.figures.html(data["application/vnd.plotly.v1+json"])
        if "text/html" in data:
            return self._clean(data["text/html"])
        for kind in ("image/svg+xml", "image/png", "image/jpeg"):
            if kind in data:
                return _image(kind, data[kind])
        if "text/markdown" in data:
            return self._clean(self._exporter.markdown2html({}, data["text/markdown"]))
        text = _plain(data.get("text/plain", ""))
        return f"<pre>{escape(text)}</pre>" if text.strip() else ""

    def _clean(self, html: str) -> str:
        # The words of these elements are no text of the page.
        html = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", html)
        html = str(self._cleaner.sanitize_html_tags(html)).strip()
        # Tables scroll by themselves, so that the page need not; ours come in their box.
        return html if 'class="table"' in html else _boxed(html)

    def _found(self, html: str) -> None:
        """Keep what a Result says for whoever reads the run without the page."""
        found = _ANSWER.search(html)
        if found is None or 'class="result' not in html:
            return
        section = unescape(self._contents[-1]["title"]) if self._contents else ""
        fails = [_words(text).removeprefix("✗").strip() for text in _FAILS.findall(html)]
        self.findings.append({"section": section, "answer": _words(found[1]), "fails": fails})

    def _lead_by(self, html: str) -> str:
        """Let the first Result give the headline: its first sentence and what speaks against it."""
        found = _ANSWER.search(html)
        if self._headline is not None or found is None or 'class="result' not in html:
            return html
        words = self.details = _words(found[1])
        self.answer = re.split(r"(?<=[.!?。！？])(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)\s+", words)[0]
        fails = [_OTHER_TAGS.sub("", text) for text in _FAILS.findall(html)]
        self._headline = {"answer": escape(self.answer), "fails": fails}
        return f'<div id="answer">{html}</div>'

    def _flush(self) -> str:
        text, self._working = "\n\n".join(self._working), []
        return escape(text)

    def _lead(self, blocks: list[dict[str, Any]]) -> tuple[str, str]:
        """Take title and question out of the first text: they stand in the page's head."""
        for block in blocks:
            if block["kind"] != "text":
                continue
            match = re.search(r"<h1>(.*?)</h1>\s*(<p>.*?</p>)?", block["html"], re.DOTALL)
            if match:
                block["html"] = block["html"].replace(match[0], "", 1).strip()
                return match[1], match[2] or ""
        return "", ""


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def _footer(facts: Facts) -> dict[str, Any]:
    defaults = {p.name: p for p in facts.notebook.parameters}
    return {
        "parameters": [
            {
                "name": name,
                "value": escape(_value(value)),
                "changed": value != defaults[name].default,
                "meaning": escape(defaults[name].meaning),
            }
            for name, value in facts.values.items()
            if name != "log"
        ],
        "notebook": escape(facts.notebook.name),
        "log": escape(facts.log),
        "holds": escape(facts.holds),
        "fingerprint": facts.fingerprint,
        "small_cells": facts.small_cells,
        "versions": ", ".join(f"{escape(k)} {escape(v)}" for k, v in facts.versions.items()),
        "started_at": facts.started_at.strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": f"{facts.seconds:.0f}",
        "checks": [
            {
                "status": check.status,
                "mark": check.mark,
                "name": escape(check.title),
                "detail": escape(check.detail),
            }
            for check in facts.checks
        ],
    }


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None or value == "" else str(value)


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _plain(text: str) -> str:
    """Terminal output as text: colours gone, progress lines as they ended."""
    lines = _ANSI.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines).rstrip()


def _lines(messages: list[str]) -> list[str]:
    return [line for message in messages for line in message.splitlines() if line.strip()]


def _address(match: re.Match[str]) -> str:
    words, address = match[2], match[1]
    return words if words == address else f'{words} <span class="address">({address})</span>'


def _boxed(html: str) -> str:
    return re.sub(
        r"(?s)<table\b.*?</table>", lambda table: f'<div class="table">{table[0]}</div>', html
    )


def _image(kind: str, data: str) -> str:
    # As an image, never as markup: a picture's own scripts stay asleep.
    coded = base64.b64encode(data.encode()).decode() if kind == "image/svg+xml" else data
    coded = "".join(coded.split())
    return f'<img class="picture" alt="" src="data:{kind};base64,{coded}">'


def _inline(script: str) -> str:
    """Make a script safe to stand between tags; parsers count line ends as one character."""
    text = script.replace("\r\n", "\n").replace("\r", "\n")
    # These occur in strings alone, where \x3c is the same character.
    return re.sub(r"<(?=/script|!--)", r"\\x3c", text, flags=re.IGNORECASE)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
