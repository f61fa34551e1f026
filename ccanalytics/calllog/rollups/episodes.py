"""Contact episodes: where a need begins, where it ends, and what self-service led to on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.funnel import menu_ends
from ccanalytics.calllog.rollups.scope import Scope, collect, flag

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AGENT", "EPISODE_COUNTS", "HANDLE_SUMS", "episodes"]

_DAY = 86400
_NEVER = 2**62
_PLACE = ["channel", "stage"]
_KEY = [*_PLACE, "service"]
_SAME = ["customer", "service"]
AGENT = ("agent", "assisted")
"""Place of a contact that asked for an agent at once."""

EPISODE_COUNTS = (
    *("episodes", "settled", "reached", "contacts", "requests"),
    *("taken_up", "unknown"),
    *("watched", "asked_before", "asked_after", "change_nn", "change_xn", "change_xx"),
    *("looked_back", "used_before", "from_elsewhere"),
    *("touched", "others"),
)
HANDLE_SUMS = ("agent_s", "touched_s", "touched_ss", "others_s", "others_ss")


@dataclass(frozen=True)
class _Contacts:
    """Contacts of the log, each with place, moment and what came of it."""

    scope: Scope
    events: nw.LazyFrame[Any]
    own: nw.LazyFrame[Any]
    gap_s: int
    lookback_s: int
    first: int
    last: int
    begin: int

    def inside(self) -> nw.Expr:
        return (nw.col("_t") >= self.first) & (nw.col("_t") < self.last)

    def asked(self) -> nw.LazyFrame[Any]:
        """Requests for an agent of known customers; a call handed on by another is not ``_new``."""
        calls = self.scope.calls().filter(nw.col("is_offered"), ~nw.col("customer").is_null())
        return calls.select(
            *_SAME,
            *(nw.lit(name).alias(at) for at, name in zip(_PLACE, AGENT, strict=True)),
            _t=nw.col("arrived_epoch"),
            _id=nw.col("call_id"),
            _order=nw.lit(1),
            _new=flag(nw.col("parent_call_id").is_null()),
            _done=nw.lit(0),
            _answered=flag(nw.col("is_answered")),
            _handle=nw.col("handle_s"),
        )

    def contacts(self) -> nw.LazyFrame[Any]:
        """Uses of self-service by known customers, those in the voice menu among them."""
        return self.own.select(
            *_SAME,
            *_PLACE,
            "_t",
            "_id",
            _order=nw.lit(0),
            _new=nw.lit(1),
            _done=nw.col("_done"),
            _answered=nw.lit(0),
            _handle=nw.lit(None, nw.Float64),
        )


def episodes(
    scope: Scope, gap_days: int, lookback_days: int, first: int, last: int
) -> pl.DataFrame:
    """Per place and service; see ``CallLog.episodes``."""
    import polars as pl

    events = scope.events()
    # An assist during a call is part of that call, not a contact of its own.
    own = events.filter(
        nw.col("accepted"), nw.col("stage") != "during_call", ~nw.col("customer").is_null()
    ).select(
        *_SAME,
        *_PLACE,
        _t=nw.col("at_epoch"),
        _id=nw.col("event_id"),
        _done=nw.when(nw.col("completed").is_null()).then(-1).otherwise(flag(nw.col("completed"))),
    )
    recorded = collect(events.filter(nw.col("channel") == "menu").select("channel").head(1)).height
    if not recorded:
        own = nw.concat(
            [
                own,
                menu_ends(scope).select(
                    *_SAME, *_PLACE, _t=nw.col("_at"), _id=nw.lit(""), _done=nw.col("_done")
                ),
            ]
        )
    begun = collect(scope.everything().select(first=nw.col("arrived_epoch").min()))[0, "first"]
    asking = _Contacts(
        scope, events, own, gap_days * _DAY, lookback_days * _DAY, first, last, begun
    )
    frame = _opened(asking)
    for part in (_taken_up(asking), _around(asking), _elsewhere(asking), _handled(asking)):
        frame = frame.join(part, on=_KEY, how="full", coalesce=True, nulls_equal=True)
    return frame.select(
        *_KEY,
        pl.lit(gap_days, pl.Int64).alias("window_days"),
        pl.lit(lookback_days, pl.Int64).alias("lookback_days"),
        pl.col(EPISODE_COUNTS).fill_null(0).cast(pl.Int64),
        pl.col(HANDLE_SUMS).fill_null(0.0).cast(pl.Float64),
    ).sort(_KEY)


def _opened(asking: _Contacts) -> pl.DataFrame:
    """Closed episodes by the place of their first contact."""
    both = nw.concat([asking.contacts(), asking.asked()])
    order = ["_t", "_order", "_id"]
    before = nw.col("_t").shift(1).over(*_SAME, order_by=order)
    opens = before.is_null() | (nw.col("_t") - before > asking.gap_s)
    marked = both.with_columns(_opens=flag(opens)).with_columns(
        _episode=nw.col("_opens").cum_sum().over(*_SAME, order_by=order)
    )
    place = {name: nw.when(nw.col("_opens") == 1).then(name) for name in _PLACE}
    each = (
        marked.select(
            *_SAME,
            "_episode",
            "_t",
            "_new",
            "_done",
            "_handle",
            **place,
            _asked=nw.col("_order") * nw.col("_new"),
        )
        .group_by(*_SAME, "_episode")
        .agg(
            nw.col("channel").max(),
            nw.col("stage").max(),
            nw.col("_t").min(),
            nw.col("_t").max().alias("_until"),
            nw.col("_new").sum().alias("_contacts"),
            nw.col("_asked").sum().alias("_requests"),
            nw.col("_done").max(),
            nw.col("_handle").sum().alias("_handle"),
        )
        .filter(
            nw.col("_contacts") > 0,
            asking.inside(),
            # Begun where the log could have seen an earlier contact, and over before it ends.
            nw.col("_t") - asking.gap_s >= asking.begin,
            nw.col("_until") + asking.gap_s <= asking.scope.log_end,
        )
    )
    return collect(
        each.select(
            *_KEY,
            settled=flag((nw.col("_requests") == 0) & (nw.col("_done") == 1)),
            reached=flag(nw.col("_requests") > 0),
            contacts=nw.col("_contacts"),
            requests=nw.col("_requests"),
            agent_s=nw.col("_handle"),
        )
        .group_by(*_KEY)
        .agg(
            nw.len().alias("episodes"),
            *(
                nw.col(name).sum()
                for name in ("settled", "reached", "contacts", "requests", "agent_s")
            ),
        )
    )


def _taken_up(asking: _Contacts) -> pl.DataFrame:
    """Contacts taken up, and those of them whose customer is unknown."""
    chosen = asking.events.filter(nw.col("accepted")).with_columns(_t=nw.col("at_epoch"))
    return collect(
        chosen.filter(asking.inside())
        .select(*_KEY, unknown=flag(nw.col("customer").is_null()))
        .group_by(*_KEY)
        .agg(nw.len().alias("taken_up"), nw.col("unknown").sum())
    )


def _around(asking: _Contacts) -> pl.DataFrame:
    """Contacts whose customer asked an agent in the window after, and in as long before."""
    import polars as pl

    names = [*_SAME, *_PLACE, "_t", "_order"]
    own = asking.own.with_columns(_order=nw.lit(1))
    new = asking.asked().filter(nw.col("_new") == 1)
    asked = new.join(asking.own.select("customer").unique(), on="customer", how="semi")
    # Before a contact of the same second, since only what came earlier came before it: 0, 1, 2.
    calls = asked.select(*_SAME, *_PLACE, "_t", _order=nw.lit(2))
    both = nw.concat([own.select(names), calls.select(names)])
    call = nw.when(nw.col("_order") == 2).then("_t")
    order = ["_t", "_order"]
    seen = (
        both.with_columns(
            _next=nw.when(nw.col("_order") == 2).then("_t").otherwise(nw.lit(_NEVER)),
            _ago=call.otherwise(nw.lit(-_NEVER)),
        )
        .with_columns(
            _next=nw.col("_next").cum_min(reverse=True).over(*_SAME, order_by=order),
            _ago=nw.col("_ago").cum_max().over(*_SAME, order_by=order),
        )
        .filter(
            nw.col("_order") == 1,
            asking.inside(),
            nw.col("_t") - asking.gap_s >= asking.begin,
            nw.col("_t") + asking.gap_s <= asking.scope.log_end,
        )
    )
    counted = collect(
        seen.select(
            *_KEY,
            "customer",
            watched=nw.lit(1),
            asked_before=flag(nw.col("_t") - nw.col("_ago") <= asking.gap_s),
            asked_after=flag(nw.col("_next") - nw.col("_t") <= asking.gap_s),
        )
        .group_by(*_KEY, "customer")
        .agg(nw.col("watched").sum(), nw.col("asked_before").sum(), nw.col("asked_after").sum())
        .with_columns(_change=nw.col("asked_after") - nw.col("asked_before"))
        .with_columns(
            change_nn=nw.col("watched") * nw.col("watched"),
            change_xn=nw.col("_change") * nw.col("watched"),
            change_xx=nw.col("_change") * nw.col("_change"),
        )
        .group_by(*_KEY)
        .agg(
            *(
                nw.col(name).sum()
                for name in (
                    *("watched", "asked_before", "asked_after"),
                    *("change_nn", "change_xn", "change_xx"),
                )
            )
        )
    )
    return counted.with_columns(pl.col("watched").cast(pl.Int64))


def _elsewhere(asking: _Contacts) -> pl.DataFrame:
    """Completed uses whose customer had used self-service for the same before, and where."""
    order = ["_t", "channel", "stage", "_id"]
    place = nw.concat_str(nw.col("channel"), nw.col("stage"), separator=" ")
    used = asking.own.with_columns(_place=place)
    seen = used.with_columns(
        _ago=nw.col("_t").shift(1).over(*_SAME, order_by=order),
        _last=nw.col("_place").shift(1).over(*_SAME, order_by=order),
    ).filter(
        nw.col("_done") == 1,
        asking.inside(),
        nw.col("_t") - asking.lookback_s >= asking.begin,
    )
    recent = ~nw.col("_ago").is_null() & (nw.col("_t") - nw.col("_ago") <= asking.lookback_s)
    return collect(
        seen.select(
            *_KEY,
            used_before=flag(recent),
            from_elsewhere=flag(recent & (nw.col("_last") != nw.col("_place"))),
        )
        .group_by(*_KEY)
        .agg(
            nw.len().alias("looked_back"),
            nw.col("used_before").sum(),
            nw.col("from_elsewhere").sum(),
        )
    )


def _handled(asking: _Contacts) -> pl.DataFrame:
    """Answered calls that a channel has touched, with their time, and those to compare them with.

    Touched is the first answered call after a contact that failed, within the window; beside it
    stand the other answered calls about the service since the channel's first record. During a
    call: calls whose caller took the assist, beside those whose caller declined it.
    """
    import polars as pl

    failed = asking.own.filter(nw.col("_done") == 0)
    asked = asking.asked().filter(
        nw.col("_answered") == 1, nw.col("_new") == 1, ~nw.col("_handle").is_null()
    )
    names = [*_SAME, *_PLACE, "_t", "_order", "_id", "_handle"]
    few = asked.join(failed.select("customer").unique(), on="customer", how="semi")
    both = nw.concat(
        [
            failed.select(*_SAME, *_PLACE, "_t", _order=nw.lit(0), _id=nw.col("_id"),
                          _handle=nw.lit(None, nw.Float64)).select(names),
            few.select(names),
        ]
    )  # fmt: skip
    order = ["_t", "_order", "_id"]
    before = {
        f"_{name.strip('_')}_before": nw.col(name).shift(1).over(*_SAME, order_by=order)
        for name in (*_PLACE, "_t", "_order")
    }
    after = (
        both.with_columns(**before)
        .filter(
            nw.col("_order") == 1,
            nw.col("_order_before") == 0,
            nw.col("_t") - nw.col("_t_before") <= asking.gap_s,
            asking.inside(),
        )
        .select(
            "service", "_handle", channel=nw.col("_channel_before"), stage=nw.col("_stage_before")
        )
    )
    touched = collect(_summed(after, "touched"))
    live = asking.own.group_by(*_KEY).agg(_live=nw.col("_t").min())
    answered = asking.scope.calls().filter(
        nw.col("is_answered"), nw.col("parent_call_id").is_null(), ~nw.col("handle_s").is_null()
    )
    since = (
        live.join(
            answered.select("service", _t=nw.col("arrived_epoch"), _handle=nw.col("handle_s")),
            on="service",
            how="inner",
        )
        .filter(nw.col("_t") >= nw.col("_live"), asking.inside())
        .select(*_KEY, "_handle")
    )
    every = collect(_summed(since, "others"))
    after_failure = every.join(touched, on=_KEY, how="left", nulls_equal=True).with_columns(
        pl.col(f"touched{end}").fill_null(0) for end in ("", "_s", "_ss")
    )
    after_failure = after_failure.with_columns(
        (pl.col(f"others{end}") - pl.col(f"touched{end}")).alias(f"others{end}")
        for end in ("", "_s", "_ss")
    )
    offers = asking.events.filter(nw.col("stage") == "during_call").with_columns(
        _t=nw.col("at_epoch")
    )
    during = offers.filter(asking.inside(), ~nw.col("call_id").is_null()).join(
        answered.select("call_id", _handle=nw.col("handle_s")), on="call_id", how="inner"
    )
    taken = collect(_summed(during.filter(nw.col("accepted")).select(*_KEY, "_handle"), "touched"))
    declined = collect(
        _summed(during.filter(~nw.col("accepted")).select(*_KEY, "_handle"), "others")
    )
    in_call = taken.join(declined, on=_KEY, how="full", coalesce=True, nulls_equal=True)
    columns = [
        *_KEY,
        *(f"{who}{end}" for who in ("touched", "others") for end in ("", "_s", "_ss")),
    ]
    return pl.concat(
        [after_failure.select(columns), in_call.select(columns)], how="vertical_relaxed"
    )


def _summed(rows: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
    return (
        rows.with_columns(_square=nw.col("_handle") * nw.col("_handle"))
        .group_by(*_KEY)
        .agg(
            nw.len().alias(name),
            nw.col("_handle").sum().alias(f"{name}_s"),
            nw.col("_square").sum().alias(f"{name}_ss"),
        )
    )
