"""DuckDB files opened for a moment, and what their errors mean to a user."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ccanalytics.errors import LogError
from ccanalytics.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    import duckdb

__all__ = ["attached", "cursor_of", "in_memory", "speaking", "version_of"]

_PAUSE_S = 0.02
# A file of another kind must not make the database fetch a reader for it.
# And memory that it has done with goes back at once, not when its thread next has time.
_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allocator_background_threads": "true",
}
# The database keeps within this and goes to disk beyond it, whatever the size of the log.
_MOST_MEMORY = 2 << 30
# Whoever writes has less, since a load holds blocks of rows besides, and few threads, each of which
# holds a group of rows.
_WRITING_MEMORY, _WRITING_THREADS = 1 << 30, 4
# What DuckDB says while another process, or another connection of this one, is in the way.
_IN_USE = ("lock on file", "conflicting lock", "already attached", "different configuration")
_INTERRUPTED = "Query interrupted"
# Connections of the main thread, the only one that Ctrl-C reaches.
_interruptible: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
_NO_LOG = ("not a valid duckdb", "in-memory", "serialization", "corrupt")


@contextlib.contextmanager
def attached(
    path: Path, *, read_only: bool, wait_s: float, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current database is this file; closed at the end.

    The file is attached to a database in memory rather than opened by itself: DuckDB would hand a
    second connection of one process the file that the first one opened, also after another file
    has taken its place. Reading spills to the system's folder for temporary files (``TMPDIR``), so
    that it needs no right to write beside the log.

    Parameters
    ----------
    path
        The file; made if it does not exist and ``read_only`` is false.
    wait_s
        Seconds to wait while another program has it open for writing (or, to write, at all).
    spill
        Folder for what does not fit into memory.
    """
    with contextlib.ExitStack() as stack:
        spill_name = ""  # no folder for it: all must fit into memory
        if spill is None:
            with contextlib.suppress(OSError):
                spill_name = stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="ccanalytics-", ignore_cleanup_errors=True)
                )
        else:
            spill_name = str(spill)
        connection = in_memory()
        stack.callback(_close, connection)
        connection.execute("SET temp_directory = ?", [spill_name])
        if not read_only:
            limit = min(_WRITING_MEMORY, _memory_limit())
            connection.execute("SET memory_limit = ?", [f"{limit >> 20}MiB"])
            ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
            connection.execute("SET threads = ?", [min(threads, _WRITING_THREADS)])
        _attach(connection, path, read_only=read_only, wait_s=wait_s)
        _look_at_log(connection)
        yield connection


