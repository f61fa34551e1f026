"""Commands that need no log: agents and trunks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ccanalytics.cli.terminal import Json, app, emit
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import counted

__all__ = ["agents", "trunks"]


@app.command()
def agents(
    calls: Annotated[float, typer.Option(help="Calls in a period.")],
    aht: Annotated[float, typer.Option(help="Average handle time in seconds.")],
    per: Annotated[float, typer.Option(help="Length of the period in seconds.")] = 1800,
    share: Annotated[float, typer.Option(help="Service level wanted, 0-1.")] = 0.8,
    within: Annotated[float, typer.Option(help="Threshold of the wait in seconds.")] = 20,
    counting: Annotated[
        str,
        typer.Option(
            help="How abandoned calls are counted: offered, answered, abandoned_in_time, "
            "late_abandoned, short_as_served, short_excluded (both need --short) or virtual."
        ),
    ] = "offered",
    short: Annotated[float, typer.Option(help="Short-abandon threshold in seconds.")] = 0,
    patience: Annotated[
        float | None, typer.Option(help="Mean patience in seconds; default: endless (Erlang C).")
    ] = None,
    max_occupancy: Annotated[float | None, typer.Option(help="Cap on occupancy, 0-1.")] = None,
    shrinkage: Annotated[float, typer.Option(help="Share of paid time away, 0-1.")] = 0,
    as_json: Json = False,
) -> None:
    """Say how many agents meet a service level.

    Example: ccanalytics agents --calls 100 --per 1800 --aht 180 --share 0.8 --within 20
    """
    from ccanalytics.queueing import Queue
    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing import scheduled

    goal = ServiceLevel(share, within, counting, short)  # type: ignore[arg-type]
    queue = Queue(calls=calls, per=per, aht=aht, patience=patience)
    seated = queue.agents_for(goal, max_occupancy=max_occupancy)
    paid = scheduled(seated, shrinkage)
    inputs = {
        "calls": calls,
        "per_s": per,
        "aht_s": aht,
        "goal": goal.describe(),
        "patience_s": patience,
        "max_occupancy": max_occupancy,
        "shrinkage": shrinkage,
    }
    if seated == 0:
        figures: dict[str, Any] = {}
    else:
        p = queue.performance(seated)
        figures = {
            "service_level": p.service_level(goal),
            "asa_s": p.asa,
            "mean_wait_s": p.mean_wait,
            "wait_probability": p.wait_probability,
            "abandonment": p.abandonment,
            "occupancy": p.occupancy,
        }
    if as_json:
        emit({"inputs": inputs, "agents": seated, "scheduled": paid, **figures})
        return
    model = "Erlang C (endless patience)" if patience is None else "Erlang A (exponential patience)"
    print(f"{counted(seated, 'agent')} seated, {paid:,} scheduled at {shrinkage:.0%} shrinkage.")
    print(f"Goal: {goal.describe()}. Model: {model}.")
    if figures:
        print(
            f"With {seated}: service level {figures['service_level']:.1%}, "
            f"ASA {figures['asa_s']:.1f} s, waiting {figures['wait_probability']:.1%}, "
            f"abandoning {figures['abandonment']:.1%}, occupancy {figures['occupancy']:.1%}."
        )


@app.command()
def trunks(
    blocking: Annotated[float, typer.Option(help="Share of calls that may meet a busy signal.")],
    load: Annotated[float | None, typer.Option(help="Busy-hour load in erlangs.")] = None,
    calls: Annotated[float | None, typer.Option(help="Or: calls in a period, …")] = None,
    holding: Annotated[
        float | None, typer.Option(help="… and how long each holds a line, in seconds, …")
    ] = None,
    per: Annotated[float, typer.Option(help="… and the period's length in seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Say how many lines keep the busy signal rare (Erlang B).

    A line is held in the voice menu, in the queue and in talk: the load must count all three.

    Example: ccanalytics trunks --load 47 --blocking 0.01
    """
    from ccanalytics.queueing import erlang_b, servers_for_blocking

    if (load is None) == (calls is None) or (calls is None) != (holding is None):
        raise InputError(
            "the load is needed, in one of two ways",
            "",
            "give --load in erlangs, or --calls with --holding (seconds per call) and --per",
        )
    if load is None:
        assert calls is not None  # noqa: S101 - for the type checker
        assert holding is not None  # noqa: S101 - for the type checker
        if not per > 0:
            raise InputError("the period must be longer than 0 s", f"--per {per:g}")
        load = calls * holding / per
    lines = servers_for_blocking(load, blocking)
    reached = erlang_b(load, lines)
    if as_json:
        emit(
            {
                "inputs": {"load": load, "target_blocking": blocking},
                "lines": lines,
                "blocking": reached,
            }
        )
        return
    carry = "carries" if lines == 1 else "carry"
    print(
        f"{counted(lines, 'line')} {carry} {load:g} erlangs with {reached:.2%} of calls blocked "
        "(Erlang B)."
    )
