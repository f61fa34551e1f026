"""What the commands share: the application, its common options, bars and JSON."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ccanalytics.calllog.loading import Progress
    from ccanalytics.errors import CcanalyticsError

__all__ = ["Json", "Log", "app", "bar", "emit", "print_error", "say", "shown", "tame"]

# What would steer a terminal or turn the order of its text around: control characters but for
# line ends and tabs, marks of direction, separators of lines, halves of characters.
_WILD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

app = typer.Typer(
    name="ccanalytics",
    help="Call-centre workforce and traffic analytics over a centre's own call log.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Log = Annotated[
    Path,
    typer.Option("--log", envvar="CCANALYTICS_LOG", help="The call log, a DuckDB file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def emit(values: dict[str, Any]) -> None:
    """Print a JSON object that says which schema it follows."""
    say(json.dumps({"schema": 1, **values}, ensure_ascii=False, indent=2, default=str))


def tame(text: str) -> str:
    r"""Text as a terminal may show it, whatever a log brought along; JSON stays the same JSON.

    Examples
    --------
    >>> print(tame("\x1b[31mred"))
    \u001b[31mred
    """
    return _WILD.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, end: str = "\n") -> None:
    """Print what may hold text of a log."""
    print(tame(text), end=end)


def print_error(error: CcanalyticsError) -> None:
    """An error in one line on standard error, for a command that goes on after it."""
    print(f"ccanalytics: {tame(str(error))}", file=sys.stderr)


def shown(name: str) -> str:
    """A file's name in one line, whatever it holds."""
    return name if name.isprintable() else repr(name)


@contextmanager
def bar(text: str, *, bytes_: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if bytes_ else MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(text)

        def advance(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{text} {shown(what)}")

        yield advance
