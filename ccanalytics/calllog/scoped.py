"""What the parts of ``CallLog`` that ask about calls stand on: one state, one span, one choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.file import LogFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import date

    from ccanalytics.calllog.rollups.scope import Scope

__all__ = ["ScopedLog"]


class ScopedLog(LogFile):
    """A log whose calls can be asked about; ``CallLog`` says how the scope comes about."""

    if TYPE_CHECKING:

        def _scope(
            self,
            start: date | str | None,
            end: date | str | None,
            where: Mapping[str, Any] | None,
            *,
            until_over: bool = False,
        ) -> AbstractContextManager[Scope]: ...
