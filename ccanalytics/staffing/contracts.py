"""Contracts of clients: what is promised, how it is measured, what is paid and what is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.staffing._seats import check_number, check_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

__all__ = ["Contract", "read_contracts"]

_WINDOWS = {"day": 1, "week": 7, "month": 30}
_MONEY = (
    "price_per_call",
    "price_per_minute",
    "price_per_seat_hour",
    "penalty",
    "penalty_per_point",
)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What one client and the centre have agreed.

    Parameters
    ----------
    client
        Whose calls they are.
    goal
        The service level promised, with its definition.
    window
        Over what it is measured: ``"interval"`` (every one by itself), ``"day"``, ``"week"``,
        ``"month"`` (30 days), or a whole number of days.
    price_per_call, price_per_minute
        Paid for an answered call, and for a minute of handling, in your currency.
    price_per_seat_hour, seats
        Paid for every hour of so many seats, however many calls come.
    penalty
        Lost for every window that misses the goal.
    penalty_share
        Share (0–1) of the window's bill that is lost with it.
    penalty_per_point
        Lost for every percentage point by which a window misses the goal.

    Raises
    ------
    InputError
        A contract that contradicts itself, or a number out of its range; the client is named.

    Examples
    --------
    >>> Contract(client="North", goal=ServiceLevel(0.8, within=20), price_per_call=2.9,
    ...          penalty_share=0.1).window_days
    30
    """

    client: str
    goal: ServiceLevel
    window: str | int = "month"
    price_per_call: float = 0.0
    price_per_minute: float = 0.0
    price_per_seat_hour: float = 0.0
    seats: int = 0
    penalty: float = 0.0
    penalty_share: float = 0.0
    penalty_per_point: float = 0.0
    window_days: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        where = f"contract of {self.client!r}: "
        if not isinstance(self.goal, ServiceLevel):
            raise InputError(
                "a contract promises a ServiceLevel",
                f"{where}goal={self.goal!r}",
                "ServiceLevel(0.80, within=20)",
            )
        if self.goal.counting == "virtual":
            raise InputError(
                "a contract promises what a log can show, and nobody can measure a virtual wait",
                f"{where}counting='virtual'",
                "take another counting",
            )
        if self.goal.include_blocked:
            raise InputError(
                "the model behind contracts has no busy signal",
                f"{where}include_blocked=True",
                "leave blocked calls out of the promise",
            )
        for name in _MONEY:
            if check_number(f"{name} of {self.client!r}", getattr(self, name)) < 0:
                raise InputError(
                    "prices and penalties are 0 or more", f"{where}{name}={getattr(self, name)!r}"
                )
        check_share(f"penalty_share of {self.client!r}", self.penalty_share, low=0, allow_one=True)
        if isinstance(self.seats, bool) or not isinstance(self.seats, int) or self.seats < 0:
            raise InputError("seats are whole, 0 or more", f"{where}seats={self.seats!r}")
        if bool(self.seats) != bool(self.price_per_seat_hour):
            raise InputError(
                "a price per seat needs the number of seats, and seats need their price",
                f"{where}seats={self.seats}, price_per_seat_hour={self.price_per_seat_hour:g}",
                "give both, or none",
            )
        if self.penalised and self.goal.share == 1:
            raise InputError(
                "this contract asks that every single call be answered in time, which no number "
                "of agents can promise",
                f"{where}share=1",
                "agree on a share below 1",
            )
        object.__setattr__(self, "window_days", self._days(where))

    def _days(self, where: str) -> int:
        """Length of the window; an interval is 0 days."""
        if isinstance(self.window, str) and self.window == "interval":
            return 0
        days = (
            _WINDOWS.get(self.window, self.window) if isinstance(self.window, str) else self.window
        )
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise InputError(
                "no such window of measurement",
                f"{where}window={self.window!r}",
                "'interval', 'day', 'week', 'month', or whole days",
            )
        return days

    @property
    def penalised(self) -> bool:
        """Whether missing the goal costs anything."""
        return bool(self.penalty or self.penalty_share or self.penalty_per_point)

    @property
    def window_words(self) -> str:
        """The window in words."""
        if not self.window_days:
            return "every interval"
        return "every day" if self.window_days == 1 else f"windows of {self.window_days} days"


