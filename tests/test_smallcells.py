"""Small cells: what rests on too few people is not shown, nor what a total would give away."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics import smallcells
from ccanalytics.errors import DataError, InputError
from ccanalytics.runs.tables import html_table


@pytest.fixture
def five():
    smallcells.set_least(5)
    yield
    smallcells.set_least(0)


def agents(counts):
    return pl.DataFrame(
        {
            "agent": [f"a{i}" for i in range(len(counts))],
            "calls": counts,
            "mean_s": [float(c) for c in counts],
        },
        schema={"agent": pl.String, "calls": pl.Int64, "mean_s": pl.Float64},
    )


def test_a_small_row_takes_the_next_with_it():
    assert smallcells.hidden(agents([90, 3, 40, 20]), 5) == ([1], [3])
    # Two that are large enough together protect each other.
    assert smallcells.hidden(agents([90, 3, 4, 20]), 5) == ([1, 2], [])
    assert smallcells.hidden(agents([90, 1, 1, 20]), 5) == ([1, 2], [3])
    assert smallcells.hidden(agents([90, 0, 40]), 5) == ([], [])
    assert smallcells.hidden(agents([90, 3]), 0) == ([], [])


def test_a_total_stays_and_is_no_company():
    frame = agents([133, 3, 90, 40]).with_columns(agent=pl.Series(["All", "a", "b", "c"]))
    assert smallcells.hidden(frame, 5) == ([1], [3])
    assert smallcells.suppressed(frame)["calls"].to_list() == [133, None, 90, None]


def test_along_two_keys_no_total_tells():
    frame = pl.DataFrame(
        {
            "team": ["x"] * 3 + ["y"] * 3,
            "service": ["s", "t", "u"] * 2,
            "calls": [3, 50, 60, 70, 20, 90],
        }
    )
    small, more = smallcells.hidden(frame, 5)
    assert small == [0]
    out = {*small, *more}
    for key in ("team", "service"):
        for value in frame[key].unique():
            rows = {i for i in range(6) if frame[key][i] == value}
            assert len(rows & out) != 1


def test_frames_without_names_or_counts_are_left_alone():
    frame = agents([3, 90]).drop("agent")
    assert smallcells.suppressed(frame).equals(frame)
    # A mean number of calls per interval is no count of people.
    mean = agents([3, 90]).with_columns(pl.col("calls").cast(pl.Float64))
    assert smallcells.suppressed(mean).equals(mean)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 8), st.integers(0, 10**6)
)
def test_what_is_shown_never_gives_a_small_count_away(counts, number, seed):
    """Whoever knows the total and the shown rows learns of the hidden ones their sum alone."""
    frame = agents(counts)
    small, more = smallcells.hidden(frame, number)
    assert all(0 < counts[i] < number for i in small)
    assert [i for i, c in enumerate(counts) if 0 < c < number] == small
    out = {*small, *more}
    others = [i for i, c in enumerate(counts) if c and i not in out]
    if out and others:
        assert len(out) > 1
        assert sum(counts[i] for i in out) >= number


def test_a_frame_of_another_library_is_refused_in_words():
    pd = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="from_pandas"):
        smallcells.suppressed(pd.DataFrame({"agent": ["a"], "calls": [3]}))


@pytest.mark.usefixtures("five")
def test_a_report_table_says_what_it_leaves_out():
    html = html_table(agents([90, 3, 40]))
    assert '<td class="num">&lt;5</td>' in html
    assert ">3<" not in html
    assert ">40<" not in html
    assert "1 row of fewer than 5 calls or people and 1 beside" in html
    assert "not shown" not in html_table(agents([90, 40]))


def test_outside_a_report_all_is_shown():
    assert smallcells.least() == 0
    assert ">3<" in html_table(agents([90, 3, 40]))


@pytest.mark.usefixtures("five")
def test_charts_leave_small_rows_out():
    pytest.importorskip("plotly")
    from ccanalytics import charts, handletime

    def times(sizes):
        rows = [(f"a{i}", 60.0 + j, 1) for i, n in enumerate(sizes) for j in range(n)]
        frame = pl.DataFrame(rows, schema=["agent", "seconds", "calls"], orient="row")
        return handletime.distribution(frame, by=["agent"])

    figure = charts.handle_time_by_key(times([90, 3, 40, 50]))
    assert set(figure.data[0].y) == {"a0", "a3"}
    with pytest.raises(DataError, match="too few"):
        charts.handle_time_by_key(times([3, 4]))


@pytest.mark.parametrize("wrong", [-1, 2.5, "5", True, None])
def test_a_wrong_threshold_is_refused(wrong):
    with pytest.raises(InputError, match="small_cells"):
        smallcells.set_least(wrong)
    assert smallcells.least() == 0
