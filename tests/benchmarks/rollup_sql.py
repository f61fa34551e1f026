"""The public roll-ups of a log in UTC as one hand-written query each, as fast as we know how.

A centre in UTC is the easiest case for them: they need no table of local intervals.
"""

# What every query may start from; DuckDB computes only the columns that are asked for.
CALLS = """
WITH c AS (
    SELECT *, epoch_us(arrived_at) // 1000000 AS t,
        outcome IN ('answered', 'abandoned', 'overflowed', 'call_back') AS o,
        CASE WHEN outcome = 'answered'
            THEN talk_s + coalesce(hold_s, 0) + coalesce(wrap_s, 0) END AS h
    FROM calls)
"""
AGENT = ("answered_at", "epoch_us(answered_at) // 1000 + CAST(round(h * 1000) AS BIGINT)", "h > 0")
LINE = ("arrived_at", "epoch_us(ended_at) // 1000", "ended_at > arrived_at")


def _edges(spells, keys, step):
    """Net of starts and ends, and their offsets, per interval and key, of rows keys, s, e in ms."""
    out = "".join(f"{key}, " for key in keys)
    return f"""
    SELECT {out}u, CAST(sum(n) AS BIGINT) AS n, CAST(sum(p) AS BIGINT) AS p FROM (
        SELECT {out}s // {step} AS u, sum(1) AS n, sum({step} - s % {step}) AS p
        FROM {spells} GROUP BY ALL
        UNION ALL
        SELECT {out}e // {step}, sum(-1), sum(e % {step} - {step}) FROM {spells} GROUP BY ALL)
    GROUP BY ALL"""


def _busy(spells, keys, every, last, name="busy"):
    """Queries for ``name(keys…, u, seconds)``: dense from the first interval to ``last``."""
    step = every * 1000
    on = " AND ".join(["g.u = e.u", *(f"g.{k} IS NOT DISTINCT FROM e.{k}" for k in keys)])
    part = f"PARTITION BY {', '.join(f'g.{k}' for k in keys)}" if keys else ""
    groups = f"(SELECT DISTINCT {', '.join(keys)} FROM {name}_edges)" if keys else "(SELECT 1)"
    named = "".join(f"g.{k}, " for k in keys)
    return f"""
{name}_edges AS MATERIALIZED ({_edges(spells, keys, step)}),
{name}_g AS (SELECT * FROM {groups}, (SELECT unnest(range(
        (SELECT min(epoch_us(arrived_at) // 86400000000) * {86400 // every} FROM calls),
        {last})) AS u)),
{name} AS (
    SELECT {named}g.u AS u, ((coalesce(sum(n) OVER ({part} ORDER BY g.u
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)) * {step} + coalesce(p, 0)) / 1000
        AS seconds
    FROM {name}_g g LEFT JOIN {name}_edges e ON {on})
"""


def _days(every, last):
    return f"(SELECT (1 + max({last}) // 86400000) * {86400 // every} FROM calls)"


def _spells(what, keys, name="spells"):
    start, end, where = what
    start = f"epoch_us({start}) // 1000"
    return (
        f"{name} AS (SELECT {''.join(f'{k}, ' for k in keys)}{start} AS s, {end} AS e FROM c "
        f"WHERE {where})"
    )


def busy(every, keys, what):
    """``busy``: interval, keys…, busy_s, until the last call is over."""
    over = (
        "(SELECT (1 + greatest(max(epoch_us(arrived_at) // 1000), max(epoch_us(ended_at) // 1000),"
        " max(epoch_us(answered_at) // 1000 + CAST(round(h * 1000) AS BIGINT))) // 86400000)"
        f" * {86400 // every} FROM c)"
    )
    named = "".join(f"{k}, " for k in keys)
    return (
        f"{CALLS}, {_spells(what, keys)}, {_busy('spells', keys, every, over)}"
        f"SELECT to_timestamp(u * {every}) AS interval_start, {named}seconds AS busy_s FROM busy"
    )


