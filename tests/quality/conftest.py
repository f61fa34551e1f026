"""A sample centre of a fiftieth of the size, over a year: its exports and its log."""

import pytest


@pytest.fixture(scope="package")
def small_centre(tmp_path_factory):
    """The folder of exports with ``truth.json``, and the CallLog. Nobody may write to either."""
    from ccanalytics import CallLog
    from ccanalytics.simulation import write_centre

    folder = tmp_path_factory.mktemp("small")
    write_centre(folder / "centre", weeks=52, scale=0.02, seed=1)
    log = CallLog(folder / "centre.duckdb")
    log.load(folder / "centre", "ccanalytics")
    return folder / "centre", log
