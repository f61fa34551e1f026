"""The file of a log: read as it stands, replaced whole.

DuckDB lets no second process in beside a writer, so nobody ever writes to the log itself. A load
writes the log's next state into a private copy beside it, and when that is whole and on the disk,
it takes the log's place in one step (``rename``). Hence

- whoever reads never waits for a load and never meets half of one: a question keeps the file that
  it opened, and the next one opens the new file;
- a load that is killed, or that finds the disk full, leaves the log untouched: what it wrote was
  private, and the next load sweeps it away;
- two loads at once queue up for the right to write; a third party that has the log open for
  writing is waited for, and never overwritten.

The price is a second copy of the log while a load ends. File systems that share blocks (XFS,
Btrfs) make it at no cost; others at the speed of the disk, and outside everyone's way. A load of
many files makes a copy for several of them where copying takes long (:meth:`Store.loading`).

This rests on POSIX: renaming over an open file, and locks that end with their process. Windows is
not supported, nor are logs on network file systems that lack either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ccanalytics.calllog.database import attached, cursor_of, speaking, version_of
from ccanalytics.calllog.generation import Loading
from ccanalytics.calllog.workspace import work_folder
from ccanalytics.errors import InputError, LogError
from ccanalytics.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

__all__ = ["Store", "check_time_zone"]

logger = logging.getLogger("ccanalytics")
_READ_WAIT_S, _LOAD_WAIT_S = 10.0, 600.0
# What this thread has open: a store → the connection of its outermost question or of its load.
_here = threading.local()


def check_time_zone(name: str, where: str = "time_zone") -> str:
    """The name itself if it is a known IANA time zone; an InputError otherwise."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(
            "no such time zone",
            f"{where}={name!r}",
            "give an IANA name such as Asia/Shanghai or Europe/London",
        ) from error
    return name


class Store:
    """One log: read by anyone at any time, written to by one load at a time.

    Parameters
    ----------
    path
        The DuckDB file. A symbolic link is followed, and stays one.
    wait_s
        Seconds to wait: for another load to end, and for another program that has the log open
        for writing. Default: 600 for a load, 10 for a question.
    """

    def __init__(self, path: Path, wait_s: float | None = None) -> None:
        self.path = path
        self.wait_s = wait_s

    def is_new(self) -> bool:
        """Whether there is no log yet."""
        return _held(self) is None and not _there(self.path)

    @contextlib.contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The log as it stands now, read-only, for one question.

        Questions within a question of the same thread see the same state; those within a load see
        the files that it has taken over so far.
        """
        held = _held(self)
        if held is not None:
            cursor = cursor_of(held)
            try:
                yield cursor
            finally:
                cursor.close()
            return
        log = self._log()
        wait_s = _READ_WAIT_S if self.wait_s is None else self.wait_s
        if not _there(log):
            raise _no_log(self.path)
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(attached(log, read_only=True, wait_s=wait_s))
            version = version_of(opened, self.path)
            if version < SCHEMA_VERSION:
                stack.close()
                self._bring_up()
                opened = stack.enter_context(attached(log, read_only=True, wait_s=wait_s))
                version_of(opened, self.path)
            with speaking(self.path), _holding(self, opened):
                yield opened

    @contextlib.contextmanager
    def loading(self, time_zone: str, package_version: str) -> Iterator[None]:
        """A series of :meth:`writing`, each all or nothing, that may share copies of the log.

        The log is replaced after each one as long as copying it has taken less than a tenth of
        the time, else after several; at the end in any case, also if a later one fails. A process
        that is killed loses those since the last time, whole ones only; loading them again is all
        it takes.
        """
        if _loading(self) is not None:
            yield
            return
        load = self._next(check_time_zone(time_zone), package_version)
        _here.__dict__.setdefault("loads", {})[self] = load
        try:
            yield
        finally:
            try:
                load.end()
            finally:
                del _here.loads[self]

    @contextlib.contextmanager
    def writing(self, time_zone: str, package_version: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction on the log's next state, all of it or nothing; a new log is made.

        Raises
        ------
        LogError
            The log is in use, newer than this version, no log, or cannot be written.
        """
        with self.loading(time_zone, package_version):
            load = _loading(self)
            assert load is not None  # noqa: S101 - for the type checker
            with load.transaction() as connection, _holding(self, connection):
                yield connection

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A private folder beside the log for what a load reads before it takes it over.

        It goes away at the end; after a kill, with the next load.
        """
        with work_folder(self._log().parent) as folder:
            try:
                yield folder
            except OSError as error:
                raise LogError(
                    "the file could not be loaded; the log is without it",
                    str(folder.parent),
                    f"the system says: {error.strerror or error}",
                ) from error

    def _bring_up(self) -> None:
        """Migrate a log of an older schema: a load of nothing."""
        load = self._next(None, "")
        try:
            load.open()
        finally:
            load.end()

    def _next(self, time_zone: str | None, package_version: str) -> Loading:
        wait_s = _LOAD_WAIT_S if self.wait_s is None else self.wait_s
        return Loading(self._log(), wait_s, time_zone, package_version)

    def _log(self) -> Path:
        """The file itself, where the path is a link to it."""
        try:
            log = Path(os.path.realpath(self.path))
            if log.is_dir():
                raise LogError(
                    "this is a folder, not a call log", str(self.path), "name a file in it"
                )
        except (OSError, ValueError) as error:
            raise _no_path(self.path, error) from error
        return log


def _held(store: Store) -> duckdb.DuckDBPyConnection | None:
    """What this thread reads from: its load's state so far, else its outermost question's."""
    connection = _here.__dict__.setdefault("connections", {}).get(store)
    load = _loading(store)
    if connection is None and load is not None:
        return load.whole_state()
    return connection


def _loading(store: Store) -> Loading | None:
    return _here.__dict__.setdefault("loads", {}).get(store)


@contextlib.contextmanager
def _holding(store: Store, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connections = _here.__dict__.setdefault("connections", {})
    before = connections.get(store)
    connections[store] = connection
    try:
        yield
    finally:
        if before is None:
            del connections[store]
        else:
            connections[store] = before


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise _no_path(path, error) from error


def _no_path(path: Path, error: Exception) -> LogError:
    return LogError(
        "this path cannot be opened", str(path), getattr(error, "strerror", None) or str(error)
    )


def _no_log(path: Path) -> LogError:
    return LogError(
        "there is no call log here",
        str(path),
        "load an export first: ccanalytics load FILE --source NAME --log FILE",
    )
