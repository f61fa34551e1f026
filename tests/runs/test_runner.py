"""Running a notebook: what comes out, what is kept, and what every failure says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccanalytics import CallLog, errors, runs
from ccanalytics.errors import CcanalyticsError, DataError, InputError, LogError
from ccanalytics.results import Result

pytestmark = pytest.mark.notebook


def test_a_run_is_a_result_that_can_be_traced(waits_run: runs.Run, tiny_log: Path) -> None:
    assert isinstance(waits_run, Result)
    assert waits_run.fingerprint == CallLog(tiny_log).fingerprint()
    assert waits_run.rows["calls"] == 2
    assert waits_run.parameters["goal"] == 0.85
    assert waits_run.parameters["within"] == 20
    assert waits_run.parameters["detail"] is True
    assert waits_run.seed == 7
    assert waits_run.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"ccanalytics", "duckdb", "polars", "plotly"} <= set(waits_run.versions)
    assert waits_run.started_at.tzinfo is UTC
    assert waits_run.started_at < datetime.now(UTC)
    assert waits_run.charts == 7
    assert waits_run.answer.endswith("above the goal of 80%.")
    assert waits_run.details.startswith(waits_run.answer)
    assert len(waits_run.details) > len(waits_run.answer)
    first = waits_run.findings[0]
    assert (first["section"], first["answer"]) == ("The answer", waits_run.details)
    assert any("teady weeks" in doubt for doubt in first["fails"])
    assert "waits.html" in waits_run.summary()
    frame = waits_run.to_frame()
    assert frame.filter(frame["item"] == "parameter goal")["value"].item() == "0.85"


def test_what_the_data_cannot_answer_is_a_check(waits_run: runs.Run) -> None:
    assert [c.detail for c in waits_run.checks if c.name == "part of the answer"] == [
        "this log holds no self-service records: load the SMS and web exports to see them"
    ]


def test_only_the_report_is_left(waits_run: runs.Run) -> None:
    assert [path.name for path in waits_run.output.parent.iterdir()] == ["waits.html"]


def test_a_strange_home_changes_nothing(
    write_notebook, tiny_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another python3 kernel, start-up files, a profile: the notebook runs in this Python."""
    kernel = tmp_path / "data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "no", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "0.py").write_text("intruder = 1", encoding="utf-8")
    (tmp_path / "start.py").write_text("intruder = 2", encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "start.py"))
    monkeypatch.setenv("PLOTLY_RENDERER", "browser")
    path = write_notebook(
        "import sys, os, json, ccanalytics\n"
        "seen = [sys.executable, os.getcwd(), 'intruder' in globals(), ccanalytics.__file__,\n"
        "        os.environ['PLOTLY_RENDERER'], get_ipython().history_manager.enabled, log, text]\n"
        "with open(where, 'w', encoding='utf-8') as file:\n"
        "    _ = file.write(json.dumps(seen))",
        parameters='log = ""  # the log\nwhere = ""  # a file\ntext = ""  # any',
    )
    before = Path.cwd()
    awkward = 'it\'s "odd" \\ {x} 中文\n'
    seen_in = tmp_path / "seen.json"
    told: list[tuple[int, int, str]] = []
    runs.run(
        path,
        tiny_log,
        {"where": str(seen_in), "text": awkward},
        output=tmp_path / "out" / "r.html",
        progress=lambda done, total, what: told.append((done, total, what)),
    )
    executable, cwd, intruder, package, renderer, history, log, text = json.loads(
        seen_in.read_text(encoding="utf-8")
    )
    assert executable == sys.executable
    assert Path(cwd) != before == Path.cwd()
    assert not Path(cwd).exists()
    assert not intruder
    assert package == sys.modules["ccanalytics"].__file__
    assert renderer == "plotly_mimetype"
    assert not history
    assert log == str(tiny_log.resolve())
    assert text == awkward.strip()
    # Progress never falls back and ends at the end.
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("code", "kind", "parts"),
    [
        (
            "from ccanalytics.errors import DataError\n"
            "raise DataError('too few weeks', 'weeks=3', 'load at least 8')",
            DataError,
            ("too few weeks", "weeks=3", "load at least 8"),
        ),
        (
            "from ccanalytics.errors import LogError\n"
            "class Torn(LogError):\n    pass\n"
            "raise Torn('the log is torn', 'page 7')",
            LogError,
            ("the log is torn", "page 7", ""),
        ),
    ],
)
def test_our_errors_come_out_as_themselves(
    write_notebook, tiny_log: Path, tmp_path: Path, code: str, kind: type, parts: tuple
) -> None:
    output = tmp_path / "out" / "r.html"
    output.parent.mkdir()
    output.write_text("the last good report", encoding="utf-8")
    with pytest.raises(kind) as caught:
        runs.run(write_notebook(code), tiny_log, output=output)
    error = caught.value
    assert type(error) is kind
    assert (error.what, error.where, error.remedy) == parts
    assert error.exit_code == kind.exit_code
    # Nothing half-written, nothing lost.
    assert output.read_text(encoding="utf-8") == "the last good report"
    assert [path.name for path in output.parent.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_other_errors_name_the_cell_and_keep_the_notebook(
    write_notebook, tiny_log: Path, tmp_path: Path, code: str, words: str
) -> None:
    output = tmp_path / "out" / "r.html"
    path = write_notebook("x = 1", "## The sums", code, "y = 2", name="sums")
    with pytest.raises(CcanalyticsError) as caught:
        runs.run(path, tiny_log, output=output)
    text = str(caught.value)
    assert caught.value.exit_code == 1
    assert type(caught.value) is CcanalyticsError
    assert "\n" not in text
    assert "sums, cell 4, section 'The sums'" in text
    assert words in text
    kept = output.with_suffix(".failed.ipynb")
    assert str(kept) in text
    assert code in kept.read_text(encoding="utf-8")
    assert not output.exists()


def test_a_kernel_that_dies_is_said_in_one_line(
    write_notebook, tiny_log: Path, tmp_path: Path
) -> None:
    path = write_notebook("# T\n\n## Long sums", "import os, signal\nos.kill(os.getpid(), 9)")
    with pytest.raises(
        CcanalyticsError, match="the Python that ran the notebook stopped"
    ) as caught:
        runs.run(path, tiny_log, output=tmp_path / "r.html")
    assert "section 'Long sums'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r.html").exists()


