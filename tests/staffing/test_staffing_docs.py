"""The examples in the documentation of staffing run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "ahead",
        "busy_signal",
        "compared",
        "curve",
        "growth",
        "lines_measured",
        "overflow_groups",
        "proof",
        "sensitivity",
        "shrinkage",
        "trunks",
        "what_if",
    ],
)
def test_examples_run(name):
    module = importlib.import_module(f"ccanalytics.staffing.{name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