def intervals(every, keys, within):
    """``intervals``: all its counts, sums, percentiles and both kinds of busy seconds."""
    named = "".join(f"{k}, " for k in keys)
    last = _days(every, "epoch_us(arrived_at) // 1000")

    def on(name):
        return " AND ".join(
            [f"{name}.u = g.u", *(f"{name}.{k} IS NOT DISTINCT FROM g.{k}" for k in keys)]
        )

    one = {
        kind: f"{_spells(what, keys, f'{kind}_spells')}, "
        + _busy(f"{kind}_spells", keys, every, last, f"{kind}_busy")
        for kind, what in (("agent", AGENT), ("line", LINE))
    }
    return f"""{CALLS}, counts AS (
    SELECT t // {every} AS u, {named}count(*) AS arrived,
        count(*) FILTER (o) AS offered,
        count(*) FILTER (outcome = 'answered') AS answered,
        count(*) FILTER (outcome = 'abandoned') AS abandoned,
        count(*) FILTER (outcome = 'left_menu') AS left_menu,
        count(*) FILTER (outcome = 'contained') AS contained,
        count(*) FILTER (outcome = 'diverted') AS diverted,
        count(*) FILTER (outcome = 'blocked') AS blocked,
        count(*) FILTER (o AND wait_s > 0) AS waited,
        count(h) AS handled,
        count(*) FILTER (outcome = 'answered' AND wait_s <= {within}) AS answered_in_{within}s,
        sum(menu_s) AS menu_s,
        sum(wait_s) FILTER (o) AS wait_s,
        sum(wait_s) FILTER (outcome = 'answered') AS answered_wait_s,
        sum(wait_s) FILTER (outcome = 'abandoned') AS abandoned_wait_s,
        sum(talk_s) FILTER (outcome = 'answered') AS talk_s,
        sum(hold_s) FILTER (outcome = 'answered') AS hold_s,
        sum(wrap_s) FILTER (outcome = 'answered') AS wrap_s,
        sum(h) AS handle_s,
        avg(wait_s) FILTER (o) AS mean_wait_s,
        avg(wait_s) FILTER (outcome = 'answered') AS asa_s,
        avg(h) AS aht_s,
        quantile_cont(wait_s, 0.5) FILTER (o) AS wait_p50_s,
        quantile_cont(wait_s, 0.9) FILTER (o) AS wait_p90_s
    FROM c GROUP BY ALL),
{one["agent"]}, {one["line"]},
groups AS (SELECT DISTINCT {named.rstrip(", ") or "1"} FROM counts),
g AS (SELECT * FROM groups, (SELECT unnest(range(
    (SELECT min(t // 86400) * {86400 // every} FROM c), {last})) AS u))
SELECT to_timestamp(g.u * {every}) AS interval_start, {"".join(f"g.{k}, " for k in keys)}
    counts.* EXCLUDE ({named}u), agent_busy.seconds AS agent_busy_s,
    line_busy.seconds AS line_busy_s
FROM g LEFT JOIN counts ON {on("counts")}
    LEFT JOIN agent_busy ON {on("agent_busy")} LEFT JOIN line_busy ON {on("line_busy")}"""


def demand(every, keys):
    """``demand``: offered calls and average handle time, dense."""
    named = "".join(f"{k}, " for k in keys)
    on = " AND ".join(["n.u = g.u", *(f"n.{k} IS NOT DISTINCT FROM g.{k}" for k in keys)])
    over = f"OVER (PARTITION BY {', '.join(f'g.{k}' for k in keys)})" if keys else "OVER ()"
    return f"""{CALLS}, n AS (
    SELECT t // {every} AS u, {named}count(*) FILTER (o) AS calls, sum(h) AS s, count(h) AS k
    FROM c GROUP BY ALL),
groups AS (SELECT DISTINCT {named.rstrip(", ") or "1"} FROM n),
g AS (SELECT * FROM groups, (SELECT unnest(range(
    (SELECT min(t // 86400) * {86400 // every} FROM c),
    {_days(every, "epoch_us(arrived_at) // 1000")})) AS u))
SELECT to_timestamp(g.u * {every}) AS interval_start, {"".join(f"g.{k}, " for k in keys)}
    CAST(coalesce(calls, 0) AS DOUBLE) AS calls,
    coalesce(CASE WHEN s > 0 THEN s / k END, sum(s) {over} / sum(k) {over}) AS aht_s
FROM g LEFT JOIN n ON {on}"""


