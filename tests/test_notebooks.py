"""Notebooks: their form, and what they say on a real or a made-up log."""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ccanalytics import CallLog, Queue, ServiceLevel, staffing
from ccanalytics.errors import DataError
from ccanalytics.queueing import MenuQueue
from ccanalytics.runs import run

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def _cells(path: Path, kind: str) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def test_they_are_there() -> None:
    known = {
        "bulletin", "coverage", "deflection", "handle_time", "quality", "reminders", "seats",
        "sites", "traffic", "training", "trunks",
    }  # fmt: skip
    assert {p.stem for p in NOTEBOOKS} >= known


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_notebook_is_clean(path: Path) -> None:
    for cell in _cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        tree = ast.parse("".join(cell["source"]))
        defined = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        assert defined == []
        assert "SELECT " not in "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_notebook_has_one_title_one_parameters_cell_and_its_limits(path: Path) -> None:
    text = ["".join(cell["source"]) for cell in _cells(path, "markdown")]
    headings = [line for block in text for line in block.splitlines() if line.startswith("#")]
    assert sum(line.startswith("# ") for line in headings) == 1
    assert "limit" in [line for line in headings if line.startswith("## ")][-1].lower()
    tagged = [c for c in _cells(path, "code") if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    tree = ast.parse("".join(tagged[0]["source"]))
    assert all(isinstance(node, (ast.Assign, ast.AnnAssign)) for node in tree.body)
    for node in tree.body:
        ast.literal_eval(node.value)


class _Table(HTMLParser):
    """Cells of the first table whose head names a column."""

    def __init__(self, head: str) -> None:
        super().__init__()
        self._head, self._row, self._rows, self._text = head, [], [], None
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "table":
            self._rows = []
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._row.append(self._text)
            self._text = None
        elif tag == "tr":
            self._rows.append(self._row)
        elif tag == "table" and not self.rows and self._head in self._rows[0]:
            self.rows = self._rows


def _column(path: Path, head: str, *, by: str) -> dict[str, str]:
    table = _Table(head)
    table.feed(path.read_text(encoding="utf-8"))
    names = table.rows[0]
    return {row[names.index(by)]: row[names.index(head)] for row in table.rows[1:]}


# T. W. Miller, Modeling Techniques in Predictive Analytics, ch. 6: agents by hour, Wednesdays of
# February 1999, 15 calls an hour per agent, at most half of the callers wait.
MILLER = [1, 1, 1, 0, 1, 1, 1, 4, 8, 9, 10, 9, 8, 16, 10, 10, 6, 7, 8, 8, 6, 6, 5, 4]


@pytest.mark.real
@pytest.mark.notebook
def test_seats_gives_the_published_example_and_names_the_day_it_hides(bank_log, tmp_path) -> None:
    done = run(
        "seats",
        bank_log.path,
        {
            "start": "1999-02-01",
            "end": "1999-03-01",
            "every": "1h",
            "weekday": 3,
            "share": 0.5,
            "within": 0,
            "aht_s": 240,
            "calls": "arrived",
            "shrinkage": "0",
            "output": str(tmp_path / "seats.csv"),
        },
        output=tmp_path / "seats.html",
    )
    agents = _column(done.output, "Required agents", by="Interval")
    assert [int(agents[f"{hour:02d}:00"]) for hour in range(24)] == MILLER
    for part in ("50% answered", "16 agents", "from 13:00", "3 February 1999", "shifts cost"):
        assert part in done.answer
    text = done.output.read_text(encoding="utf-8")
    assert text.count("494 calls") >= 3  # the headline, the answer, the shift cover
    with (tmp_path / "seats.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [int(row["Required agents"]) for row in csv.DictReader(file)] == MILLER
    assert _column(done.output, "Required without that day", by="Interval") == {"13:00": "9"}


@pytest.mark.real
@pytest.mark.notebook
def test_seats_leaves_out_days_that_were_closed_or_named(bank_log, tmp_path) -> None:
    """The bank has no call on 11 January 1999; its Mondays are otherwise busy."""
    asked = {"start": "1999-01-01", "end": "1999-02-01", "weekday": 1, "every": "1h"}
    asked |= {"exclude": "1999-01-18", "shrinkage": "0"}
    done = run("seats", bank_log.path, asked, output=tmp_path / "seats.html")
    text = done.output.read_text(encoding="utf-8")
    assert "1 day (11 Jan 1999): taken as closed" in text
    assert "1 day as asked: 18 Jan 1999" in text
    assert "2 days from 4 January 1999 to 25 January 1999" in text
    # The bank never recorded after-call work: seats are a lower bound, said first.
    assert "at least" in done.answer
    assert "lower bound" in text


@pytest.mark.notebook
def test_seats_plans_proves_and_looks_ahead(make_log, tmp_path) -> None:
    """Four weeks of which every half-hour from 9 to 12 has the same 40 calls of three minutes."""
    first = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        {
            "arrived_at": first + timedelta(days=day, seconds=45 * call),
            "customer": f"c{call}",
            "wait_s": 1.0,
            "talk_s": 160.0,
            "wrap_s": 20.0,
        }
        for day in range(28)
        for call in range(240)
    )
    asked = {
        "opens": "09:00",
        "closes": "12:00",
        "patience": "120",
        "shrinkage": "breaks 10% paid, leave 20% paid",
        "absence": 0.1,
        "cost_per_hour": 10,
        "weeks_ahead": 1,
        "growth": 0.5,
        "replications": 50,
    }
    done = run("seats", log.path, asked, output=tmp_path / "seats.html")
    queue = Queue(calls=40, per=1800, aht=180, patience=120)
    need = queue.agents_for(ServiceLevel(0.80, within=20))
    seated = _column(done.output, "Required agents", by="Interval")
    assert {int(agents) for agents in seated.values()} == {need}
    assert list(seated) == ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    # 30% of paid time is lost; of those who then remain one in ten does not turn up.
    scheduled = staffing.people_for(staffing.scheduled(need, 0.30), absence=0.10)
    assert {int(n) for n in _column(done.output, "Scheduled agents", by="Interval").values()} == {
        scheduled
    }
    costs = _column(done.output, "Cost", by="Goal")
    assert costs["80.0%"].replace(",", "") == f"{3 * scheduled * 10}"
    text = done.output.read_text(encoding="utf-8")
    assert "The choice of method does not matter here" in text
    assert "50 simulated days" in text
    # Nobody gave up and no wait is longer than a second: the report says so, and goes on.
    assert "How long callers would wait is unknown: too few callers gave up" in text
    # 7 days of 240 calls, half as many again.
    assert "Plain forecast, 31 March 2025 to 6 April 2025: 2,520 calls, 360 a day" in text


@pytest.mark.notebook
def test_seats_plans_with_the_patience_of_the_log(make_log, tmp_path) -> None:
    """Two weeks of mornings in which a quarter gave up, half of whom call again within a minute."""
    first = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        {
            "arrived_at": first + timedelta(days=day, seconds=60 * call),
            "customer": f"{day}-{call // 2 if call % 8 < 4 else -call}",
            "agent": f"a{call % 6}",
            "wait_s": float(1 + (7 * call + 13 * day) % 90),
            **({"outcome": "abandoned"} if call % 4 == 0 else {"talk_s": 160.0, "wrap_s": 20.0}),
        }
        for day in range(14)
        for call in range(120)
    )
    asked = {"opens": "09:00", "closes": "11:00", "every": "1h", "patience": "log"}
    done = run("seats", log.path, asked | {"replications": 20}, output=tmp_path / "log.html")
    text = done.output.read_text(encoding="utf-8")
    law = staffing.callers(log.waits()).law("log")
    need = Queue(calls=60, per=3600, aht=180, patience=law).agents_for(ServiceLevel(0.80, 20))
    seated = _column(done.output, "Required agents", by="Interval")
    assert {int(agents) for agents in seated.values()} == {need}
    assert "callers as patient as this log shows (M/M/n+G)" in text
    assert "patience as callers of the log show it" in text
    assert "Within 1 h, 50% of known customers who gave up call again" in text
    assert "Present is inferred from calls" in text


