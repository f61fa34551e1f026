"""Benchmarks run when they are asked for: ``--benchmark-skip`` leaves all of this folder out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("benchmark_skip", default=False):
        return
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason="a benchmark"))


@pytest.fixture
def say(capsys):
    """Print a figure past the capturing of output."""

    def write(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="", flush=True)

    return write
