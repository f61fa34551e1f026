import datetime as dt
import itertools
import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, handletime
from ccanalytics.errors import DataError, InputError

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
MONDAY = dt.datetime(2024, 1, 1)
# Das Gupta (1993), example 5.3: population in thousands and deaths per thousand of the United
# States by race and age, 1985 and 1970, as CRAN's DasGuptR carries them.
SIZE = """
3041 11577 27450 32711 35480 27411 19555 19795 15254 8022 2472
707 2692 6473 6841 6547 4352 3034 2540 1749 804 236
2968 11484 34614 30992 21983 20314 20928 16897 11339 5720 1315
535 2162 6120 4781 3096 2718 2363 1767 1149 448 117
"""
RATE = """
9.163 0.462 0.248 0.929 1.084 1.810 4.715 12.187 27.728 64.068 157.570
17.208 0.738 0.328 1.103 2.045 3.724 8.052 17.812 34.128 68.276 125.161
18.469 0.751 0.391 1.146 1.287 2.672 6.636 15.691 34.723 79.763 176.837
36.993 1.352 0.541 2.040 3.523 6.746 12.967 24.471 45.091 74.902 123.205
"""


def weeks(cells, starts=(MONDAY, MONDAY + dt.timedelta(weeks=1)), days=7):
    """One row per interval and kind: kind → (calls, mean) for each interval."""
    rows = [
        {**keys, "local_start": at, "interval_s": 86400 * days, "calls": n, "seconds": mean}
        for keys, told in cells
        for at, (n, mean) in zip(starts, told, strict=True)
    ]
    return pl.DataFrame(rows)


TOY = weeks([({"service": "simple"}, ((300, 90), (230, 90))),
             ({"service": "complex"}, ((700, 210), (700, 200)))])  # fmt: skip


def test_simple_calls_left_and_complex_ones_got_faster():
    found = handletime.mix(TOY, "2024-01-08")
    assert found.before.value == pytest.approx(174.00)
    assert found.after.value == pytest.approx(172.80, abs=0.005)
    assert found.rate.value == pytest.approx(-7.26, abs=0.005)
    assert found.mix.value == pytest.approx(6.06, abs=0.005)
    assert "fell by 1.2 s" in found.headline()
    assert "hides 6.1 of the 7.3 s" in found.summary()
    assert any(check.name == "Limits" and check.status == "fails" for check in found.checks)


def test_das_gupta_example_5_3():
    size, rate = (np.array(text.split(), float) for text in (SIZE, RATE))
    races, ages = ["white", "other"], [str(k) for k in range(11)]
    frame = pl.DataFrame(
        {
            "local_start": [MONDAY - dt.timedelta(weeks=1)] * 22 + [MONDAY] * 22,
            "interval_s": 604800,
            "race": [race for race in races for _ in ages] * 2,
            "age": ages * 4,
            # The rows of 1985 stand first.
            "calls": np.roll(size, 22) * 1000,
            "seconds": np.roll(rate, 22),
        }
    )
    found = handletime.mix(frame, MONDAY.date(), ["race", "age"])
    told = (found.before, found.after, found.rate, found.mix)
    assert [x.value for x in told] == pytest.approx([9.42183, 8.73562, -2.22773, 1.54151], abs=5e-6)
    assert found.factors["mix_s"].sum() == pytest.approx(found.mix.value)


def by_orders(p, q, names):
    """Mean over all orders of factors of what a factor's change adds, by terms written out."""
    added = {name: np.zeros(p[0].shape) for name in names}
    orders = list(itertools.permutations(range(len(names))))
    for order in orders:
        terms = list(p)
        for k in order:
            before = np.prod(terms, axis=0)
            terms[k] = q[k]
            added[names[k]] += (np.prod(terms, axis=0) - before) / len(orders)
    return added


def test_three_factors_against_all_orders_written_out():
    """Terms of each factor by Das Gupta's roots of ratios of margins, three factors."""
    rng = np.random.default_rng(3)
    shape = (2, 3, 4)
    tables = [rng.integers(1, 90, shape).astype(float) for _ in range(2)]
    times = [rng.uniform(60, 400, shape) for _ in range(2)]
    names = ["queue", "tier", "service"]

    def terms(n):
        def margin(*kept):
            out = tuple(axis for axis in range(3) if axis not in kept)
            return n.sum(axis=out, keepdims=True)

        found = []
        for k in range(3):
            a, b = (j for j in range(3) if j != k)
            found.append(
                (n / margin(a, b)) ** (1 / 3)
                * (margin(k, a) / margin(a)) ** (1 / 6)
                * (margin(k, b) / margin(b)) ** (1 / 6)
                * (margin(k) / margin()) ** (1 / 3)
            )
        return [np.broadcast_to(f, shape) for f in found]

    added = by_orders(terms(tables[0]), terms(tables[1]), names)
    middle = (times[0] + times[1]) / 2
    expected = {name: float((middle * each).sum()) for name, each in added.items()}
    cells = [
        (dict(zip(names, map(str, cell), strict=True)),
         [(tables[side][cell], times[side][cell]) for side in (0, 1)])
        for cell in np.ndindex(shape)
    ]  # fmt: skip
    found = handletime.mix(weeks(cells), "2024-01-08", names)
    assert dict(found.factors.select("factor", "mix_s").iter_rows()) == pytest.approx(expected)
    assert found.rate.value + found.mix.value == pytest.approx(found.change.value)
    assert found.rows["rate_s"].sum() == pytest.approx(found.rate.value)
    assert found.rows["mix_s"].sum() == pytest.approx(found.mix.value)