@pytest.mark.notebook
def test_trunks_plans_lines_ports_and_agents(make_log, tmp_path) -> None:
    """Nine Mondays' mornings: 300 calls an hour, a minute in the menu, 7 of 10 to an agent."""
    first = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        (
            {
                "arrived_at": first + timedelta(days=7 * week, seconds=12 * call),
                "line_group": "north" if call % 3 else "south",
                "line": f"l{call % 40}",
                "menu_s": 60.0,
                **({"wait_s": 0.0, "talk_s": 180.0} if call % 10 < 7 else {"outcome": "contained"}),
            }
            for week in range(9)
            for call in range(600)
        ),
        customers=[{"customer": f"c{k}", "joined_on": "2024-01-01"} for k in range(500)],
    )
    asked = {
        "opens": "09:00", "closes": "11:00", "every": "1h", "weekday": 1, "agents": 14,
        "group_lines": "north 12, south 6", "months_ahead": 2, "replications": 20,
        "growth": 0.5, "shrinkage": "0",
    }  # fmt: skip
    done = run("trunks", log.path, asked, output=tmp_path / "trunks.html")
    lines = MenuQueue(300, 3600, menu=60, to_agent=0.7, aht=180).lines_for(14, 0.01)
    assert f"{lines} lines" in done.answer
    assert "14 agents" in done.answer
    text = done.output.read_text(encoding="utf-8")
    # Every 12 seconds a call; 7 of 10 hold a line for 240 s, the rest for 60 s.
    assert "15.5 erlangs" in text
    assert "spend 60.0 s in the voice menu on average, and 70.0% go on to an agent" in text
    groups = _column(done.output, "Lines by itself", by="Line group")
    assert list(groups) == ["north", "south"]
    months = _column(done.output, "Subscribers", by="Month")
    assert list(months.values()) == ["500", "750"]
    # No month of the log is whole: neither a rate by month nor seasons.
    assert "How often subscribers call is unknown: the log holds no whole month" in text
    assert "Seasons cannot be measured" in text


