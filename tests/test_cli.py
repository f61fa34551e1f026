"""The command line: one readable line and an exit code that scripts can trust."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ccanalytics.cli import main

HEADER = "call_id,arrived_at,answered_at,talk_s,outcome,queue\n"
ROW = "a1,2025-03-03T09:00:00Z,2025-03-03T09:00:12Z,180,answered,sales\n"
MAPPING = """
[file]
time_zone = "UTC"
[columns]
arrived_at = "Start"
outcome = "Result"
[outcomes]
OK = "answered"
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(HEADER + ROW, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path, calls: Path) -> Path:
    path = tmp_path / "centre.duckdb"
    zone = ["--time-zone", "Europe/London"]
    assert main(["load", str(calls), "--source", "ccanalytics", "--log", str(path), *zone]) == 0
    return path


def _fails(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int) -> str:
    capsys.readouterr()
    assert main(arguments) == code
    out = capsys.readouterr()
    assert out.out == ""
    lines = out.err.strip().splitlines()
    assert len(lines) == 1, out.err
    assert "Traceback" not in out.err
    return lines[0]


def test_load_says_what_became_of_each_row(log: Path, calls: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["load", str(calls), "--source", "ccanalytics", "--log", str(log), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == 1
    assert (said["read"], said["loaded"], said["duplicates"], said["rejected"]) == (1, 0, 1, 0)


def test_check_prints_the_balance(log: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["check", "--log", str(log)]) == 0
    assert "1 read = 1 loaded + 0 duplicates + 0 rejected" in capsys.readouterr().out


def test_agents_is_the_published_example(capsys) -> None:
    arguments = ["agents", "--calls", "100", "--per", "1800", "--aht", "180", "--shrinkage", "0.3"]
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["agents"], said["scheduled"]) == (14, 20)
    assert said["service_level"] == pytest.approx(0.88835001917947, abs=1e-12)
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("14 agents seated, 20 scheduled")


def test_agents_of_an_empty_night_interval(capsys) -> None:
    assert main(["agents", "--calls", "0", "--aht", "180", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agents"] == 0


def test_trunks_is_the_standard_table(capsys) -> None:
    # 84.064 erlangs is what 100 lines carry at 1%, so just above it needs 101.
    assert main(["trunks", "--load", "84.06", "--blocking", "0.01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 100
    assert main(["trunks", "--load", "84.07", "--blocking", "0.01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 101


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["agents", "--calls", "100", "--aht", "180", "--share", "80"], "0.8"),
        (["agents", "--calls", "100", "--aht", "0"], "aht"),
        (["agents", "--calls", "-1", "--aht", "180"], "calls"),
        (["agents", "--calls", "nan", "--aht", "180"], "calls"),
        (["agents", "--calls", "ten", "--aht", "180"], "calls"),
        (["agents", "--calls", "1", "--aht", "180", "--counting", "best"], "late_abandoned"),
        (["agents", "--calls", "100", "--aht", "180", "--shrinkage", "30"], "shrinkage"),
        (["trunks", "--blocking", "0.01"], "--load"),
        (["trunks", "--load", "5", "--blocking", "0"], "blocking"),
        (["trunks", "--load", "5", "--blocking", "5"], "blocking"),
        (["nonsense"], "nonsense"),
        (["load"], "files"),
        (["notebooks", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_arguments(arguments: list[str], words: str, capsys) -> None:
    assert words in _fails(capsys, arguments, 2)


def test_bad_files(tmp_path: Path, calls: Path, capsys) -> None:
    target = tmp_path / "new.duckdb"

    def load(path: object, *more: str, source: str = "ccanalytics") -> list[str]:
        zone = ["--time-zone", "UTC"]
        return ["load", str(path), "--source", source, "--log", str(target), *zone, *more]

    assert "no such file" in _fails(capsys, load(tmp_path / "nowhere.csv"), 2)
    assert "Anonymous Bank" in _fails(capsys, load(tmp_path, source="anonymous_bank"), 2)
    assert "no such source" in _fails(capsys, load(calls, source="avaya"), 2)
    assert "anonymous_bank" in _fails(capsys, load(calls, source="avaya"), 2)
    empty = tmp_path / "calls_empty.csv"
    empty.touch()
    assert "empty" in _fails(capsys, load(empty), 2)
    cut = tmp_path / "calls_cut.csv"
    cut.write_text(HEADER + ROW + "a2,2025-03-03T09:0", encoding="utf-8")
    assert "line 3" in _fails(capsys, load(cut), 2)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    text = _fails(capsys, load(calls, "--mapping", str(mapping), source="generic"), 2)
    assert "'Start'" in text
    assert "'outcome'" in text
    assert "mapping" in _fails(capsys, load(calls, source="generic"), 2)
    assert not list(tmp_path.glob(".new.duckdb*"))


def test_a_file_of_which_no_row_can_be_used_is_an_error(tmp_path: Path, capsys) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(HEADER + ROW.replace("answered,", "spoken,"), encoding="utf-8")
    log = ["--log", str(tmp_path / "l.duckdb"), "--time-zone", "UTC"]
    assert main(["load", str(path), "--source", "ccanalytics", *log]) == 4
    assert "no row of the file could be used" in capsys.readouterr().err
    path.write_bytes(HEADER.encode() + ROW.replace("answered,", "caf\xe9,").encode("cp1252"))
    assert main(["load", str(path), "--source", "ccanalytics", *log]) == 4
    assert "--encoding" in capsys.readouterr().err


def test_without_a_command_it_shows_the_help(capsys) -> None:
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_bad_logs(tmp_path: Path, capsys) -> None:
    assert "no call log here" in _fails(capsys, ["check", "--log", str(tmp_path / "no")], 3)
    text = tmp_path / "notes.txt"
    text.write_text("these are not calls " * 100, encoding="utf-8")
    assert "not a call log" in _fails(capsys, ["check", "--log", str(text)], 3)
    assert "folder" in _fails(capsys, ["check", "--log", str(tmp_path)], 3)


def test_a_locked_log_is_named(log: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    from ccanalytics.calllog import file

    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); "
            "sys.stdin.read()",
            str(log),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline().strip() == "held"
        patient = file.Store
        monkeypatch.setattr(file, "Store", lambda path, wait_s: patient(path, 0.3))
        assert "in use by another program" in _fails(capsys, ["check", "--log", str(log)], 3)
    finally:
        holder.communicate("")
    assert main(["check", "--log", str(log)]) == 0


def test_the_log_may_come_from_the_environment(log: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CCANALYTICS_LOG", str(log))
    assert main(["check"]) == 0


def test_run_refuses_what_the_notebook_does_not_have(log: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "report.html"
    base = ["run", "seats", "--log", str(log), "--output", str(out)]
    assert "shrinkage" in _fails(capsys, [*base, "-p", "shrinkag=0.3"], 2)
    assert "NAME=VALUE" in _fails(capsys, [*base, "-p", "shrinkage"], 2)
    assert "twice" in _fails(capsys, [*base, "-p", "share=0.8", "-p", "share=0.9"], 2)
    assert "seats" in _fails(capsys, ["run", "seat", "--log", str(log)], 2)
    assert not out.exists()


def test_notebooks_lists_them_with_their_parameters(capsys) -> None:
    assert main(["notebooks", "--json"]) == 0
    found = {n["name"]: n for n in json.loads(capsys.readouterr().out)["notebooks"]}
    assert {"traffic", "seats", "deflection", "handle_time"} <= set(found)
    for notebook in found.values():
        assert notebook["title"]
        assert {"log"} <= {p["name"] for p in notebook["parameters"]}
        assert all(p["meaning"] for p in notebook["parameters"])


@pytest.mark.parametrize(
    "command", ["load", "check", "run", "notebooks", "agents", "trunks", "sample", "demo"]
)
def test_every_command_has_help_with_an_example(command: str, capsys) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: ccanalytics {command}" in " ".join(capsys.readouterr().out.split())


def test_a_script_sees_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ccanalytics", "check", "--log", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("ccanalytics: ")


@pytest.mark.notebook
def test_run_prints_the_answer_and_where_the_report_is(log: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "report.html"
    base = ["run", "handle_time", "--log", str(log), "--output", str(out)]
    capsys.readouterr()
    assert main([*base, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == 1
    assert said["answer"].endswith("calls take 180.0 s on the mean and 180 s on the median.")
    assert said["summary"].startswith(said["answer"])
    assert said["findings"][0]["answer"] == said["summary"]
    assert said["rows"]["calls"] == 1
    assert said["parameters"]["top"] == 20
    assert main(base) == 0
    assert capsys.readouterr().out.splitlines() == [said["answer"], f"Report: {out}"]


def test_the_help_of_agents_lists_every_counting(capsys) -> None:
    from typing import get_args

    from ccanalytics.servicelevel import Counting

    assert main(["agents", "--help"]) == 0
    words = capsys.readouterr().out.replace("-\n", "")
    assert all(name in " ".join(words.split()) for name in get_args(Counting))


def test_a_sample_says_how_many_rows_and_that_it_replaced_one(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "centre"
    base = ["sample", str(folder), "--weeks", "1", "--scale", "0.002"]
    assert main([*base, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    for name in ("calls_2024-01.csv", "rollouts.csv"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        assert said["rows"][name] == len(lines) - 1
    assert said["replaced"] is False
    assert main(base) == 0
    assert f"The earlier sample in {folder} was replaced." in capsys.readouterr().out
    assert main([*base, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["replaced"] is True
    assert said["defects"] == []
    assert said["inputs"]["weeks"] == 1
    assert main(["sample", "--help"]) == 0
    assert "an earlier sample, which is replaced" in " ".join(capsys.readouterr().out.split())


def test_a_sample_with_defects_says_how_many_kinds(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "flawed"
    base = ["sample", str(folder), "--weeks", "2", "--scale", "0.005", "--defects"]
    assert main([*base, "--json"]) == 0
    planted = json.loads(capsys.readouterr().out)["defects"]
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert planted == truth["defects"]
    assert len(planted) > 5
    assert main(base) == 0
    assert f"{len(planted)} kinds of defects were planted" in " ".join(
        capsys.readouterr().out.split()
    )


def test_one_agent_and_one_line_are_singular(capsys) -> None:
    assert main(["agents", "--calls", "1", "--aht", "30"]) == 0
    assert capsys.readouterr().out.startswith("1 agent seated, 1 scheduled")
    assert main(["trunks", "--load", "0.001", "--blocking", "0.1"]) == 0
    assert capsys.readouterr().out.startswith("1 line carries 0.001 erlangs")


def test_check_answers_in_text_json_and_html_and_strictly(tmp_path, capsys):
    from ccanalytics import simulation

    simulation.write_centre(tmp_path / "x", weeks=4, scale=0.01, seed=2, defects=True)
    log = str(tmp_path / "x.duckdb")
    assert main(["load", str(tmp_path / "x"), "--source", "ccanalytics", "--log", log]) == 0
    capsys.readouterr()
    page = tmp_path / "check.html"
    assert main(["check", "--log", log, "--html", str(page)]) == 0
    capsys.readouterr()
    assert main(["check", "--log", log, "--html", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"Report: {page}" in out
    assert "with care, because of" in out.replace("\n", " ")
    assert "✗ What the wait counts" in out
    html = page.read_text(encoding="utf-8")
    assert "What fails" in html
    assert "http" not in html.split("<body>")[1]
    assert main(["check", "--log", log, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert {one["use"] for one in told["fitness"]} >= {"traffic", "seats", "deflection"}
    assert main(["check", "--log", log, "--strict"]) == 4
    assert "what the wait counts" in capsys.readouterr().err
    wrong = ["check", "--log", log, "--html", str(tmp_path / "a.txt")]
    assert "HTML" in _fails(capsys, wrong, 2)


def test_a_log_without_calls_cannot_be_judged(tmp_path, capsys):
    table = tmp_path / "services.csv"
    table.write_text("service\nS1\n")
    log = str(tmp_path / "x.duckdb")
    given = ["load", str(table), "--source", "ccanalytics", "--log", log, "--time-zone", "UTC"]
    assert main(given) == 0
    capsys.readouterr()
    assert main(["check", "--log", log]) == 4
    assert "the log holds no calls" in capsys.readouterr().err


def test_an_interrupt_says_that_it_stopped(capsys, monkeypatch, tmp_path: Path) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ccanalytics.simulation.write_centre", stop)
    capsys.readouterr()
    assert main(["sample", str(tmp_path / "centre")]) == 130
    assert capsys.readouterr().err == "ccanalytics: stopped\n"