def test_a_kind_on_one_side_alone_is_of_the_mix_and_said():
    cells = [({"service": "old"}, ((100, 60), (0, 0))), ({"service": None}, ((100, 60), (100, 60))),
             ({"service": "new"}, ((0, 0), (100, 120)))]  # fmt: skip
    found = handletime.mix(weeks(cells), "2024-01-08")
    assert found.rate.value == 0
    assert found.mix.value == pytest.approx(30)
    (check,) = (c for c in found.checks if c.name == "Kinds on one side alone")
    assert "new, old" in check.detail
    assert found.rows.height == 3
    assert found.rows.filter(pl.col("service") == "new")["mean_before_s"].to_list() == [None]


def test_an_interval_that_holds_the_day_is_left_out():
    starts = [MONDAY + dt.timedelta(weeks=k) for k in range(3)]
    cells = [({"service": "a"}, ((10, 100), (10, 5000), (10, 110)))]
    found = handletime.mix(weeks(cells, starts), "2024-01-10")
    assert found.change.value == pytest.approx(10)
    assert any(
        "1 interval" in check.detail for check in found.checks if check.name == "Interval cut"
    )
    assert handletime.mix(weeks(cells, starts)).split_on == dt.date(2024, 1, 8)


def drawn(rng, step=0.0, shift=0.0, count=13):
    """Weeks whose mix wobbles together, not only by the chance of single calls."""
    means = np.array([90.0, 210.0, 300.0])
    starts = [MONDAY + dt.timedelta(weeks=k) for k in range(2 * count)]
    rows = []
    for k, at in enumerate(starts):
        late = k >= count
        p = rng.dirichlet(400 * np.array([0.3 - shift * late, 0.5, 0.2 + shift * late]))
        n = rng.multinomial(rng.poisson(900), p)
        wobble = 1 + 0.02 * rng.standard_normal()
        for name, calls, mean in zip("abc", n, means * (1 + step * late) * wobble, strict=True):
            total = rng.gamma(max(calls, 1) * 1.5, mean / 1.5) if calls else 0.0
            if calls:
                rows.append((at, 604800, name, int(calls), total / calls))
    schema = ["local_start", "interval_s", "service", "calls", "seconds"]
    return pl.DataFrame(rows, schema=schema, orient="row"), starts[count].date(), means


def test_limits_cover_planted_rate_and_mix():
    step, shift, worlds = -0.05, 0.04, 300 if FULL else 100
    held = np.zeros(3)
    base, moved = np.array([0.3, 0.5, 0.2]), np.array([0.26, 0.5, 0.24])
    rng = np.random.default_rng(11)
    for _ in range(worlds):
        frame, day, means = drawn(rng, step, shift)
        found = handletime.mix(frame, day)
        later = means * (1 + step)
        truth = (
            moved @ later - base @ means,
            (base + moved) / 2 @ (later - means),
            (means + later) / 2 @ (moved - base),
        )
        for k, (part, value) in enumerate(
            zip((found.change, found.rate, found.mix), truth, strict=True)
        ):
            held[k] += part.low <= value <= part.high
    assert (held / worlds >= (0.92 if FULL else 0.88)).all()


@pytest.mark.parametrize(
    ("changes", "settings", "error", "words"),
    [
        ({}, {"split_on": "2023-01-01"}, DataError, "no handled call before"),
        ({}, {"split_on": "2025-01-01"}, DataError, "no handled call from this day"),
        ({}, {"split_on": "soon"}, InputError, "must be a day"),
        ({}, {"by": []}, InputError, "one to five"),
        ({}, {"by": ["service", "service"]}, InputError, "one to five"),
        ({}, {"by": "tier"}, InputError, "no such key"),
        ({"calls": -1}, {}, InputError, "calls=-1"),
        ({"seconds": float("nan")}, {}, InputError, "seconds"),
        ({"seconds": 0.0}, {}, DataError, "no handled call before"),
        ({}, {"part": "chat"}, InputError, "no such part"),
    ],
)
def test_refusals(changes, settings, error, words):
    frame = TOY.with_columns(**{name: pl.lit(value) for name, value in changes.items()})
    with pytest.raises(error, match=words):
        handletime.mix(frame, **{"split_on": "2024-01-08", **settings})


def test_charts_show_the_steps_and_the_kinds():
    frame, day, _ = drawn(np.random.default_rng(2), -0.05, 0.1)
    found = handletime.mix(frame, day)
    steps = charts.rate_and_mix(found).data[0]
    assert list(steps.measure) == ["absolute", "relative", "relative", "total"]
    assert sum(steps.y[:3]) == pytest.approx(steps.y[3])
    bars = charts.mix_by_kind(found, names={"a": "<b>Bill</b>"}, top=2).data
    assert [bar.orientation for bar in bars] == ["h", "h"]
    assert sum(map(len, (bar.x for bar in bars))) == 4
    assert not any("<b>" in label for bar in bars for label in bar.y)


def test_one_kind_has_no_mix():
    rows = pl.DataFrame(
        {
            "local_start": [MONDAY, MONDAY + dt.timedelta(weeks=1)], "interval_s": 604_800,
            "service": "a", "seconds": [100, 90], "calls": [50, 50],
        }
    )  # fmt: skip
    still = rows.with_columns(seconds=pl.lit(100))
    assert "hardly moved" in handletime.mix(still, "2024-01-08").headline()
    said = handletime.mix(rows, "2024-01-08").summary()
    assert "fell by 10.0 s" in said
    assert "all calls are of one service" in said
    assert "shorter ones" not in said
