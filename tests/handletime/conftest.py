"""Small centres with people, for the tests of this folder."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def worlds():
    """The module ``people_worlds`` beside this file."""
    file = Path(__file__).with_name("people_worlds.py")
    spec = importlib.util.spec_from_file_location("people_worlds", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="package")
def people_centre(tmp_path_factory):
    """The log of half a year of a sample centre of a hundredth of the size. Nobody may write it."""
    from ccanalytics import CallLog
    from ccanalytics.simulation import write_centre

    folder = tmp_path_factory.mktemp("people")
    write_centre(folder / "centre", weeks=27, scale=0.01, seed=1)
    log = CallLog(folder / "centre.duckdb")
    log.load(folder / "centre", "ccanalytics")
    return log