def recontacts(windows):
    """``recontacts`` by outcome."""
    flags = ", ".join(
        f"count(*) FILTER (t + {w} <= z) AS f{w}, "
        f"count(*) FILTER (t + {w} <= z AND n - t <= {w}) AS a{w}"
        for w in windows
    )
    rows = " UNION ALL ".join(
        f"SELECT outcome, {w}::DOUBLE AS window_s, f{w} AS followed, a{w} AS again FROM counted"
        for w in windows
    )
    return f"""{CALLS}, z AS (SELECT max(t) AS z FROM c), paired AS (
    SELECT outcome, t, lead(t) OVER (PARTITION BY customer ORDER BY t, call_id) AS n
    FROM c WHERE customer IS NOT NULL),
counted AS MATERIALIZED (SELECT outcome, {flags} FROM paired, z GROUP BY outcome)
{rows}"""


def first_attempts(every, key, quiet):
    """What ``panel`` adds to intervals: offered calls not preceded by one for the same service."""
    return f"""{CALLS}, before AS (
    SELECT {key} AS unit, t, lag(t) OVER (PARTITION BY customer, service ORDER BY t, call_id) AS b
    FROM c WHERE o AND customer IS NOT NULL)
SELECT to_timestamp(t // {every} * {every}) AS interval_start, unit,
    count(*) AS first_attempts FROM (
    SELECT unit, t FROM before WHERE b IS NULL OR t - b > {quiet}
    UNION ALL SELECT {key}, t FROM c WHERE o AND customer IS NULL)
GROUP BY ALL"""


def redials(up_to):
    """``redials`` of all abandoned calls."""
    return f"""{CALLS}, z AS (SELECT max(t) AS z FROM c), paired AS (
    SELECT outcome, t, lead(t) OVER (PARTITION BY customer ORDER BY t, call_id) AS n
    FROM c WHERE customer IS NOT NULL)
SELECT CASE WHEN n - t <= {up_to} THEN n - t ELSE least(z - t, {up_to}) END AS seconds,
    coalesce(n - t <= {up_to}, false) AS again, count(*) AS calls
FROM paired, z WHERE outcome = 'abandoned' GROUP BY ALL"""


WAITS = f"""{CALLS}
SELECT queue, outcome, outcome = 'abandoned' OR wait_s > 0 AS queued,
    CAST(round(wait_s) AS BIGINT) AS seconds, count(*) AS calls
FROM c WHERE o GROUP BY ALL"""
HANDLE_TIMES = f"""{CALLS}
SELECT queue, CAST(round(h) AS BIGINT) AS seconds, count(*) AS calls
FROM c WHERE h IS NOT NULL GROUP BY ALL"""


def agents_present(every, gap):
    """``agents_present``: spells of calls no further apart than ``gap`` seconds."""
    last = _days(every, "epoch_us(arrived_at) // 1000")
    return f"""{CALLS}, spell AS (
    SELECT agent, call_id, epoch_us(answered_at) // 1000 AS s, epoch_us(answered_at) // 1000
        + CAST(round(CASE WHEN h > 0 THEN h ELSE 0 END * 1000) AS BIGINT) AS e
    FROM c WHERE agent IS NOT NULL AND answered_at IS NOT NULL),
marked AS (SELECT agent, s, e, call_id, max(e) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING
        AND 1 PRECEDING) AS b FROM spell WINDOW w AS (PARTITION BY agent ORDER BY s, e, call_id)),
numbered AS (SELECT agent, s, e, sum(CASE WHEN b IS NULL OR s - b > {gap * 1000} THEN 1 ELSE 0 END)
        OVER (PARTITION BY agent ORDER BY s, e, call_id ROWS UNBOUNDED PRECEDING) AS k FROM marked),
spells AS (SELECT min(s) AS s, max(e) AS e FROM numbered GROUP BY agent, k HAVING max(e) > min(s)),
{_busy("spells", [], every, last)}
SELECT to_timestamp(u * {every}) AS interval_start, seconds / {every} AS agents_present FROM busy"""


