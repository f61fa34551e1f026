"""Gaps between what owners perceive, what they get and what they expect, concern by concern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.multiple import several

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["ConcernGaps", "concern_gaps"]

_PARTS = ("perceived", "got", "expected")
_FEWEST = 3
_DRAWS = 2000


@dataclass(frozen=True, eq=False, kw_only=True)
class ConcernGaps(Result):
    """Mean scores by concern, and the gaps between them, the widest shortfall first.

    Attributes
    ----------
    frame
        Per concern: ``n`` ratings, means ``perceived``, ``got``, ``expected``; ``gap`` (perceived
        less expected: below 0, owners see less than they want) and ``unseen`` (got less perceived:
        above 0, more is delivered than they see), each with ``_low`` and ``_high``; ``stands_out``:
        the gap remains once all concerns are looked at together (Benjamini–Hochberg). ``got`` and
        ``unseen`` are null where nothing was measured.
    """

    frame: pl.DataFrame

    def summary(self) -> str:
        """The widest shortfalls, with limits, and how they were found."""
        rows = self.frame.to_dicts()
        worst = rows[0]
        clear = [row["concern"] for row in rows if row["stands_out"] and row["gap"] < 0]
        answer = (
            f"Widest between what owners expect and perceive: {worst['concern']}, "
            f"{_signed(worst['gap'])} ({100 * self.inputs['level']:g}% interval "
            f"{_signed(worst['gap_low'])} to {_signed(worst['gap_high'])}). "
            if worst["gap"] < 0
            else "No concern is perceived below what owners expect. "
        )
        if worst["gap"] < 0:
            answer += (
                f"{len(clear)} of {len(rows)} concerns fall clearly short: {', '.join(clear)}. "
                if clear
                else f"None of the {len(rows)} concerns falls clearly short of what is expected. "
            )
        return answer + f"Means of ratings, {self.inputs['words']}."

    def to_frame(self) -> pl.DataFrame:
        """Give the concerns, the widest shortfall first."""
        return self.frame


def concern_gaps(
    scores: Any,
    *,
    method: Literal["t", "bootstrap"] = "t",
    level: float = 0.95,
    seed: int = 1,
) -> ConcernGaps:
    """Set what owners perceive, get and expect side by side, with limits.

    Parameters
    ----------
    scores
        Either ratings, a row per owner and concern: ``concern``, ``perceived``, ``expected``, and
        ``got`` if it was measured; or means, a row per concern: the same columns, their standard
        deviations ``perceived_sd``, ``expected_sd`` (``got_sd``), and ``n`` ratings. All on one
        scale, where more is better.
    method
        ``"t"``: Student's limits. ``"bootstrap"``: percentiles of ratings drawn again 2,000 times;
        needs ratings.
    level
        Of the limits, 0–1.
    seed
        Of the bootstrap.

    Returns
    -------
    ConcernGaps

    Raises
    ------
    InputError
        A missing column, a concern that stands twice among means, ratings that are not numbers.
    DataError
        Fewer than three ratings of a concern.

    Notes
    -----
    With ratings a gap is the mean of each owner's own difference (paired). With means alone both
    sides are taken as independent (Welch), which is wider where owners who expect more also
    perceive more. Ratings of those who answered: who stays silent may think otherwise.

    References
    ----------
    A. Parasuraman, V. Zeithaml, L. Berry, A conceptual model of service quality, Journal of
    Marketing 49 (1985), 41–50.

    Examples
    --------
    >>> import polars as pl
    >>> ratings = pl.DataFrame({
    ...     "concern": ["price"] * 4 + ["speed"] * 4,
    ...     "perceived": [3.0, 4.0, 3.0, 4.0, 2.0, 1.0, 2.0, 1.0],
    ...     "expected": [4.0, 4.0, 4.0, 4.0, 5.0, 5.0, 4.0, 5.0]})
    >>> concern_gaps(ratings).frame.select("concern", "gap", "stands_out").rows()
    [('speed', -3.25, True), ('price', -0.5, False)]
    """
    import polars as pl

    if not isinstance(scores, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            scores = nw.from_native(scores, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "scores must be a polars or pandas frame", f"got {type(scores).__name__}"
            ) from error
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError("a seed is whole, 0 or more", f"seed={seed!r}", "such as 1")
    if not isinstance(method, str) or method not in ("t", "bootstrap"):
        raise InputError("no such method", f"method={method!r}", "'t' or 'bootstrap'")
    if not (isinstance(level, float) and 0 < level < 1):
        raise InputError("the level lies between 0 and 1", f"level={level!r}", "such as 0.95")
    _check_columns(scores)
    has_got = "got" in scores.columns and scores["got"].null_count() < scores.height
    parts = [part for part in _PARTS if part != "got" or has_got]
    given_means = "n" in scores.columns
    if given_means and method == "bootstrap":
        raise InputError(
            "means cannot be drawn again", "method='bootstrap' with column n",
            "give ratings, a row per owner and concern",
        )  # fmt: skip
    rng = np.random.default_rng(seed)
    rows = []
    for (concern,), part in scores.group_by(["concern"], maintain_order=True):
        one = (
            _from_means(str(concern), part, parts, level)
            if given_means
            else _from_ratings(str(concern), part, parts, level, method, rng)
        )
        rows.append({"concern": str(concern), **one})
    frame = pl.DataFrame(rows, infer_schema_length=None)
    found = several(frame["p_value"].to_list(), level).stands_out
    frame = (
        frame.with_columns(stands_out=pl.Series(list(found))).drop("p_value").sort("gap", "concern")
    )
    least = int(frame["n"].to_numpy().min())
    words = (
        "limits by drawing owners again"
        if method == "bootstrap"
        else "limits by Welch's t of independent means"
        if given_means
        else "limits by Student's t of each owner's own difference"
    )
    return ConcernGaps(
        frame=frame,
        inputs={"method": method, "level": level, "seed": seed, "words": words},
        checks=(
            Check(
                "Who answered",
                "informs",
                f"{least:,} ratings or more of every concern, of owners who answered; those who "
                "did not may think otherwise",
            ),
        ),
    )


def _check_columns(scores: pl.DataFrame) -> None:
    import polars as pl

    wanted = ["concern", "perceived", "expected"]
    if "n" in scores.columns:
        wanted += ["perceived_sd", "expected_sd"]
        if "got" in scores.columns:
            wanted.append("got_sd")
    for name in wanted:
        if name not in scores.columns:
            raise InputError(
                "the scores lack a column", f"column {name!r}", "it needs " + ", ".join(wanted)
            )
        if name != "concern" and not scores.schema[name].is_numeric():
            raise InputError("scores must be numbers", f"column {name!r} is {scores.schema[name]}")
    if not scores.height:
        raise DataError("there are no scores", "0 rows")
    if scores["concern"].null_count():
        raise InputError("a row of the scores names no concern", "concern=null")
    if "n" in scores.columns:
        twice = scores.filter(pl.col("concern").is_duplicated())
        if twice.height:
            raise InputError(
                "a concern stands twice among the means", f"concern {twice['concern'][0]!r}"
            )


def _few(concern: str, count: float) -> DataError:
    return DataError(
        "too few ratings for an interval", f"concern {concern!r}: {count:g}",
        f"{_FEWEST} or more are needed",
    )  # fmt: skip


def _from_ratings(
    concern: str, part: pl.DataFrame, parts: list[str], level: float, method: str, rng: Any
) -> dict[str, Any]:
    import polars as pl

    both = part.filter(pl.all_horizontal(pl.col(parts).is_not_null()))
    if both.height < _FEWEST:
        raise _few(concern, both.height)
    values = {name: both[name].cast(pl.Float64).to_numpy() for name in parts}
    values["gap"] = values["perceived"] - values["expected"]
    if "got" in values:
        values["unseen"] = values["got"] - values["perceived"]
    row: dict[str, Any] = {"n": both.height}
    draws = rng.integers(0, both.height, (_DRAWS, both.height)) if method == "bootstrap" else None
    for name in (*_PARTS, "gap", "unseen"):
        column = values.get(name)
        if column is None:
            row |= {name: None, f"{name}_low": None, f"{name}_high": None}
            continue
        mean = float(column.mean())
        if draws is not None:
            low, high = np.quantile(column[draws].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        else:
            half = _t(level, both.height - 1) * column.std(ddof=1) / np.sqrt(both.height)
            low, high = mean - half, mean + half
        row |= {name: mean, f"{name}_low": float(low), f"{name}_high": float(high)}
    error = values["gap"].std(ddof=1) / np.sqrt(both.height)
    return row | {"p_value": _p(row["gap"], float(error), both.height - 1)}


def _from_means(concern: str, part: pl.DataFrame, parts: list[str], level: float) -> dict[str, Any]:
    given = part.row(0, named=True)
    n = given["n"]
    if n is None or not n >= _FEWEST:  # NaN is no number of ratings either
        raise _few(concern, 0 if n is None or np.isnan(n) else n)
    row: dict[str, Any] = {"n": int(n)}
    squares = {}
    for name in _PARTS:
        if name not in parts or given[name] is None:
            row |= {name: None, f"{name}_low": None, f"{name}_high": None}
            continue
        squares[name] = given[f"{name}_sd"] ** 2 / n
        half = _t(level, n - 1) * np.sqrt(squares[name])
        row |= {name: given[name], f"{name}_low": given[name] - half,
                f"{name}_high": given[name] + half}  # fmt: skip
    p_value = 1.0
    for name, above, below in (("gap", "perceived", "expected"), ("unseen", "got", "perceived")):
        if above not in squares or below not in squares:
            row |= {name: None, f"{name}_low": None, f"{name}_high": None}
            continue
        both = squares[above] + squares[below]
        freedom = (
            both**2 / ((squares[above] ** 2 + squares[below] ** 2) / (n - 1)) if both else n - 1
        )
        gap, half = given[above] - given[below], _t(level, freedom) * np.sqrt(both)
        row |= {name: gap, f"{name}_low": gap - half, f"{name}_high": gap + half}
        if name == "gap":
            p_value = _p(gap, float(np.sqrt(both)), freedom)
    return row | {"p_value": p_value}


def _t(level: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def _p(gap: float, error: float, freedom: float) -> float:
    from scipy.special import stdtr

    if error == 0:
        return 0.0 if gap else 1.0
    return float(2 * stdtr(freedom, -abs(gap) / error))


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