@pytest.mark.real
@pytest.mark.notebook
def test_trunks_says_that_the_lines_of_the_bank_cannot_be_known(bank_log, tmp_path) -> None:
    asked = {
        "start": "1999-02-01", "end": "1999-03-01", "normal_days": "7 1 2 3 4", "every": "1h",
        "opens": "07:00", "patience": "log", "replications": 20,
    }  # fmt: skip
    done = run("trunks", bank_log.path, asked, output=tmp_path / "trunks.html")
    text = done.output.read_text(encoding="utf-8")
    assert "the total number of lines cannot be known" in text
    assert "At least 28 lines were in use at once" in text
    assert "give the number of subscribers" in text


@pytest.mark.notebook
def test_seats_plans_from_counts_of_intervals_alone(make_log, tmp_path) -> None:
    """A switch that tells no single call tells enough for seats; what callers do is unknown."""
    first = datetime(2025, 3, 3, 9, tzinfo=UTC)
    counts = [
        {
            "queue": "sales",
            "media": "voice",
            "started_at": first + timedelta(days=day, minutes=30 * i),
            "interval_s": 1800.0,
            "offered": 40,
            "answered": 40,
            "talk_s": 40 * 160.0,
            "wrap_s": 40 * 20.0,
        }
        for day in range(14)
        for i in range(6)
    ]
    asked = {"opens": "09:00", "closes": "12:00", "replications": 20}
    log = make_log(interval_counts=counts)
    done = run("seats", log.path, asked, output=tmp_path / "counts.html")
    need = Queue(calls=40, per=1800, aht=180).agents_for(ServiceLevel(0.80, within=20))
    seated = _column(done.output, "Required agents", by="Interval")
    assert {int(agents) for agents in seated.values()} == {need}
    assert list(seated) == ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    text = done.output.read_text(encoding="utf-8")
    assert "How long callers would wait is unknown: no waits of single calls were given" in text
    assert "never recorded after-call work" not in text


def test_counts_without_handle_times_are_no_plan_without_one(make_log) -> None:
    """The report of such a log stops here, with the remedy."""
    first = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        interval_counts=[
            {
                "queue": "sales",
                "media": "voice",
                "started_at": first + timedelta(days=day),
                "interval_s": 1800.0,
                "offered": 40,
            }
            for day in range(14)
        ]
    )
    with pytest.raises(DataError, match="give aht_s in seconds"):
        staffing.typical_day(log.demand("30min"), time_zone="UTC", recorded=())
    day = staffing.typical_day(log.demand("30min"), time_zone="UTC", aht_s=180)
    assert day.demand["calls"].max() == 40


@pytest.mark.real
@pytest.mark.notebook
def test_traffic_tells_the_facts_of_february(bank_log, tmp_path) -> None:
    where = {"start": "1999-02-01", "end": "1999-03-01"}
    done = run("traffic", bank_log.path, where, output=tmp_path / "traffic.html")
    values = _column(done.output, "Value", by="Measure")
    assert values["Offered"] == "31,094"
    assert values["Abandoned"] == "3,932"
    assert values["Abandonment"] == "12.6%"
    assert values["Mean wait"] == "44.0 s"


@pytest.mark.notebook
def test_the_committed_sample_tells_its_own_totals(tmp_path) -> None:
    """The extract in data/sample, counted here line by line and by the traffic report."""
    folder = Path(__file__).parents[1] / "data" / "sample"
    with (folder / "calls_2024-03.csv").open(encoding="utf-8", newline="") as file:
        outcomes = Counter(row["outcome"] for row in csv.DictReader(file))
    log = CallLog(tmp_path / "sample.duckdb")
    log.load(folder, source="ccanalytics")
    done = run("traffic", log.path, output=tmp_path / "traffic.html")
    values = _column(done.output, "Value", by="Measure")
    assert values["Answered"] == f"{outcomes['answered']:,}"
    assert values["Abandoned"] == f"{outcomes['abandoned']:,}"
    assert values["Arrived"] == f"{outcomes.total():,}"
