"""The queue run again: what truth.json says of it is known to 2%, and a plain average agrees."""

from __future__ import annotations

import json
import os
from datetime import date

import numpy as np
import pytest

from ccanalytics import simulation
from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample import build as build_module
from ccanalytics.simulation.sample import replays
from ccanalytics.simulation.sample.luck import Evenly
from ccanalytics.simulation.sample.needs import follow_up_s, patience_s, redials
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, REDIAL, Requests, serve
from ccanalytics.simulation.sample.queue_effects import MEASURES, effects_of, runs_wanted
from ccanalytics.simulation.sample.queue_truth import WORLDS
from ccanalytics.simulation.sample.records import handling, requests_of
from ccanalytics.simulation.sample.replays import Replays, counted
from ccanalytics.simulation.sample.worlds import make_world

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
P = CentreParameters()
WEEKS, DAYS = 13, 91
DRAWS = 100 if FULL else 40
RATIOS = {"abandoned_share": "abandoned", "in_time_share": "in_time", "mean_wait_s": "wait_s"}


def doubtful(part, path="truth"):
    """Every number of a truth that has an error beside it: path, value, error, why it is null."""
    if isinstance(part, list):
        for place, each in enumerate(part):
            yield from doubtful(each, f"{path}[{place}]")
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if f"{name}_error" in part:
            why = part.get("unknown", {}).get(name)
            yield f"{path}.{name}", value, part[f"{name}_error"], why
        yield from doubtful(value, f"{path}.{name}")


def assert_known(truth):
    found = list(doubtful(truth["offered"])) + list(doubtful(truth["people"]))
    assert len(found) > 200
    for path, value, error, why in found:
        if value is None:
            assert why["reason"], path
            assert why["at_most"] >= 3 * error > 0, path
        else:
            assert why is None, path
            assert 0 <= error <= 0.02 * abs(value), path
    return found


def test_every_effect_is_known_to_two_percent_or_null_with_its_reason(sample):
    found = assert_known(sample.truth)
    known = {path for path, value, *_ in found if value is not None}
    assert len(known) > 150
    channels = ("sms_before_call", "web", "sms_before_call_and_web")
    for name in ("offered", "offered_share", "answered", "agent_s"):
        assert known >= {f"truth.removed.{cause}.{name}" for cause in channels}


def test_a_few_runs_that_agree_by_luck_do_not_make_it_certain():
    log = np.tile(np.array([1000, 900, 50, 50, 950, 10**5, 800, 9000])[:, None], (2, 1, 30))
    there = log.copy()
    there[:, 0, 4] += 5  # five more offered in both runs, no spread
    value, error = effects_of(log, there)["offered"]
    assert value == -5
    assert error > 0.02 * 5
    assert effects_of(log, log)["offered"] == (0, 0)


@pytest.mark.parametrize(("weeks", "scale", "seed"), [(4, 0.02, 3), (6, 0.06, 4), (1, 0.002, 5)])
def test_so_it_is_whatever_the_size(make_sample, weeks, scale, seed):
    assert_known(make_sample(weeks=weeks, scale=scale, seed=seed, runs=8).truth)


@pytest.mark.skipif(not FULL, reason="the whole centre takes minutes (CCANALYTICS_FULL=1)")
def test_so_it_is_of_the_whole_centre(tmp_path):
    simulation.write_centre(tmp_path / "whole", weeks=78, scale=1, form="parquet")
    truth = json.loads((tmp_path / "whole" / "truth.json").read_text(encoding="utf-8"))
    found = {path: value for path, value, *_ in assert_known(truth)}
    for cause in ("sms_before_call", "web", "sms_before_call_and_web"):
        for name in ("offered", "answered", "abandoned", "redials", "agent_s", "mean_wait_s"):
            assert found[f"truth.removed.{cause}.{name}"] is not None, (cause, name)
    for world in ("none", "without_differences", "without_learning"):
        for name in ("abandoned_share", "in_time_share", "mean_wait_s"):
            assert found[f"truth.queue.{world}.effect.{name}"] is not None, (world, name)


@pytest.fixture(scope="module")
def centre():
    """Requests and floors of the log's world, of one without the web and one of equal agents."""
    built, needs, attempts = watched(WEEKS, 0.03, 6)

    def asked(**missing):
        world = make_world(P, needs, built.go_live, DAYS * 86_400, **missing)
        work = handling(P, needs, world, built.go_live)
        return requests_of(P, built.traits, needs, world, work)[1]

    crew, programme, floor = built.people.crew, built.people.programme, built.people.floor
    alike = floor.paced(P, crew, programme, WORLDS["without_differences"])
    log = asked()
    worlds = {"log": (log, floor), "web": (asked(web=False), floor), "differences": (log, alike)}
    return built, needs, attempts, worlds