def test_a_refusal_without_its_tag_stops_and_skips_nothing(
    write_notebook, tiny_log: Path, tmp_path: Path
) -> None:
    """The tag is for DataError alone: a bug in such a cell is still a bug."""
    path = write_notebook("# T", "1 / 0", tags={1: "may-refuse"})
    with pytest.raises(CcanalyticsError, match="ZeroDivisionError"):
        runs.run(path, tiny_log, output=tmp_path / "r.html")


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"parameters": ["shar=1"]}, InputError, "no such parameter"),
        ({"parameters": ["goal=80%"]}, InputError, "does not fit"),
        ({"log": "missing.duckdb"}, LogError, "no call log"),
        ({"log": "."}, LogError, "folder"),
        ({"output": "report.pdf"}, InputError, "HTML"),
        ({"output": "file.txt/report.html"}, InputError, "directory"),
        ({"notebook": "no such"}, InputError, "no notebook of this name"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(
    tiny_log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict,
    kind: type,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("", encoding="utf-8")
    waits = Path(__file__).parent / "fixtures" / "waits.ipynb"
    usual = {"notebook": waits, "log": tiny_log, "output": tmp_path / "r.html"}
    told: list[str] = []
    with pytest.raises(kind, match=words):
        runs.run(**(usual | arguments), progress=lambda *step: told.append(step[2]))
    assert "starting Python" not in told
    assert not list(tmp_path.glob("*.html"))


def test_reports_go_to_reports_by_default(
    write_notebook, tiny_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a run inside a virtual environment with an awkward path works as anywhere."""
    place = tmp_path / "my 路径"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    (site,) = (place / "venv").glob("**/site-packages")
    package = Path(errors.__file__).parents[1]
    paths = [str(package), *(p for p in sys.path if p.endswith("site-packages"))]
    (site / "borrowed.pth").write_text("\n".join(paths), encoding="utf-8")
    path = write_notebook("# Where", "import sys\nprint(sys.executable)", name="where")
    code = "import sys; from ccanalytics.runs import run; print(run(*sys.argv[1:]).output)"
    done = subprocess.run(
        [python, "-c", code, path, tiny_log],
        cwd=place,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = Path(done.stdout.strip())
    assert report == (place / "reports" / "where.html").resolve()
    assert str(python.parent) in report.read_text(encoding="utf-8")


def test_the_fingerprint_is_that_of_what_was_loaded(tiny_log: Path, tmp_path: Path) -> None:
    """A copy, or the same files loaded elsewhere, is the same log; the file's bytes are not."""
    from ccanalytics.runs.provenance import fingerprint

    again = tmp_path / "again.duckdb"
    log = CallLog(again, time_zone="Europe/London")
    log.load(tiny_log.parent / "calls.csv", source="ccanalytics")
    assert again.read_bytes() != tiny_log.read_bytes()
    assert fingerprint(again) == fingerprint(tiny_log)
    more = tmp_path / "calls.csv"
    more.write_text("arrived_at,outcome\n2025-03-04T09:00:00Z,abandoned\n", encoding="utf-8")
    log.load(more, source="ccanalytics")
    assert fingerprint(again) != fingerprint(tiny_log)


def test_a_refused_answer_ends_all_but_the_last_section(
    write_notebook, tiny_log: Path, tmp_path: Path
) -> None:
    refuse = "from ccanalytics.errors import DataError\nraise DataError('there is nothing to tell')"
    cells = ("# Q", "## One", refuse, "## Two", "print(unknown)", "### Three", "print(unknown)")
    path = write_notebook(*cells, "## Limits", "print('the limits')", tags={2: "may-end"})
    done = runs.run(path, tiny_log, output=tmp_path / "r.html")
    html = done.output.read_text(encoding="utf-8")
    assert "There is nothing to tell." in html
    assert "the limits" in html
    assert "Two</h2>" not in html
    assert "Three" not in html
    # With may-refuse the next section runs, and here it needs what was refused.
    path = write_notebook(*cells, tags={2: "may-refuse"}, name="m")
    with pytest.raises(CcanalyticsError, match="section 'Two'"):
        runs.run(path, tiny_log, output=tmp_path / "m.html")
