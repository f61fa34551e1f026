"""What the runner adds to a notebook's Python: plain tables, and errors that keep their parts.

IPython loads it as an extension when the kernel starts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ccanalytics import errors

__all__ = ["ERROR_FILE", "FOLDER_VARIABLE", "SMALL_CELLS_VARIABLE", "load_ipython_extension"]

# How the runner speaks to its own kernel; no settings for people.
FOLDER_VARIABLE = "CCANALYTICS_RUN_FOLDER"
SMALL_CELLS_VARIABLE = "CCANALYTICS_RUN_SMALL_CELLS"
ERROR_FILE = "error.json"


def load_ipython_extension(shell: Any) -> None:
    """Register the table formatter and the error keeper with a starting kernel."""
    from ccanalytics import smallcells
    from ccanalytics.runs.tables import html_table

    smallcells.set_least(int(os.environ.get(SMALL_CELLS_VARIABLE, smallcells.DEFAULT)))
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type_by_name("polars.dataframe.frame", "DataFrame", html_table)
    # pandas 3 calls itself "pandas", pandas 2 names the module that defines it.
    formatter.for_type_by_name("pandas", "DataFrame", html_table)
    formatter.for_type_by_name("pandas.core.frame", "DataFrame", html_table)

    def keep(self: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        _write(error)
        self.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((errors.CcanalyticsError,), keep)


def _write(error: errors.CcanalyticsError) -> None:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return
    # A room may have errors of its own; the caller gets the nearest that everyone knows.
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in errors.__all__)
    parts = {"name": name, "what": error.what, "where": error.where, "remedy": error.remedy}
    (Path(folder) / ERROR_FILE).write_text(json.dumps(parts), encoding="utf-8")
