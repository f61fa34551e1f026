"""Notebooks as reports: run one on a call log with parameters, get one HTML file.

``run`` executes, ``notebooks`` lists what there is to run.

For authors of notebooks
------------------------
- One H1, below it the question as a paragraph; sections under H2 make the table of contents.
- One cell tagged ``parameters``: per line ``name = literal  # meaning, unit``, optionally
  ``name: float | None = None``. One of them is ``log``, the path of the call log.
- The last expression of a cell is shown: a Result as its answer with its doubts, a plotly
  figure as a chart with its title as text, a polars or pandas frame as a table.
- The report opens with the first sentence of the first Result, or of the cell tagged
  ``headline``.
- A cell tagged ``may-refuse`` may find that the data cannot answer (DataError): its sentence
  stands in the report, the rest of that section (to the next H2) is left out, the run goes on.
- A cell tagged ``may-end`` may refuse, too, and nothing can be said without it: all but the last
  section is left out.
- A cell tagged ``silent`` runs and shows nothing.
"""

from __future__ import annotations

from ccanalytics.runs.notebook import Notebook, Parameter, notebooks
from ccanalytics.runs.runner import Run, run

__all__ = ["Notebook", "Parameter", "Run", "notebooks", "run"]
