"""Episodes of contacts and what self-service led to, against plain counting."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import InputError
from ccanalytics.schema import OUTCOMES

BEGIN = datetime(2025, 3, 3, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OFFERED = ("answered", "abandoned", "overflowed", "call_back")
STEP = 6 * 3600  # a coarse grid, so that ties and exact windows happen
AGENT = ("agent", "assisted")

moments = st.integers(0, 4 * 20).map(lambda n: BEGIN + timedelta(seconds=STEP * n))
customers = st.sampled_from([None, "a", "b", "c"])
calls = st.fixed_dictionaries(
    {
        "arrived_at": moments,
        "customer": customers,
        "service": st.sampled_from([None, "S1", "S2"]),
        "outcome": st.sampled_from(list(OUTCOMES)),
        "talk_s": st.sampled_from([60, 100, 200]),
    }
)
events = st.fixed_dictionaries(
    {
        "at": moments,
        "customer": customers,
        "service": st.sampled_from(["S1", "S2"]),
        "channel": st.sampled_from(["sms", "web"]),
        "stage": st.sampled_from(["before_call", "during_call", "own_initiative"]),
        "accepted": st.sampled_from([True, True, False]),
        "completed": st.sampled_from([None, True, True, False]),
        "call_id": st.sampled_from([None, "c0", "c1", "c2"]),
    }
)


def same(contact):
    return contact["customer"], contact["service"]


def recount(kept, happened, window, lookback):
    """Every figure of episodes(), one contact at a time."""
    begin, last = (f(c["arrived_at"] for c in kept) for f in (min, max))
    out = defaultdict(Counter)
    uses = [
        {**e, "place": (e["channel"], e["stage"]), "t": e["at"], "id": e["event_id"]}
        for e in happened
        if e["accepted"] and e["stage"] != "during_call" and e["customer"] is not None
    ] + [
        {
            **c,
            "place": ("menu", "own_initiative"),
            "t": c["arrived_at"],
            "completed": c["outcome"] == "contained",
            "id": "",
        }
        for c in kept
        if c["outcome"] in ("contained", "left_menu") and c["customer"] is not None
    ]
    asks = [
        {**c, "place": AGENT, "t": c["arrived_at"], "id": c["call_id"], "completed": None}
        for c in kept
        if c["outcome"] in OFFERED and c["customer"] is not None
    ]
    chains = defaultdict(list)
    for contact in sorted(uses + asks, key=lambda c: (c["t"], c["place"] == AGENT, c["id"])):
        chains[same(contact)].append(contact)
    for chain in chains.values():
        episodes = []
        for contact in chain:
            if not episodes or contact["t"] - episodes[-1][-1]["t"] > window:
                episodes.append([])
            episodes[-1].append(contact)
        for one in episodes:
            if one[0]["t"] - window < begin or one[-1]["t"] + window > last:
                continue
            asked = [c for c in one if c["place"] == AGENT]
            out[*one[0]["place"], one[0]["service"]].update(
                episodes=1,
                settled=not asked and any(c["completed"] for c in one),
                reached=bool(asked),
                contacts=len(one),
                requests=len(asked),
                agent_s=sum(c["talk_s"] for c in asked if c["outcome"] == "answered"),
            )
    for e in happened:
        if e["accepted"]:
            place = (e["channel"], e["stage"], e["service"])
            out[place].update(taken_up=1, unknown=e["customer"] is None)
    change = defaultdict(Counter)
    for use in uses:
        place = (*use["place"], use["service"])
        mine = [c["t"] for c in asks if same(c) == same(use)]
        if use["t"] - window >= begin and use["t"] + window <= last:
            before = any(use["t"] - window <= t < use["t"] for t in mine)
            after = any(use["t"] <= t <= use["t"] + window for t in mine)
            out[place].update(watched=1, asked_before=before, asked_after=after)
            change[*place, use["customer"]].update(n=1, x=after - before)
        if use["completed"] and use["t"] - lookback >= begin:
            order = [(u["t"], *u["place"], u["id"]) for u in uses if same(u) == same(use)]
            earlier = [o for o in order if o < (use["t"], *use["place"], use["id"])]
            recent = bool(earlier) and use["t"] - max(earlier)[0] <= lookback
            elsewhere = recent and max(earlier)[1:3] != use["place"]
            out[place].update(looked_back=1, used_before=recent, from_elsewhere=elsewhere)
    for (*place, _), c in change.items():
        out[tuple(place)].update(
            change_nn=c["n"] ** 2, change_xn=c["n"] * c["x"], change_xx=c["x"] ** 2
        )
    answered = [c for c in kept if c["outcome"] == "answered"]
    handled = defaultdict(list)
    for chain in chains.values():
        relevant = [
            c
            for c in chain
            if c["completed"] is False or (c["place"] == AGENT and c["outcome"] == "answered")
        ]
        for i, call in enumerate(relevant):
            before = relevant[i - 1] if i else None
            follows = call["place"] == AGENT and before and before["place"] != AGENT
            if follows and call["t"] - before["t"] <= window:
                handled[*before["place"], call["service"]].append(call["talk_s"])
    live = {}
    for use in uses:
        place = (*use["place"], use["service"])
        live[place] = min(live.get(place, use["t"]), use["t"])

    def summed(seconds, who, sign=1):
        return {
            who: sign * len(seconds),
            f"{who}_s": sign * sum(seconds),
            f"{who}_ss": sign * sum(s * s for s in seconds),
        }

    for place, since in live.items():
        every = [
            c["talk_s"] for c in answered if c["service"] == place[2] and c["arrived_at"] >= since
        ]
        if every and place[2] is not None:
            out[place].update(summed(handled[place], "touched"))
            out[place].update(summed(every, "others"))
            out[place].update(summed(handled[place], "others", -1))
    by_id = {c["call_id"]: c["talk_s"] for c in answered}
    for e in happened:
        if e["stage"] == "during_call" and e["call_id"] in by_id:
            who = "touched" if e["accepted"] else "others"
            out[e["channel"], e["stage"], e["service"]].update(summed([by_id[e["call_id"]]], who))
    return out


@settings(max_examples=5)
@given(st.lists(calls, min_size=20, max_size=50), st.lists(events, min_size=8, max_size=30))
def test_episodes_are_counted_one_by_one(make_log, rows, happened):
    log = make_log(rows, self_service=happened)
    frame = log.episodes(1, 3)
    kept = sorted(
        log.table("calls").rows(named=True), key=lambda c: (c["arrived_at"], c["call_id"])
    )
    expected = recount(kept, log.table("self_service").rows(named=True), DAY, 3 * DAY)
    figures = [c for c in frame.columns[3:] if c not in ("window_days", "lookback_days")]
    found = {
        (row["channel"], row["stage"], row["service"]): {n: row[n] for n in figures if row[n]}
        for row in frame.iter_rows(named=True)
    }
    plain = {place: {n: x for n, x in c.items() if x} for place, c in expected.items()}
    assert {p: f for p, f in found.items() if f} == {p: f for p, f in plain.items() if f}


def test_an_episode_by_hand(make_log):
    """A failed session and the call it led to are one episode; the next week's call another."""
    who = {"customer": "a", "service": "S1"}
    log = make_log(
        [
            {"arrived_at": BEGIN},
            who | {"arrived_at": BEGIN + 10 * DAY, "talk_s": 300},
            who | {"arrived_at": BEGIN + 20 * DAY, "talk_s": 100},
            {"arrived_at": BEGIN + 40 * DAY},
        ],
        self_service=[
            who | {"at": BEGIN + 9 * DAY, "channel": "web", "stage": "own_initiative",
                   "accepted": True, "completed": False},
        ],
    )  # fmt: skip
    frame = log.episodes(7)
    web = frame.filter(pl.col("channel") == "web").row(0, named=True)
    assert (web["episodes"], web["reached"], web["settled"], web["contacts"]) == (1, 1, 0, 2)
    assert (web["touched"], web["touched_s"], web["others"], web["others_s"]) == (1, 300, 1, 100)
    agent = frame.filter(pl.col("channel") == "agent").row(0, named=True)
    assert (agent["episodes"], agent["requests"], agent["agent_s"]) == (1, 1, 100)
    # Within thirty days all three are one, which the log cannot show: it began too near its start.
    assert log.episodes(30)["episodes"].sum() == 0


def test_a_log_without_self_service_has_no_episodes(make_log):
    empty = make_log([{"arrived_at": BEGIN}]).episodes()
    other = make_log(
        [{"arrived_at": BEGIN}],
        self_service=[{"at": BEGIN, "channel": "web", "stage": "own_initiative", "service": "S1"}],
    ).episodes()
    assert empty.height == 0
    assert empty.schema == other.schema


@pytest.mark.parametrize(
    "wrong", [{"window_days": 0}, {"lookback_days": 1.5}, {"where": {"queue": "x"}}]
)
def test_windows_that_cannot_be(make_log, wrong):
    log = make_log([{"arrived_at": BEGIN}])
    with pytest.raises(InputError, match=next(iter(wrong))):
        log.episodes(**wrong)