def agent_time(every):
    """``agent_time`` in all: seconds by state and as planned."""
    step = every * 1000
    parts = []
    for table, code, column in (
        ("agent_states", "state", "actual_s"),
        ("schedules", "activity", "scheduled_s"),
    ):
        spells = (
            f"(SELECT {code} AS state, epoch_us(started_at) // 1000 AS s, "
            f"epoch_us(coalesce(ended_at, (SELECT max(greatest(started_at, ended_at)) FROM {table}"
            f"))) // 1000 AS e FROM {table})"
        )
        parts.append(f"""
{table}_e AS MATERIALIZED ({_edges(f"{spells}", ["state"], step)}),
{column} AS (SELECT g.state, g.u, (coalesce(sum(n) OVER (PARTITION BY g.state ORDER BY g.u
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) * {step} + coalesce(p, 0)) / 1000
        AS seconds
    FROM (SELECT state, u FROM (SELECT DISTINCT state FROM {table}_e), days) g
    LEFT JOIN {table}_e e ON g.u = e.u AND g.state = e.state)""")
    return f"""WITH days AS (SELECT unnest(range(
    (SELECT min(epoch_us(arrived_at) // 86400000000) * {86400 // every} FROM calls),
    {_days(every, "epoch_us(arrived_at) // 1000")})) AS u),
{", ".join(parts)}
SELECT to_timestamp(u * {every}) AS interval_start, state, coalesce(a.seconds, 0) AS actual_s,
    coalesce(b.seconds, 0) AS scheduled_s
FROM actual_s a FULL JOIN scheduled_s b USING (state, u)
WHERE coalesce(a.seconds, 0) > 0 OR coalesce(b.seconds, 0) > 0"""


ACTIVITIES = """
WITH bounds AS (
    SELECT greatest(min(s.a), min(p.a)) AS low, least(min(s.b), min(p.b)) AS high FROM
        (SELECT min(epoch_us(started_at) // 1000) a, max(epoch_us(ended_at) // 1000) b
         FROM agent_states) s,
        (SELECT min(epoch_us(started_at) // 1000) a, max(epoch_us(ended_at) // 1000) b
         FROM schedules) p),
both_ AS (
    SELECT agent, epoch_us(started_at) // 1000 AS s, epoch_us(ended_at) // 1000 AS e,
        state, NULL AS activity FROM agent_states
    UNION ALL
    SELECT agent, epoch_us(started_at) // 1000, epoch_us(ended_at) // 1000, NULL, activity
    FROM schedules),
edges AS (
    SELECT agent, s AS m, 1 AS sign, state, activity FROM both_
    UNION ALL SELECT agent, e, -1, state, activity FROM both_),
netted AS (
    SELECT agent, greatest(low, least(high, m)) AS m,
        {sums}
    FROM edges, bounds GROUP BY ALL),
running AS (
    SELECT agent, lead(m) OVER w - m AS ms, {running}
    FROM netted WINDOW w AS (PARTITION BY agent ORDER BY m)),
named AS (
    SELECT agent, ms, CASE {activity} END AS activity, CASE {state} END AS state,
        ({states} > 1) OR ({plans} > 1) AS overlapping
    FROM running WHERE ms > 0)
SELECT agent, activity, state, overlapping, sum(ms) / 1000 AS seconds FROM named
WHERE activity IS NOT NULL OR state IS NOT NULL GROUP BY ALL"""


def activities():
    """``activities`` by agent."""
    states = ("available", "handling", "wrap", "break", "meeting", "training", "other")
    plans = ("calls", "break", "meeting", "training", "other")
    columns = [("state", f"s_{n}", n) for n in states] + [("activity", f"p_{n}", n) for n in plans]
    return ACTIVITIES.format(
        sums=", ".join(
            f"coalesce(sum(sign) FILTER ({what} = '{code}'), 0) AS {name}"
            for what, name, code in columns
        ),
        running=", ".join(f"sum({name}) OVER w AS {name}" for _, name, _ in columns),
        state=" ".join(f"WHEN s_{n} > 0 THEN '{n}'" for n in states),
        activity=" ".join(f"WHEN p_{n} > 0 THEN '{n}'" for n in plans),
        states=" + ".join(f"(s_{n} > 0)::INT" for n in states),
        plans=" + ".join(f"(p_{n} > 0)::INT" for n in plans),
    )


