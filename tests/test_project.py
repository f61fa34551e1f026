"""The project's own promises: what its files say of each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ccanalytics import schema

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _requirements() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"], *(r for group in extras.values() for r in group)]
    return {r for r in listed if not r.startswith("ccanalytics[")}


def test_data_dictionary_is_the_schema() -> None:
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert page.endswith(schema.dictionary())


def test_conda_environment_takes_its_packages_from_pyproject() -> None:
    yaml = pytest.importorskip("yaml")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    packages = {line for line in pip if not line.startswith("--")}
    assert packages == _requirements()
    assert "--editable ." in pip
    assert "--constraint constraints.txt" in pip


def test_extra_dev_contains_every_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = [r for r in extras["dev"] if r.startswith("ccanalytics[")]
    named = set(re.search(r"\[(.*)\]", everything)[1].split(","))
    assert named == set(extras) - {"dev"}


def test_every_requirement_is_pinned_by_the_constraints() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    names = {re.split(r"[<>=\[;]", r)[0].strip().lower() for r in _requirements()}
    assert names - pinned == set()


def test_constraints_name_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"(?m)^\s*-|://|@", text)


def test_core_is_small() -> None:
    core = {re.split(r"[<>=]", r)[0] for r in PROJECT["dependencies"]}
    assert core == {
        *("numpy", "scipy", "duckdb", "pyarrow"),
        *("polars", "pandas", "narwhals", "typer"),
        "filelock",
    }


def test_top_level_is_what_was_agreed() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a checkout")
    top = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    agreed = {"notebooks", "ccanalytics", "data", "tests"} | {
        *("environment.yml", "pyproject.toml", "README.md"),
        *("Makefile", "LICENSE", "CHANGELOG.md", "constraints.txt"),
    }
    assert visible == agreed


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("ccanalytics", {"duckdb", "polars", "pandas", "plotly", "scipy", "pyarrow"}),
        ("ccanalytics.cli", {"duckdb", "polars", "pandas", "plotly", "scipy", "pyarrow"}),
        ("ccanalytics.queueing", {"pandas", "duckdb", "plotly"}),
        ("ccanalytics.staffing", {"duckdb", "plotly", "pyworkforce"}),
        ("ccanalytics.deflection", {"duckdb", "plotly", "statsmodels"}),
        ("ccanalytics.handletime", {"duckdb", "plotly", "statsmodels"}),
        ("ccanalytics.simulation", {"duckdb", "plotly", "numba"}),
    ],
)
def test_importing_a_room_stays_light(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert heavy & set(loaded) == set()


def test_public_names_resolve() -> None:
    import ccanalytics as cc

    for name in cc.__all__:
        assert getattr(cc, name) is not None


def test_no_module_is_longer_than_a_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "ccanalytics").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert long == {}
