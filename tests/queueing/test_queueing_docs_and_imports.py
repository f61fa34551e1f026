"""Examples in the docstrings run, every public name is documented, and importing stays light."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import ccanalytics.queueing as room

MODULES = [m.name for m in pkgutil.iter_modules(room.__path__, "ccanalytics.queueing.")] + [
    "ccanalytics.queueing"
]
HEAVY = ("pandas", "duckdb", "plotly", "polars", "scipy.stats", "statsmodels", "numba")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(n for n in room.__all__ if n[0].islower()))
def test_functions_say_formula_units_errors_source(name):
    text = getattr(room, name).__doc__
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"{section}\n" in text, (name, section)
    assert ">>>" in text


def test_importing_is_light():
    code = f"import sys, ccanalytics.queueing; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
