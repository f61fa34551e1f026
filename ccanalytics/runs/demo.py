"""The demo: a sample centre, loaded as a user would load it, and every report on it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["demo"]


def demo(
    data: Path,
    reports: Path,
    *,
    weeks: int,
    scale: float,
    seed: int,
    bar: Callable[..., Any],
    say: Callable[[str], object],
) -> list[Path]:
    """Write a sample centre, load it, run the notebooks and say their answers; return the reports.

    ``bar(text)`` is a context manager that gives a progress callback; ``say`` prints a line.
    What an earlier demo left in ``data`` is replaced; anything else there is left alone.
    """
    from ccanalytics.calllog import CallLog
    from ccanalytics.runs import notebooks, run
    from ccanalytics.simulation import write_centre

    exports, file = data / "centre", data / "centre.duckdb"
    try:
        data.mkdir(parents=True, exist_ok=True)
        reports.mkdir(parents=True, exist_ok=True)
        if (exports / "truth.json").is_file():
            shutil.rmtree(exports)
        file.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            "the demo's folders cannot be prepared",
            f"{error.filename}",
            error.strerror or "choose others with --data and --reports",
        ) from error
    with bar("writing the sample centre") as progress:
        centre = write_centre(exports, weeks=weeks, scale=scale, seed=seed, progress=progress)
    say(centre.summary())
    log = CallLog(file)
    with bar("loading", bytes_=True) as progress:
        report = log.load(exports, "ccanalytics", progress=progress)
    say(report.summary())
    written = []
    for notebook in notebooks():
        with bar(f"running {notebook.name}") as progress:
            done = run(
                notebook.name,
                log=file,
                output=reports / f"{notebook.name}.html",
                progress=progress,
            )
        say(f"{done.notebook}: {done.answer}")
        written.append(done.output)
    return written