def read_contracts(table: Any, *, on: date | None = None) -> tuple[Contract, ...]:
    """Read the contracts table of a log.

    Parameters
    ----------
    table
        Frame with ``client``, ``from_on``, ``price`` (per answered call), ``service_level``,
        ``within_s``, ``window_days``, ``penalty`` (share of a window's bill).
    on
        Day on which they hold; of several periods of a client the last that has begun. Default:
        the last of all.

    Returns
    -------
    tuple of Contract
        One per client, in the order of their names.

    Raises
    ------
    DataError
        No contract (on that day).
    InputError
        A row without a promise, or one that contradicts itself; the client is named.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> rows = pl.DataFrame({"client": ["North"], "from_on": [date(2025, 1, 1)], "price": [2.9],
    ...     "service_level": [0.8], "within_s": [20.0], "window_days": [30], "penalty": [0.1]})
    >>> read_contracts(rows)[0].goal.describe()
    '80% answered within 20 s, as a share of all offered calls'
    """
    found: dict[str, Mapping[str, Any]] = {}
    for row in _rows(table):
        begun = row.get("from_on")
        if on is not None and begun is not None and begun > on:
            continue
        before = found.get(row["client"])
        if before is not None and before.get("from_on") == begun:
            raise InputError(
                "a client has two contracts from the same day",
                f"client {row['client']!r}, {begun}",
                "keep one of them",
            )
        if before is None or (begun is not None and begun >= before["from_on"]):
            found[row["client"]] = row
    if not found:
        raise DataError(
            "the log holds no contracts" if on is None else "no contract holds on this day",
            "table contracts" + ("" if on is None else f", {on}"),
            "load contracts.csv, or give Contract(…) for every client",
        )
    return tuple(_contract(found[client]) for client in sorted(found))


def _rows(table: Any) -> list[dict[str, Any]]:
    import polars as pl

    if not isinstance(table, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            table = nw.from_native(table, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "contracts come as a frame",
                f"got {type(table).__name__}",
                'give log.table("contracts")',
            ) from error
    for needed in ("client", "service_level", "within_s"):
        if needed not in table.columns:
            raise InputError("the table of contracts lacks a column", f"column {needed!r}")
    order = ["client", *(["from_on"] if "from_on" in table.columns else [])]
    rows: list[dict[str, Any]] = table.sort(order).to_dicts()
    return rows


def _contract(row: Mapping[str, Any]) -> Contract:
    client = row["client"]
    for name in ("service_level", "within_s"):
        if row[name] is None:
            raise InputError(
                "a contract without a promise cannot be planned for",
                f"contract of {client!r}: {name} is missing",
                "fill it in, or leave the client out",
            )
    try:
        goal = ServiceLevel(row["service_level"], within=row["within_s"])
    except InputError as error:
        raise InputError(
            error.what, f"contract of {client!r}: {error.where}", error.remedy
        ) from None
    return Contract(
        client=client,
        goal=goal,
        window="month" if row.get("window_days") is None else row["window_days"],
        price_per_call=row.get("price") or 0.0,
        penalty_share=row.get("penalty") or 0.0,
    )


def contracts_of(contracts: Iterable[Contract], clients: list[str]) -> dict[str, Contract]:
    """Hold contracts against the clients of a demand: one for each."""
    found: dict[str, Contract] = {}
    if isinstance(contracts, Contract):
        contracts = [contracts]
    try:
        given = list(contracts)
    except TypeError as error:
        raise InputError(
            "contracts are a list of Contract", f"got {type(contracts).__name__}", "read_contracts"
        ) from error
    for contract in given:
        if not isinstance(contract, Contract):
            raise InputError("this is no Contract", f"got {type(contract).__name__}")
        if contract.client in found:
            raise InputError("a client has two contracts", f"client {contract.client!r}")
        found[contract.client] = contract
    missing = [client for client in clients if client not in found]
    if missing:
        raise InputError(
            "a client has calls and no contract",
            f"client {missing[0]!r}" + (f" and {len(missing) - 1} more" if missing[1:] else ""),
            "give its Contract, or leave its calls out",
        )
    idle = [client for client in found if client not in clients]
    if idle:
        raise InputError(
            "a client has a contract and no calls", f"client {idle[0]!r}", "leave it out"
        )
    return {client: found[client] for client in clients}


def check_definition(contract: Contract, goal: ServiceLevel) -> None:
    """Refuse a goal of the house that counts by another definition than the contract does."""
    for name in ("within", "counting", "short"):
        promised, wanted = getattr(contract.goal, name), getattr(goal, name)
        if promised != wanted and (name != "short" or contract.goal.counting.startswith("short_")):
            raise InputError(
                "this contract is counted by another definition than the goal",
                f"contract of {contract.client!r}: {name}={promised!r}, goal: {name}={wanted!r}",
                "plan with goal=None, or agree on one definition",
            )