def _draw_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch the progress bar off where it is on: a notebook's kernel may refuse the very setting.

    It does where ipywidgets are missing, and there no bar is drawn.
    """
    ((drawn,),) = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if drawn:
        connection.execute("SET enable_progress_bar = false")


def in_memory() -> duckdb.DuckDBPyConnection:
    """A connection to an empty database in memory, within the limit and without a word.

    DuckDB would draw a progress bar on standard output where a query takes long, also into JSON.
    """
    import duckdb

    limit = f"{_memory_limit() >> 20}MiB"
    connection = _noted(duckdb.connect(config={**_CONFIG, "memory_limit": limit}))
    _draw_nothing(connection)
    return connection


def _noted(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    if threading.current_thread() is threading.main_thread():
        _interruptible.add(connection)
    return connection


@contextlib.contextmanager
def _interruptible_queries() -> Iterator[None]:
    """Let Ctrl-C end a query that runs in one of the database's own threads.

    By itself it is seen between two pieces of work of the thread that asked, which then waits
    until the other threads have worked to the end of theirs: minutes, in a large log.
    """
    before = signal.getsignal(signal.SIGINT)
    ours = getattr(before, "stops_queries", False)
    if threading.current_thread() is not threading.main_thread() or not callable(before) or ours:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except BaseException:
            # Whoever only takes note of Ctrl-C lets queries go on.
            for connection in list(_interruptible):
                connection.interrupt()
            raise

    stop.stops_queries = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, before)


def _memory_limit() -> int:
    """Bytes that the database may use: 2 GiB, or half of what the machine has if that is less."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return _MOST_MEMORY
    return max(min(_MOST_MEMORY, there // 2), 256 << 20)


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with contextlib.suppress(duckdb.Error):
        connection.close()


def _attach(
    connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool, wait_s: float
) -> None:
    import duckdb

    deadline = time.monotonic() + wait_s
    how = "READ_ONLY, TYPE duckdb" if read_only else "TYPE duckdb"
    while True:
        try:
            connection.execute(f"ATTACH ? AS log ({how})", [os.fspath(path)])
        except duckdb.Error as error:
            if not any(sign in str(error).lower() for sign in _IN_USE):
                raise unusable(path, error) from error
            if time.monotonic() > deadline:
                raise LogError(
                    "the call log is in use by another program that can write to it, also after "
                    f"waiting {wait_s:g} s",
                    str(path),
                    "close the other program and try again",
                ) from error
            time.sleep(_PAUSE_S)
        else:
            return


def cursor_of(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection to the same state: its temporary tables and relations are its own."""
    cursor = _noted(connection.cursor())
    _look_at_log(cursor)
    return cursor


def _look_at_log(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("USE log")
    connection.execute("SET TimeZone = 'UTC'")
    _draw_nothing(connection)


@contextlib.contextmanager
def speaking(path: Path, what: str = "the call log cannot be read") -> Iterator[None]:
    """Say what a damaged file or a failing disk means; Ctrl-C during a query stays Ctrl-C."""
    import duckdb

    try:
        with _interruptible_queries():
            yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        # The database's own module makes this of the interrupt that it finds during a query.
        if str(error) != _INTERRUPTED:
            raise
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        raise LogError(
            "there is not enough memory or room on disk for this",
            str(path),
            "ask for fewer days at once, or make room where TMPDIR points and beside the log",
        ) from error
    except (
        duckdb.IOException,
        duckdb.FatalException,
        duckdb.InternalException,
        duckdb.SerializationException,
        duckdb.TransactionException,
    ) as error:
        raise unusable(path, error, what) from error


def unusable(path: Path, error: Exception, what: str = "the call log cannot be opened") -> LogError:
    """What an error of the database means."""
    text = str(error)
    if "database does not exist" in text:
        return LogError(
            "there is no call log here",
            str(path),
            "load an export first: ccanalytics load FILE --source NAME --log FILE",
        )
    if any(sign in text.lower() for sign in _NO_LOG):
        return LogError(
            "this file is not a call log",
            str(path),
            "name the DuckDB file that 'ccanalytics load --log' made",
        )
    damaged = what.startswith("the call log cannot be")
    remedy = "put a copy back, or load the exports into a new log; " if damaged else ""
    return LogError(what, str(path), f"{remedy}the database says: {text.splitlines()[0]}")


def version_of(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The schema of the attached log; what is no log, or newer than this version, is refused."""
    import duckdb

    try:
        with speaking(path, "the call log cannot be opened"):
            ((version, _),) = connection.execute(
                "SELECT schema_version, time_zone FROM meta"
            ).fetchall()
        version = int(version)
    except (duckdb.CatalogException, duckdb.BinderException, ValueError, TypeError) as error:
        raise LogError(
            "this database is not a call log of ccanalytics",
            str(path),
            "name the file that 'ccanalytics load --log' made",
        ) from error
    if version > SCHEMA_VERSION or version < 1:
        raise LogError(
            f"the call log has schema {version}, newer than the {SCHEMA_VERSION} that this "
            "version of ccanalytics knows"
            if version > 0
            else f"the call log has schema {version}, which there never was",
            str(path),
            "upgrade ccanalytics" if version > 0 else "load the exports again into a new log",
        )
    return version