def self_service(days):
    """``self_service`` by service: the funnel, who could have used it, and who asked afterwards."""
    flags = ", ".join(
        f"count(*) FILTER (t + {d * 86400} <= z) AS f{d}, "
        f"count(*) FILTER (t + {d * 86400} <= z AND n - t <= {d * 86400}) AS r{d}"
        for d in days
    )
    windows = " UNION ALL ".join(
        f"SELECT channel, stage, service, {d} AS window_days, f{d} AS followed, "
        f"r{d} AS recontacted FROM leaked"
        for d in days
    )
    listed = ", ".join(f"({d})" for d in days)
    return f"""{CALLS},
s AS (SELECT *, epoch_us("at") // 1000000 AS t FROM self_service),
funnel AS (
    SELECT channel, stage, service, count(*) AS sent, count(*) FILTER (accepted) AS accepted,
        CASE WHEN count(delivered) > 0 OR count(*) FILTER (accepted) = 0
            THEN count(*) FILTER (delivered) END AS delivered,
        count(*) FILTER (completed) AS completed, min(t) AS live,
        count(*) FILTER (stage = 'own_initiative' AND accepted) AS sessions
    FROM s GROUP BY ALL),
calling AS (
    SELECT f.channel, f.stage, f.service, count(*) AS calls
    FROM funnel f JOIN c ON c.service = f.service AND c.t >= f.live GROUP BY ALL),
asked AS (SELECT customer, service, t FROM c WHERE o AND customer IS NOT NULL),
leaked AS MATERIALIZED (
    SELECT channel, stage, service, {flags} FROM (
        SELECT d.channel, d.stage, d.service, d.t, a.t AS n FROM
            (SELECT * FROM s WHERE completed AND customer IS NOT NULL) d ASOF LEFT JOIN asked a
            ON d.customer = a.customer AND d.service = a.service AND d.t <= a.t),
        (SELECT max(t) AS z FROM c) GROUP BY ALL),
followed AS ({windows})
SELECT f.channel, f.stage, f.service, w.window_days,
    coalesce(calls, 0) + sessions AS eligible, sent, accepted, delivered, completed,
    coalesce(followed, 0) AS followed, coalesce(recontacted, 0) AS recontacted
FROM funnel f, (VALUES {listed}) w(window_days)
    LEFT JOIN calling k ON k.channel = f.channel AND k.stage = f.stage AND k.service = f.service
    LEFT JOIN followed o ON o.channel = f.channel AND o.stage = f.stage
        AND o.service = f.service AND o.window_days = w.window_days"""


def interval_counts(every):
    """``interval_counts`` by queue: a sum of which any row does not tell is unknown."""
    names = [
        *("offered", "answered", "abandoned", "short_abandoned", "flowed_out", "answered_in_time"),
        *("late", "counted", "handled", "answered_wait_s", "abandoned_wait_s", "talk_s", "hold_s"),
        *("wrap_s", "handle_s", "staffed_s", "available_s"),
    ]
    sums = ", ".join(f"CASE WHEN count({n}) = count(*) THEN sum({n}) END AS {n}" for n in names)
    step = every * 1_000_000
    return f"""
WITH added AS (
    SELECT to_timestamp(epoch_us(started_at) // {step} * {every}) AS interval_start, queue, {sums},
        CASE WHEN count(within_s) = count(*) AND min(within_s) = max(within_s)
            THEN min(within_s) END AS within_s, count(*) AS counted_intervals
    FROM interval_counts GROUP BY ALL)
SELECT * REPLACE (coalesce(handle_s, talk_s + coalesce(hold_s, 0) + wrap_s) AS handle_s),
    CASE WHEN answered > 0 THEN answered_wait_s / answered END AS asa_s,
    CASE WHEN coalesce(handled, answered) > 0 THEN
        coalesce(handle_s, talk_s + coalesce(hold_s, 0) + wrap_s) / coalesce(handled, answered)
    END AS aht_s
FROM added ORDER BY queue, interval_start"""
