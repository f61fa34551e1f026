"""Errors that speak to the user: what is wrong, where, and what to do about it."""

from __future__ import annotations

__all__ = [
    "CcanalyticsError",
    "DataError",
    "InputError",
    "LogError",
    "UnsupportedError",
]


class CcanalyticsError(Exception):
    """An error with a message a planner can act on.

    Parameters
    ----------
    what
        What is wrong, as a clause without a full stop.
    where
        The place: a file and line, an argument and its value, a column. May be empty.
    remedy
        What to do about it, as a clause. May be empty.

    Examples
    --------
    >>> print(InputError("the share is above 1", "share=80", "write 80% as 0.80"))
    the share is above 1 (share=80): write 80% as 0.80
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.remedy:
            text += f": {self.remedy}"
        # One readable line, whatever a file name or a value brought along.
        return " ".join(text.split())


class InputError(CcanalyticsError, ValueError):
    """An argument, a file or a parameter that cannot be used as it is (exit code 2)."""

    exit_code = 2


class UnsupportedError(CcanalyticsError, ValueError):
    """A combination without an exact answer; the message names the alternative (exit code 2)."""

    exit_code = 2


class LogError(CcanalyticsError):
    """The call log itself: missing, locked, of another version (exit code 3)."""

    exit_code = 3


class DataError(CcanalyticsError):
    """The data cannot answer this question (exit code 4)."""

    exit_code = 4


def share_hint(value: float, otherwise: str) -> str:
    """Say how a percentage is written as a share; a number just above 1 is a slip, not a percent.

    >>> share_hint(80, "such as 0.8"), share_hint(1.1, "such as 0.8")
    ('write 80% as 0.8', 'such as 0.8')
    """
    return f"write {value:g}% as {value / 100:g}" if 2 <= value <= 100 else otherwise
