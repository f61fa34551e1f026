"""The voice menu as the log has it: how long calls are in it, and how many go on to an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.errors import DataError
from ccanalytics.results import Check, Result

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MenuMeasured", "menu_measured"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MenuMeasured(Result):
    """What lines are planned with.

    Attributes
    ----------
    calls
        Calls that came in, met no busy signal.
    menu_s
        Mean seconds in the voice menu over all of them; 0 where the log knows of no menu.
    to_agent
        Share of them that asked for an agent.
    """

    calls: int
    menu_s: float
    to_agent: float

    def summary(self) -> str:
        """Time and share in words."""
        menu = (
            f"spend {self.menu_s:.1f} s in the voice menu on average"
            if self.menu_s
            else "have no recorded time in a voice menu"
        )
        return f"{self.calls:,} calls {menu}, and {self.to_agent:.1%} go on to an agent."

    def to_frame(self) -> pl.DataFrame:
        """Give one row."""
        import polars as pl

        return pl.DataFrame(
            {"calls": [self.calls], "mean_menu_s": [self.menu_s], "to_agent": [self.to_agent]}
        )


def menu_measured(days: pl.DataFrame) -> MenuMeasured:
    """Measure the menu from intervals of any length.

    Parameters
    ----------
    days
        Frame of ``log.intervals("1d")``, without keys or with them.

    Returns
    -------
    MenuMeasured

    Raises
    ------
    DataError
        No call came in.
    """
    calls = int(days["arrived"].sum()) - int(days["blocked"].sum())
    if calls <= 0:
        raise DataError("no call got in on these days", "0 calls", "widen start and end")
    known = days["menu_s"].null_count() < days.height
    seconds = float(days["menu_s"].fill_null(0.0).sum()) / calls
    share = min(float(days["offered"].sum()) / calls, 1.0)
    checks = []
    if not known:
        words = "the log has no time in a voice menu; lines and ports are planned without it"
        checks.append(Check("Voice menu", "informs", words))
    if not days["contained"].sum() and not days["diverted"].sum():
        words = (
            "no call is recorded as completed in the menu: if there are such calls, fewer go on to "
            "an agent than this share says, and lines, ports and menu load are too low"
        )
        checks.append(Check("Share to an agent", "fails" if known else "informs", words))
    return MenuMeasured(
        calls=calls, menu_s=seconds, to_agent=share, inputs={}, checks=tuple(checks)
    )
