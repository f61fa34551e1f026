from __future__ import annotations

import os
from datetime import date, datetime

import pytest

from ccanalytics import simulation
from ccanalytics.errors import InputError
from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample import centre as centre_module

SMALL = {"weeks": 1, "scale": 0.005}


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"weeks": -1}, "weeks=-1"),
        ({"weeks": 0}, "weeks=0"),
        ({"weeks": 1.5}, "weeks=1.5"),
        ({"weeks": True}, "weeks=True"),
        ({"weeks": "52"}, "weeks='52'"),
        ({"weeks": 10**9}, "calendar"),
        ({"scale": 0}, "scale=0"),
        ({"scale": -0.1}, "scale=-0.1"),
        ({"scale": 10.5}, "scale=10.5"),
        ({"scale": float("nan")}, "scale=nan"),
        ({"scale": float("inf")}, "scale=inf"),
        ({"scale": "big"}, "scale='big'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.0}, "seed=1.0"),
        ({"start": "soon"}, "start='soon'"),
        ({"start": "2024-02-30"}, "start='2024-02-30'"),
        ({"start": 20240101}, "start=20240101"),
        ({"start": datetime(2024, 1, 1)}, "start"),
        ({"start": "2019-12-30"}, "2020 to 2030"),
        ({"start": "2030-12-30"}, "2020 to 2030"),
        ({"parameters": {"redial": 0.5}}, "CentreParameters"),
    ],
)
def test_an_argument_out_of_range_is_named(tmp_path, wrong, names):
    with pytest.raises(InputError, match=r".") as error:
        simulation.write_centre(tmp_path / "x", **{**SMALL, **wrong})
    assert names in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"redial": 55},
        {"redial": -0.1},
        {"redial": "half"},
        {"redial": True},
        {"calls_per_day": float("nan")},
        {"calls_per_day": 0},
        {"interval_memory": 1.0},
        {"assist_saving_s": 30},
        {"assist_saving_s": 9.5},
        {"hold_share": 0.6},
        {"sms_last": 11},
        {"sms_first": 2.0},
        {"silver": 0.7, "gold": 0.7},
        {"left_menu": 0.95},
    ],
)
def test_a_parameter_out_of_range_is_named(wrong):
    with pytest.raises(InputError) as error:
        CentreParameters(**wrong)
    assert next(iter(wrong)) in str(error.value)


def test_a_directory_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="other files") as error:
        simulation.write_centre(tmp_path, **SMALL)
    assert "thesis.txt" in str(error.value)
    assert "new or empty directory" in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_somebody_elses_export_is_left_alone(tmp_path):
    (tmp_path / "agents.csv").write_text("agent\nA1\n")
    with pytest.raises(InputError, match="no earlier sample"):
        simulation.write_centre(tmp_path, **SMALL)
    assert (tmp_path / "agents.csv").read_text() == "agent\nA1\n"


def test_an_earlier_sample_is_replaced(tmp_path):
    simulation.write_centre(tmp_path / "x", **SMALL, start="2024-03-04")
    before = (tmp_path / "x").stat().st_ino
    second = simulation.write_centre(tmp_path / "x", **SMALL, start="2024-05-06")
    assert {path.name for path in (tmp_path / "x").iterdir()} == set(second.sizes)
    assert not (tmp_path / "x" / "calls_2024-03.csv").exists()
    # The directory stays: a shell may be standing in it.
    assert (tmp_path / "x").stat().st_ino == before
    (tmp_path / "x" / "notes.md").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.md"):
        simulation.write_centre(tmp_path / "x", **SMALL)


def test_an_empty_directory_and_a_missing_parent_will_do(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    simulation.write_centre(".", **SMALL)
    assert (tmp_path / "empty" / "centre.json").exists()
    deep = simulation.write_centre(str(tmp_path / "a b" / "目录" / "x"), **SMALL)
    assert deep.directory == tmp_path / "a b" / "目录" / "x"


def test_a_path_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        simulation.write_centre(tmp_path / "file", **SMALL)
    with pytest.raises(InputError, match="cannot be written"):
        simulation.write_centre(tmp_path / "file" / "x", **SMALL)
    with pytest.raises(InputError, match="cannot be written"):
        simulation.write_centre(None, **SMALL)
    with pytest.raises(InputError, match="cannot be written"):
        simulation.write_centre("/proc/sample", **SMALL)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written"):
        simulation.write_centre(tmp_path / "locked" / "x", **SMALL)


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("earlier", [True, False])
def test_nothing_half_written_is_left(tmp_path, monkeypatch, trouble, earlier):
    if earlier:
        simulation.write_centre(tmp_path / "x", **SMALL, seed=1)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("x/*")}
    write_json = centre_module.write_json

    def fail(path, content):
        if path.name == "truth.json":
            raise trouble
        write_json(path, content)

    monkeypatch.setattr(centre_module, "write_json", fail)
    wanted = InputError if isinstance(trouble, OSError) else KeyboardInterrupt
    with pytest.raises(wanted):
        simulation.write_centre(tmp_path / "x", **SMALL, seed=2)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("x/*")} == before
    assert [path.name for path in tmp_path.iterdir()] == (["x"] if earlier else [])


def test_trouble_while_files_change_places_brings_the_earlier_ones_back(tmp_path, monkeypatch):
    simulation.write_centre(tmp_path / "x", **SMALL, seed=1)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("x/*")}
    path_class = type(tmp_path)
    rename = path_class.rename

    def fail(self, target):
        if self.parent.name == "new" and self.name == "self_service.csv":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(path_class, "rename", fail)
    with pytest.raises(InputError, match="nothing of it was kept"):
        simulation.write_centre(tmp_path / "x", **SMALL, seed=2)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("x/*")} == before


def test_a_date_or_its_text_are_the_same_start(tmp_path):
    one = simulation.write_centre(tmp_path / "one", **SMALL, start="2024-06-03")
    two = simulation.write_centre(tmp_path / "two", **SMALL, start=date(2024, 6, 3))
    assert one.rows == two.rows
    assert one.inputs == two.inputs


@pytest.mark.parametrize("start", ["2024-06-06", "2025-01-30", "2026-12-28"])
def test_any_day_may_be_the_first(tmp_path, start):
    centre = simulation.write_centre(tmp_path / "x", weeks=2, scale=0.005, start=start)
    monday = date.fromisoformat(centre.truth["service_weeks"]["weeks"][0])
    assert monday.weekday() == 0
    assert 0 <= (date.fromisoformat(start) - monday).days < 7
    assert {check.status for check in centre.checks} == {"holds", "informs"}


def test_a_centre_too_small_for_a_single_call_is_written(tmp_path):
    centre = simulation.write_centre(tmp_path / "x", weeks=1, scale=1e-9)
    assert centre.summary().startswith("0 calls of 1 week and 0 self-service events")
