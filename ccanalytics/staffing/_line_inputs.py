"""What is given to a plan of lines, checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import InputError
from ccanalytics.queueing.menu_states import MOST_LINES
from ccanalytics.staffing._line_search import Prices
from ccanalytics.staffing._seats import check_number

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.staffing._line_model import LineModel

    Wholes = NDArray[np.int64]

__all__ = ["check_fit", "given_agents", "one_stream", "prices", "whole"]


def prices(hour: Any, line: Any, port: Any) -> Prices | None:
    port = check_number("port_cost", port)
    if hour is None and line is None:
        return None
    if hour is None or line is None:
        missing = "cost_per_hour" if hour is None else "line_cost"
        raise InputError(
            "agents and lines are weighed by both their prices",
            f"{missing}=None",
            "give both, or neither",
        )
    found = Prices(
        check_number("cost_per_hour", hour), check_number("line_cost", line), float(port)
    )
    for name, value in (("cost_per_hour", found.hour), ("line_cost", found.line),
                        ("port_cost", found.port)):  # fmt: skip
        if value < 0:
            raise InputError("a price is 0 or more", f"{name}={value:g}")
    return found


def one_stream(demand: Any) -> pl.DataFrame:
    rows = as_demand(demand)
    keys = [name for name in rows.columns if name not in MEASURES]
    if keys:
        raise InputError(
            "the lines of a group are planned for all its calls at once",
            f"the demand has a key: {keys[0]}",
            "choose one with where=, or add them up",
        )
    return rows


def whole(name: str, value: Any) -> int:
    number = check_number(name, value, "give a whole number")
    least = 0 if name == "ports" else 1
    if number != int(number) or not least <= number <= MOST_LINES:
        raise InputError(
            f"this must be whole, {least} to {MOST_LINES:,}", f"{name}={value!r}"
        )  # fmt: skip
    return int(number)


def given_agents(agents: Any, model: LineModel) -> Wholes:
    try:
        many = np.broadcast_to(np.asarray(agents, float), model.calls.shape)
    except (TypeError, ValueError) as error:
        raise InputError(
            "agents are a number, or one for each interval",
            f"agents of length {np.size(agents)}, intervals: {model.calls.size}",
        ) from error
    bad = ~np.isfinite(many) | (many != np.floor(many)) | (many < 0)
    if bad.any():
        raise InputError("agents are whole, 0 or more", f"agents={many[bad][0]:g}")
    needed = (model.load > 0) & (many == 0)
    if needed.any():
        raise InputError(
            "calls ask for an agent where none is seated",
            f"interval {int(needed.argmax()) + 1}, agents=0",
            "seat one, or leave the interval out",
        )
    return np.maximum(many, model.calls > 0).astype(np.int64)


def check_fit(lines: int, agents: Wholes | None, ports: int | None, told: str) -> None:
    if agents is not None and (agents > lines).any():
        raise InputError(
            "there are fewer lines than agents: some could never have a caller",
            f"{told}, agents={int(agents.max())}",
            "give at least a line for every agent",
        )
    if ports is not None and ports > lines:
        raise InputError(
            "there are more voice-menu ports than lines: some could never have a caller",
            f"ports={ports}, {told}",
            "give at most as many ports as lines",
        )
