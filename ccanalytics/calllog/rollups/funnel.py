"""The funnel of self-service: who was offered it, who completed it, and who asked an agent then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["COUNTS", "SQUARES", "menu_ends", "self_service"]

_DAY = 86400
_NEVER = 2**62
# The parts of a code: windows are at most so many.
_MOST = 1000
_PAST = _MOST
_DONE = _PAST * _MOST
_ASKED = 2 * _DONE

COUNTS = (
    *("eligible", "sent", "accepted", "delivered", "completed"),
    *("followed", "recontacted", "failed_followed", "failed_recontacted"),
)
# Sums over customers of n², x·n and x² for each share x/n: what an interval by customer needs.
_FUNNEL = {"acceptance": ("accepted", "sent"), "completion": ("completed", "accepted")}
_AFTER = {
    "leakage": ("recontacted", "followed"),
    "failed_recontact": ("failed_recontacted", "failed_followed"),
}
SQUARES = tuple(f"{share}_{part}" for share in (*_FUNNEL, *_AFTER) for part in ("nn", "xn", "xx"))


def _squares(pairs: dict[str, tuple[str, str]]) -> dict[str, nw.Expr]:
    """The products of each pair, of one customer."""
    made = {}
    for share, (x, n) in pairs.items():
        for part, (a, b) in {"nn": (n, n), "xn": (x, n), "xx": (x, x)}.items():
            made[f"{share}_{part}"] = nw.col(a) * nw.col(b)
    return made


def self_service(
    scope: Scope, keys: list[str], recontact_days: Sequence[int], first: int, last: int
) -> pl.DataFrame:
    """The funnel's counts per channel, stage, key and window; see ``CallLog.self_service``."""
    import polars as pl

    events = scope.events().select(
        *("event_id", "customer", "channel", "stage", "service"),
        *("accepted", "delivered", "completed"),
        _at=nw.col("at_epoch"),
    )
    groups = ["channel", "stage", *keys]
    funnel, eligible = (
        _funnel(events, groups, first, last),
        _eligible(scope, events, keys, first, last),
    )
    menu = _menu(scope, events, keys)
    contacts = _taken_up(events)
    if menu is not None:
        funnel, eligible = (
            pl.concat([funnel, menu.select(funnel.columns)]),
            pl.concat([eligible, menu.select(*groups, eligible=pl.col("sent"))]),
        )
        contacts = nw.concat([contacts, menu_ends(scope)])
    followed = _after(scope, contacts, groups, recontact_days, first, last)
    windows = pl.DataFrame({"window_days": list(recontact_days)}, schema={"window_days": pl.Int64})
    frame = (
        funnel.join(windows, how="cross")
        .join(followed, on=[*groups, "window_days"], how="left", nulls_equal=True)
        .join(eligible, on=groups, how="left", nulls_equal=True)
    )
    zero = [name for name in (*COUNTS, *SQUARES) if name != "delivered"]
    return (
        frame.with_columns(pl.col(zero).fill_null(0))
        .select(*groups, "window_days", pl.col([*COUNTS, *SQUARES]).cast(pl.Int64))
        .sort([*groups, "window_days"])
    )


def _funnel(events: nw.LazyFrame[Any], groups: list[str], first: int, last: int) -> pl.DataFrame:
    """How far contacts came, with the squares by customer."""
    import polars as pl

    # Whoever is unknown is a customer of his own: together they would be one giant.
    who = nw.when(nw.col("customer").is_null()).then("event_id").otherwise("customer")
    names = ["sent", "accepted", "delivered", "_noted", "completed"]
    by_customer = (
        events.filter((nw.col("_at") >= first) & (nw.col("_at") < last))
        .select(
            *groups,
            _who=who,
            sent=nw.lit(1),
            accepted=flag(nw.col("accepted")),
            delivered=flag(nw.col("delivered")),
            _noted=flag(~nw.col("delivered").is_null()),
            completed=flag(nw.col("completed")),
        )
        .group_by(*groups, "_who")
        .agg(*(nw.col(name).sum() for name in names))
    )
    funnel = collect(
        by_customer.with_columns(**_squares(_FUNNEL))
        .group_by(*groups)
        .agg(*(nw.col(name).sum() for name in [*names, *_squares(_FUNNEL)]))
    )
    # Where delivery was never noted it is unknown, not zero.
    known = (pl.col("_noted") > 0) | (pl.col("accepted") == 0)
    return funnel.with_columns(delivered=pl.when(known).then(pl.col("delivered"))).drop("_noted")


