"""The report of a log's checks as one page that needs no other file, no script and no network."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.runs.runner import report_place, write_whole

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from ccanalytics.calllog.checks import Finding, LogCheck

__all__ = ["trust_page", "write_trust"]


def write_trust(
    found: LogCheck, log: str | os.PathLike[str], output: str | os.PathLike[str]
) -> Path:
    """Write the page; the file appears when it is complete.

    Parameters
    ----------
    found
        What :meth:`ccanalytics.CallLog.check` gave.
    log
        The log, for its name.
    output
        The HTML file, or a directory for it.

    Raises
    ------
    InputError
        If it is no HTML file, or cannot be written.
    """
    target = report_place(output, "check")
    write_whole(target, trust_page(found, Path(log).name))
    return target


def trust_page(found: LogCheck, log: str) -> str:
    """The page as text; every text of the log is escaped."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise InputError(
            "the packages that write reports are not installed",
            f"{error.name} is missing",
            "pip install 'ccanalytics[notebooks]'",
        ) from error
    from markupsafe import Markup

    from ccanalytics import __version__

    templates = files("ccanalytics.runs") / "templates"
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"heading": _heading, "sentence": _sentence}
    template = environment.from_string(
        (templates / "trust" / "index.html.j2").read_text(encoding="utf-8")
    )
    style = "\n".join(
        (templates / folder / f"{folder}.css").read_text(encoding="utf-8")
        for folder in ("report", "trust")
    )
    views = [_view(found, one, f"finding-{i}") for i, one in enumerate(found.findings)]
    anchors: dict[str, str] = {}
    for view in views:
        anchors.setdefault(view["name"], view["anchor"])
    return template.render(
        style=Markup(style),  # noqa: S704 - our own style sheets
        log=log,
        headline=found.headline(),
        holds=found.holds(),
        fitness=found.fitness() if found.rows["calls"] else (),
        anchors=anchors,
        groups=[
            (
                "What fails",
                "Mend these, or read what rests on them with care.",
                [v for v in views if v["verdict"] == "fails"],
            ),
            (
                "What to know",
                "Few rows, or facts that only people who know the centre can judge.",
                [v for v in views if v["verdict"] == "informs" and not v["plain"]],
            ),
        ],
        also=[v for v in views if v["plain"]],
        holding=[v for v in views if v["verdict"] == "holds"],
        time_zone=found.time_zone,
        version=__version__,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _view(found: LogCheck, one: Finding, anchor: str) -> dict[str, Any]:
    by_reason: dict[str, list[str]] = {}
    for use, why in found.touched(one).items():
        by_reason.setdefault(why, []).append(use.replace("_", " "))
    return {
        "name": one.name,
        "verdict": one.verdict,
        "mark": one.as_check().mark,
        "detail": one.detail,
        "touched": [(why, ", ".join(uses)) for why, uses in by_reason.items()],
        "remedy": one.remedy,
        "examples": one.examples,
        "numeric": _numeric(one.examples),
        "plain": one.verdict == "informs" and not one.needs_care and not one.examples,
        "anchor": anchor,
    }


def _heading(name: str) -> str:
    first = name.split(" ", 1)[0]
    return name if "_" in first else name[:1].upper() + name[1:]


def _sentence(text: str) -> str:
    return _heading(text) + ("" if text.endswith(("?", ".")) else ".")


def _numeric(rows: tuple[Mapping[str, str], ...]) -> set[str]:
    """Columns of numbers, which stand to the right."""
    if not rows:
        return set()
    number = re.compile(r"[-+]?[\d,]*\.?\d+|–")
    return {name for name in rows[0] if all(number.fullmatch(row[name]) for row in rows)}