def watched(weeks, scale, seed):
    """A centre with what it lets go of on the way: its needs, and the log's attempts."""
    seen = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("draw_needs", "serve"):
            true = getattr(build_module, name)

            def note(*args, _name=name, _true=true, **named):
                seen[_name] = _true(*args, **named)
                return seen[_name]

            patch.setattr(build_module, name, note)
        built = build_module.build(P, date(2024, 1, 1), weeks, scale, seed)
    return built, seen["draw_needs"], seen["serve"]


@pytest.fixture(scope="module")
def plain(centre):
    """Worlds' totals by draws that share no code with the runs but the pool's own pass.

    Each caller has luck of its own, by need, and the log is served in one piece.
    """
    _, needs, _, worlds = centre
    totals = {name: [] for name in worlds}
    for draw in range(DRAWS):
        rng = np.random.default_rng([77, draw])
        size = needs.size
        luck = {
            "patience_s": patience_s(P, size, rng),
            "redials": redials(P.redial, size, rng),
            "follow_up_s": follow_up_s(P, size, rng),
        }
        for name, (asked, floor) in worlds.items():
            own = {each: values[asked.key // 2] for each, values in luck.items()}
            attempts = serve(
                P,
                Requests(**{**vars(asked), **own}),
                floor,
                DAYS * 86_400,
                np.random.default_rng([78, draw]),
            )
            on = attempts.entry < DAYS * 86_400
            kind, wait = attempts.kind[on], attempts.wait_s[on]
            answered = attempts.shift[on] >= 0
            totals[name].append(
                {
                    "offered": kind.size,
                    "answered": answered.sum(),
                    "abandoned": (~answered).sum(),
                    "redials": ((kind == REDIAL) | (kind == FOLLOW_UP + 1)).sum(),
                    "agent_s": attempts.handle_s[on].sum(),
                    "in_time": (answered & (wait <= P.goal_within_s)).sum(),
                    "wait_s": wait.sum(),
                }
            )
    return {
        name: {each: np.array([total[each] for total in many], float) for each in many[0]}
        for name, many in totals.items()
    }


def plain_effect(plain, cause, name):
    """Mean of the log less the world without the cause, and its standard error."""
    if name in RATIOS:
        values = [plain[each][RATIOS[name]] / plain[each]["offered"] for each in ("log", cause)]
    else:
        values = [plain[each][name] for each in ("log", cause)]
    gone = values[0] - values[1]
    return gone.mean(), gone.std(ddof=1) / DRAWS**0.5


def test_a_plain_average_over_many_draws_agrees(centre, plain):
    *_, worlds = centre
    runs = Replays(P, *worlds["log"], DAYS, seed=6)
    runs.most_runs = 8
    for cause in ("web", "differences"):
        there, log = runs.compare(*worlds[cause])
        found = effects_of(log, there)
        for name in ("offered", "answered", "abandoned", "redials", "agent_s", *RATIOS):
            value, error = found[name]
            mean, own_error = plain_effect(plain, cause, name)
            assert cause != "web" or abs(mean) > 4 * own_error, name
            assert value == pytest.approx(mean, abs=4 * np.hypot(error, own_error)), (cause, name)


def test_errors_are_as_large_as_they_say(centre, plain):
    """Of many truths with other luck, each in its own standard errors from the plain average."""
    *_, worlds = centre
    far = {name: [] for name in ("offered", "abandoned", "redials", "agent_s", *RATIOS)}
    repeats = 60 if FULL else 20
    for seed in range(repeats):
        runs = Replays(P, *worlds["log"], DAYS, seed=seed + 100)
        runs.most_runs = 2
        for cause in ("web", "differences"):
            there, log = runs.compare(*worlds[cause])
            found = effects_of(log, there)
            for name, those in far.items():
                mean, own_error = plain_effect(plain, cause, name)
                value, error = found[name]
                those.append((value - mean) / np.hypot(error, own_error))
    for name, those in far.items():
        # Two causes share luck: about ``repeats`` independent ones.
        assert 0.6 < np.sqrt(np.mean(np.square(those))) < 1.5, name


def test_the_worlds_average_is_the_logs_own_law(centre):
    built, *_, worlds = centre
    here = built.offered["log_again"]
    assert here["runs"] >= 2
    for name in ("offered", "answered", "agent_s", "follow_up_calls"):
        assert built.offered["log"][name] == pytest.approx(here[name], rel=0.03), name
    assert here["requests"] == worlds["log"][0].entry.size


def test_parts_that_are_run_apart_make_up_the_whole(centre, monkeypatch):
    *_, worlds = centre
    asked, floor = worlds["log"]
    sums = []
    for block in (10_000, 10**9):
        monkeypatch.setattr(replays, "_BLOCK", block)
        there, log = Replays(P, asked, floor, DAYS, seed=1).compare(asked, floor)
        assert (there == log).all()  # the same luck in the same world
        sums.append(log.sum(axis=(0, 2)))
    monkeypatch.undo()
    of = dict(zip(MEASURES, zip(*sums, strict=True), strict=True))
    assert of["requests"][0] == of["requests"][1]
    # Only a caller who has been trying since the day before yesterday is lost.
    for name in ("offered", "answered", "redials", "follow_up_calls", "agent_s", "wait_s"):
        assert of[name][0] == pytest.approx(of[name][1], rel=0.002), name


def test_attempts_are_counted_once_and_on_their_day(centre):
    _, _, attempts, _ = centre
    daily = dict(zip(MEASURES, counted(P, attempts, 7, 14), strict=True))
    day = attempts.entry // 86_400
    on = (day >= 7) & (day < 21)
    answered, kind = attempts.shift >= 0, attempts.kind
    for name, which in {
        "offered": on,
        "requests": on & (kind == FIRST),
        "follow_up_calls": on & (kind == FOLLOW_UP),
        "redials": on & (kind & REDIAL > 0),
        "answered": on & answered,
        "in_time": on & answered & (attempts.wait_s <= P.goal_within_s),
    }.items():
        expected = np.bincount(day[which] - 7, minlength=14)
        assert (daily[name] == expected).all(), name
    assert daily["wait_s"].sum() == attempts.wait_s[on].sum()
    assert daily["agent_s"].sum() == attempts.handle_s[on].sum()


def test_runs_stop_when_all_that_can_be_known_is_known():
    rng = np.random.default_rng(1)

    def worlds(runs, noise, gone=200):
        log = np.tile(np.array([1000, 900, 50, 50, 950, 10**5, 800, 9000])[:, None], (runs, 1, 30))
        there = log + (rng.normal(0, noise, (runs, 1, 30))).astype(int)
        there[:, 0] += gone
        return there, log

    assert runs_wanted(*worlds(2, 0), most=8) == 2
    assert 2 < runs_wanted(*worlds(2, 60), most=8) <= 8
    assert runs_wanted(*worlds(2, 10_000), most=8) == 2  # hopeless: nothing is gained by more


def test_a_cause_that_is_not_at_work_has_no_effect_at_all(make_sample):
    off = CentreParameters(course_pace=0.0, assist_offer=0.0)
    truth = make_sample(weeks=4, scale=0.02, seed=3, parameters=off).truth
    effect = truth["people"]["queue"]["without_course"]["effect"]
    assert effect["abandoned_share"] == effect["mean_wait_s_error"] == 0
    assert truth["offered"]["removed"]["sms_during_call"]["offered"] == 0


def test_without_a_compiler_a_long_log_tells_nothing_of_the_queue(make_sample, monkeypatch):
    """Plain Python would take hours: null with the reason, and all else is written."""
    monkeypatch.setattr(replays, "COMPILES", False)
    monkeypatch.setattr(replays, "_MOST_INTERPRETED", 1000)
    truth = make_sample(weeks=4, scale=0.02, seed=3).truth
    told = list(truth["offered"]["removed"].values())
    told += [each["effect"] for each in truth["people"]["queue"].values() if "effect" in each]
    assert len(told) == 11
    for effect in told:
        for name, unknown in effect["unknown"].items():
            assert effect[name] is None
            assert "simulation" in unknown["reason"]
    assert truth["offered"]["log"]["offered"] > 1000


def test_tables_of_luck_have_the_mean_of_their_law():
    even = Evenly(np.random.default_rng(3))
    size = 100_000
    assert even.random(size).mean() == pytest.approx(0.5, abs=1e-9)
    assert even.standard_normal(size).std() == pytest.approx(1, abs=1e-3)
    assert even.standard_exponential(size).mean() == pytest.approx(1, abs=1e-4)
    assert (redials(P.redial, size, even) > 0).mean() == pytest.approx(P.redial, abs=1e-5)
    assert (follow_up_s(P, size, even) > 0).mean() == pytest.approx(P.follow_up, abs=1e-5)
    one, other = even.random(size), even.random(size)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