def _taken_up(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Contacts of known customers that were taken up and whose end is known; ``_done``: completed.

    An assist that fails during a call diverts nobody: the caller is with an agent.
    """
    done = nw.col("completed")
    failed = nw.col("accepted") & ~done & (nw.col("stage") != "during_call")
    return events.filter(~nw.col("customer").is_null(), done | failed).select(
        "customer", "service", "channel", "stage", "_at", _done=flag(done), _id=nw.col("event_id")
    )


def menu_ends(scope: Scope) -> nw.LazyFrame[Any]:
    """Calls of known customers that ended in the voice menu, as contacts with a channel."""
    return (
        scope.calls()
        .filter(nw.col("outcome").is_in(["contained", "left_menu"]), ~nw.col("customer").is_null())
        .select(
            "customer",
            "service",
            channel=nw.lit("menu"),
            stage=nw.lit("own_initiative"),
            _at=nw.col("arrived_epoch"),
            _done=flag(nw.col("outcome") == "contained"),
            _id=nw.col("call_id"),
        )
    )


def _menu(scope: Scope, events: nw.LazyFrame[Any], keys: list[str]) -> pl.DataFrame | None:
    """Calls through the voice menu; None without one that serves, or where it has own records."""
    import polars as pl

    calls = scope.calls()
    if not collect(calls.filter(nw.col("outcome") == "contained").select("outcome").head(1)).height:
        return None
    if collect(events.filter(nw.col("channel") == "menu").select("channel").head(1)).height:
        return None
    ended = nw.col("outcome").is_in(["contained", "left_menu", "diverted"])
    counted = collect(
        scope.arrived(calls)
        .filter(ended | ~nw.col("menu_s").is_null())
        .select(*keys, _all=nw.lit(1), completed=flag(nw.col("outcome") == "contained"))
        .group_by(*(keys or ["_all"]))
        .agg(nw.len().alias("sent"), nw.col("completed").sum())
    )
    n, x = pl.col("sent").cast(pl.Int64), pl.col("completed").cast(pl.Int64)
    # Counted without looking at who called: every call stands for itself.
    return counted.select(
        pl.lit("menu").alias("channel"),
        pl.lit("own_initiative").alias("stage"),
        *keys,
        n,
        n.alias("accepted"),
        pl.lit(None, pl.Int64).alias("delivered"),
        x,
        *(n.alias(f"acceptance_{part}") for part in ("nn", "xn", "xx")),
        n.alias("completion_nn"),
        x.alias("completion_xn"),
        x.alias("completion_xx"),
    )


def _after(
    scope: Scope,
    contacts: nw.LazyFrame[Any],
    groups: list[str],
    recontact_days: Sequence[int],
    first: int,
    last: int,
) -> pl.DataFrame:
    """Contacts followed to each window's end, and those who asked an agent by then."""
    import polars as pl

    inside = (nw.col("_at") >= first) & (nw.col("_at") < last)
    # What is unknown is one service of its own; an empty text is no service that a load keeps.
    about = nw.col("service").fill_null("")
    begun = contacts.filter(inside).with_columns(_about=about)
    # A call that another hands on is no second request.
    asked = (
        scope.calls()
        .filter(
            nw.col("is_offered"),
            ~nw.col("customer").is_null(),
            nw.col("parent_call_id").is_null(),
        )
        .select("customer", _about=about, _call=nw.col("arrived_epoch"))
    )
    # Each contact with the requests that came within the longest window, of which the first
    # counts: nothing is put in order, which ten million calls would take a minute for.
    after = nw.col("_call") - nw.col("_at")
    group = [*groups, "customer"]
    first_asked = (
        begun.join(asked, on=["customer", "_about"], how="inner")
        .filter(after >= 0, after <= max(recontact_days) * _DAY)
        .group_by(*group, "_done", "_id", "_at")
        .agg(nw.col("_call").min())
    )
    windows = sorted(set(recontact_days))
    rows = scope.engine.keep(
        nw.concat(
            [
                begun.select(*group, _code=_code(windows, scope.log_end, None)),
                first_asked.select(
                    *group, _code=_code(windows, scope.log_end, nw.col("_call") - nw.col("_at"))
                ),
            ]
        )
    )
    # Most customers have one contact, asked after or not: their codes tell all of them, and need
    # but three numbers a customer. Of the others sums are taken, one for each count and window.
    customers = rows.group_by(*group).agg(
        nw.len().alias("_rows"),
        nw.col("_code").min().alias("_contact"),
        nw.col("_code").max().alias("_last"),
    )
    one = (nw.col("_rows") == 1) | (
        (nw.col("_rows") == 2) & (nw.col("_contact") < _ASKED) & (nw.col("_last") >= _ASKED)
    )
    single = collect(
        customers.filter(one).group_by(*groups, "_contact", "_last").agg(nw.len().alias("_n"))
    )
    names = [*COUNTS[5:], *(name for name in SQUARES if name.startswith(tuple(_AFTER)))]
    parts = [_expanded(single, groups, windows)]
    # A join does not find what is unknown: there a text stands for it.
    about_it = nw.col("service").fill_null("") if "service" in groups else nw.lit("")
    several = customers.filter(~one).select(
        _who=nw.col("customer"), _where=nw.col("channel"), _when=nw.col("stage"), _what=about_it
    )
    counts = {
        f"{name}_{i}": flag(holds)
        for i in range(len(windows))
        for name, holds in _told(nw.col("_code"), i).items()
    }
    squares = {
        f"{name}_{i}": each
        for i in range(len(windows))
        for name, each in _squares(
            {s: (f"{x}_{i}", f"{n}_{i}") for s, (x, n) in _AFTER.items()}
        ).items()
    }
    wide = collect(
        rows.with_columns(_about=about_it)
        .join(
            several,
            left_on=["customer", "channel", "stage", "_about"],
            right_on=["_who", "_where", "_when", "_what"],
            how="semi",
        )
        .select(*group, **counts)
        .group_by(*group)
        .agg(*(nw.col(name).sum() for name in counts))
        .with_columns(**squares)
        .group_by(*groups)
        .agg(*(nw.col(name).sum() for name in [*counts, *squares]))
    )
    parts += [
        wide.select(
            *groups,
            pl.lit(days, pl.Int64).alias("window_days"),
            *(pl.col(f"{name}_{i}").cast(pl.Int64).alias(name) for name in names),
        )
        for i, days in enumerate(windows)
    ]
    return pl.concat(parts).group_by(*groups, "window_days").agg(pl.col(names).sum())


def _code(windows: Sequence[int], end: int, after: nw.Expr | None) -> nw.Expr:
    """A contact, or the first request after it, as a number: in which windows it counts.

    The windows from ``first`` on, below ``past``, of the ascending list: a contact in all that the
    log follows, a request in those that also reach it.
    """
    past, first = nw.lit(0), nw.lit(0)
    for days in windows:
        past = past + flag(nw.col("_at") + days * _DAY <= end)
        if after is not None:
            first = first + flag(after > days * _DAY)
    asked = 0 if after is None else _ASKED
    return nw.col("_done") * _DONE + past * _PAST + first + asked


def _told(code: Any, window: int) -> dict[str, Any]:
    """Which counts a code adds to at a window; for expressions of both libraries."""
    asked, done = code >= _ASKED, code // _DONE % 2 == 1
    past, first = code // _PAST % _MOST, code % _PAST
    counts = (past > window) & (first <= window)
    return {
        "followed": counts & done & ~asked,
        "recontacted": counts & done & asked,
        "failed_followed": counts & ~done & ~asked,
        "failed_recontacted": counts & ~done & asked,
    }


def _expanded(single: pl.DataFrame, groups: list[str], windows: Sequence[int]) -> pl.DataFrame:
    """Counts and squares of customers with one contact: those of 0 and 1."""
    import polars as pl

    n = pl.col("_n").cast(pl.Int64)
    found = []
    for i, days in enumerate(windows):
        of_contact, of_last = (_told(pl.col(name), i) for name in ("_contact", "_last"))
        told = {
            name: (of_last if name.endswith("recontacted") else of_contact)[name].cast(pl.Int64)
            for name in COUNTS[5:]
        }
        for share, (x, below) in _AFTER.items():
            told[f"{share}_nn"] = told[below]
            told[f"{share}_xn"] = told[f"{share}_xx"] = told[x]
        found.append(
            single.select(
                *groups,
                pl.lit(days, pl.Int64).alias("window_days"),
                *((n * each).alias(name) for name, each in told.items()),
            )
        )
    return pl.concat(found).select(
        *groups,
        "window_days",
        *COUNTS[5:],
        *(name for name in SQUARES if name.startswith(tuple(_AFTER))),
    )


def _eligible(
    scope: Scope, events: nw.LazyFrame[Any], keys: list[str], first: int, last: int
) -> pl.DataFrame:
    """Contacts that could have used the channel: calls about a service since the channel's first
    record for it, and sessions begun on one's own initiative."""
    import polars as pl

    stages = ["channel", "stage"]
    live = collect(events.group_by(*stages, "service").agg(_live=nw.col("_at").min()))
    live = live.drop_nulls("service")
    places = live.select(stages).unique().sort(stages)
    names = [f"_live_{k}" for k in range(places.height)]
    # One row per service, so that each call is looked at once for all channels.
    wide = live.select("service").unique()
    for name, place in zip(names, places.rows(), strict=True):
        mine = live.filter(pl.col("channel") == place[0], pl.col("stage") == place[1])
        wide = wide.join(
            mine.select("service", pl.col("_live").alias(name)), on="service", how="left"
        )
    wide = wide.with_columns(pl.col(names).fill_null(_NEVER).cast(pl.Int64))
    calls = scope.arrived(scope.calls().filter(nw.col("parent_call_id").is_null()))
    calls = calls.select("service", "arrived_epoch")
    each = collect(
        calls.join(scope.engine.hand_over(wide), on="service", how="inner")
        .select("service", **{n: flag(nw.col("arrived_epoch") >= nw.col(n)) for n in names})
        .group_by("service")
        .agg(*(nw.col(name).sum() for name in names))
    )
    counted = (
        pl.concat(
            each.select(
                pl.lit(place[0], pl.String).alias("channel"),
                pl.lit(place[1], pl.String).alias("stage"),
                "service",
                pl.col(name).cast(pl.Int64).alias("_calls"),
            ).filter(pl.col("_calls") > 0)
            for name, place in zip(names, places.rows(), strict=True)
        )
        if names
        else live.select(*stages, "service", pl.lit(0, pl.Int64).alias("_calls"))
    )
    own = collect(
        events.filter(
            nw.col("stage") == "own_initiative",
            nw.col("accepted"),
            (nw.col("_at") >= first) & (nw.col("_at") < last),
        )
        .group_by(*stages, "service")
        .agg(nw.len().alias("_sessions"))
    )
    both = counted.join(own, on=[*stages, "service"], how="full", coalesce=True)
    both = both.with_columns(
        eligible=pl.col("_calls").fill_null(0) + pl.col("_sessions").fill_null(0)
    )
    return both.group_by(*stages, *keys).agg(pl.col("eligible").sum())
