"""The notebook of sites, tiers and clients, and the answer behind it: with all keys and without."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError
from ccanalytics.runs import run

GOAL = ServiceLevel(0.80, within=20)
FIRST = datetime(2025, 3, 3, 9, tzinfo=UTC)
CONTRACT = {"from_on": date(2025, 1, 1), "price": 3.0, "service_level": 0.8, "within_s": 20.0,
            "window_days": 30, "penalty": 0.1}  # fmt: skip


def calls(**columns):
    """Two Mondays of three hours with a call every 20 seconds, two sites, tiers and clients."""
    for day in (0, 7):
        for k in range(540):
            row = {"arrived_at": FIRST + timedelta(days=day, seconds=20 * k), "talk_s": 180.0,
                   "wait_s": 5.0 if k % 3 else 0.0, "site": "no<i>rth" if k % 3 else "south",
                   "tier": "gold" if k % 5 == 0 else "plain",
                   "client": "Alpha" if k % 2 else "Beta"}  # fmt: skip
            if k % 10 == 9:  # given up: the site is not known
                row |= {"outcome": "abandoned", "site": None, "talk_s": None}
            yield {name: value for name, value in row.items() if columns.get(name, True)}


def answer(log, **settings):
    recorded = log.columns_filled("calls")
    demands = {
        key: log.demand("30min", by=[key]) if key in recorded else None
        for key in ("site", "tier", "client")
    }
    days = {"time_zone": "UTC", "weekdays": "busiest"}
    return staffing.sharing(
        demands, log.table("contracts"), GOAL, days=days, **({"replications": 5} | settings)
    )


@pytest.fixture(scope="module")
def whole(make_log):
    rows = [{"client": client, **CONTRACT} for client in ("Alpha", "Beta")]
    return make_log(calls(), contracts=rows)


@pytest.mark.notebook
def test_it_answers_for_sites_tiers_and_clients(whole, tmp_path):
    done = run("sites", whole.path, {"replications": 5}, output=tmp_path / "r.html")
    found = answer(whole)
    assert done.answer == found.summary().split(". ")[0] + "."
    assert "the 2 sites would take" in done.answer
    assert done.charts == 8
    text = done.output.read_text(encoding="utf-8")
    assert "Traceback" not in text
    assert "<i>rth" not in text
    for part in ("gold", "Alpha", "shared seats", "10.0% of them have no site"):
        assert part in text or part in found.part("site_calls").summary()
    plans = found.part("sites").frame
    assert f"{plans['agent_hours_saved'][1]:,.0f} agent-hours" in done.answer
    assert found.part("clients").checks[0].status == "holds"


@pytest.mark.notebook
def test_it_says_what_the_log_lacks_and_answers_the_rest(make_log, tmp_path):
    log = make_log(calls(site=False, client=False))
    done = run("sites", log.path, {"replications": 5}, output=tmp_path / "r.html")
    assert "Answering gold first" in done.answer
    text = done.output.read_text(encoding="utf-8")
    assert text.count('class="result refusal"') == 3
    assert "the log does not say at which site calls were answered" in text
    assert "the log does not say whose customers the callers are" in text
    assert "Limits of this answer" in text
    assert done.charts == 3


def test_parts_are_missing_with_their_reason(make_log):
    bare = answer(make_log(calls(site=False, tier=False, client=False)))
    assert bare.parts == {}
    assert not bare.to_frame()["known"].any()
    with pytest.raises(DataError, match="which tier callers belong to"):
        bare.part("tiers")
    assert bare.summary().startswith("Of sites nothing can be said")
    unsigned = answer(make_log(calls(site=False, tier=False)))
    assert "no contracts" in unsigned.missing["clients"]
    odd = [{"client": client, **CONTRACT} for client in ("Alpha", "Gamma")]
    half = answer(make_log(calls(site=False, tier=False), contracts=odd))
    assert "'Beta'" in half.missing["clients"]
    mad = [{"client": c, **CONTRACT, "service_level": 1.0} for c in ("Alpha", "Beta")]
    wrong = answer(make_log(calls(site=False, tier=False), contracts=mad))
    assert "every single call" in wrong.missing["clients"]


def test_tiers_and_groups_are_taken_as_asked(whole):
    found = answer(whole, tiers="plain", groups={"no<i>rth": "a", "south": "b"})
    assert found.part("tiers").by_agents["tier"][0] == "plain"
    assert found.part("merging").frame.height == 1
    with pytest.raises(InputError, match=r"no such tier.*'silver'"):
        answer(whole, tiers="silver")
    with pytest.raises(InputError, match="cannot be read"):
        staffing.read_groups("south")
    assert staffing.read_groups("  ") is None
    with pytest.raises(InputError, match="read from text"):
        staffing.read_groups(None)
