"""The next state of a log: a private copy that takes the log's place when it is whole."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING

from ccanalytics.calllog.database import attached, speaking, version_of
from ccanalytics.calllog.migrations import copy_name, migrate
from ccanalytics.calllog.tables import create_log
from ccanalytics.calllog.workspace import copied, flushed, stage, work_folder, write_lock
from ccanalytics.errors import InputError, LogError
from ccanalytics.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

__all__ = ["Loading"]

logger = logging.getLogger("ccanalytics")
# The log is replaced when copying it took less than this part of the time since.
_COPYING = 0.1


class Loading:
    """Transactions on a private copy of a log, and putting it into the log's place.

    The copy is made, and the right to write taken, with the first transaction; each transaction is
    folded into the file at its end, so that what fails later cannot touch it.

    Parameters
    ----------
    log
        The file itself, no link to it.
    wait_s
        Seconds to wait for another load, or another program that writes.
    time_zone, package_version
        What a new log is made with; no time zone: it takes what there is.
    """

    def __init__(
        self, log: Path, wait_s: float, time_zone: str | None, package_version: str
    ) -> None:
        self.log = log
        self._wait_s = wait_s
        self._time_zone = time_zone
        self._package_version = package_version
        self._held = contextlib.ExitStack()  # the right to write, the work folder, the old file
        self._open = contextlib.ExitStack()  # the connection to the copy
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._next: Path
        self._before: tuple[int, ...] | None = None
        self._older: int | None = None
        self._whole = self._failed = False
        self._began = self._copying_s = 0.0

    def whole_state(self) -> duckdb.DuckDBPyConnection | None:
        """A connection to what has been taken over but is not published yet."""
        return self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction on the next state, which is kept when it succeeds."""
        with self._speaking():
            connection = self.open()
            try:
                stage("taking over")
                connection.execute("BEGIN")
                yield connection
                stage("committing")
                connection.execute("COMMIT")
                stage("checkpointing")
                connection.execute("CHECKPOINT")
            except BaseException:
                self._failed = True
                raise
            self._whole = True
            if time.monotonic() - self._began >= self._copying_s / _COPYING:
                self._publish()

    def end(self) -> None:
        """Publish what is whole, and let go of everything."""
        try:
            if self._whole:
                with self._speaking():
                    self._publish()
        finally:
            self._close()

    def open(self) -> duckdb.DuckDBPyConnection:
        """The copy, made if there is none; a log of an older schema is brought up in it."""
        if self._connection is None:
            try:
                with self._speaking():
                    self._connection = self._copy()
            except BaseException:
                self._close()
                raise
        return self._connection

    @contextlib.contextmanager
    def rewriting(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The log as it is (``log``, read-only) and an empty file (``fresh``) that replaces it.

        It takes the log's place at the end, if nothing failed.
        """
        with self._speaking("the log could not be written anew; it is as it was"):
            try:
                folder = self._alone()
                self._fold()
                connection = self._held.enter_context(
                    attached(self.log, read_only=True, wait_s=self._wait_s, spill=folder / "spill")
                )
                version_of(connection, self.log)
                self._remember()
                connection.execute("ATTACH ? AS fresh (TYPE duckdb)", [os.fspath(self._next)])
                yield connection
                stage("checkpointing")
                connection.execute("CHECKPOINT fresh")
                connection.execute("DETACH fresh")
                self._replace()
            finally:
                self._close()

    def _alone(self) -> Path:
        """Take the right to write; the folder of what is written."""
        self._held.enter_context(write_lock(self.log, self._wait_s))
        folder = self._held.enter_context(work_folder(self.log.parent))
        self._next = folder / "next.duckdb"
        self._began = time.monotonic()
        return folder

    def _copy(self) -> duckdb.DuckDBPyConnection:
        folder = self._alone()
        version = self._copy_old() if self.log.exists() else None
        connection = self._open.enter_context(
            attached(self._next, read_only=False, wait_s=0, spill=folder / "spill")
        )
        if version is None:
            create_log(connection, self._time_zone or "UTC", self._package_version)
        elif version < SCHEMA_VERSION:
            self._migrate(connection, version)
        self._copying_s = time.monotonic() - self._began
        return connection

    def _copy_old(self) -> int:
        """Copy the log as it is; its schema. Other programs cannot write to it until the end."""
        self._fold()
        old = self._held.enter_context(attached(self.log, read_only=True, wait_s=self._wait_s))
        version = version_of(old, self.log)
        ((zone,),) = old.execute("SELECT time_zone FROM meta").fetchall()
        if self._time_zone not in (None, zone):  # another load has just made the log
            raise InputError(
                f"this log is of a centre in {zone}",
                f"time_zone={self._time_zone!r}",
                "leave the time zone out, or load into another log",
            )
        source = self._remember()
        stage("copying")
        copied(source, self._next)
        return version

    def _remember(self) -> int:
        """Which file the log is now; a handle of it."""
        # Closing any handle of a file frees all locks that this process has on it: keep this one.
        source = os.open(self.log, os.O_RDONLY)
        self._held.callback(os.close, source)
        self._before = _identity(os.fstat(source))
        return source

    def _fold(self) -> None:
        """Fold in what another program that was killed left beside the log."""
        if not _wal(self.log).exists():
            return
        with attached(self.log, read_only=True, wait_s=self._wait_s) as connection:
            version_of(connection, self.log)
        with attached(self.log, read_only=False, wait_s=self._wait_s) as connection:
            connection.execute("CHECKPOINT")

    def _migrate(self, connection: duckdb.DuckDBPyConnection, version: int) -> None:
        stage("migrating")
        migrate(connection, version, self.log)
        connection.execute("CHECKPOINT")
        self._older, self._whole = version, True

    def _publish(self) -> None:
        """Close the next state, and put it into the log's place."""
        self._detach()
        self._replace()

    def _replace(self) -> None:
        """Put the next state into the log's place, in one step, when it is on the disk."""
        flushed(self._next)
        now = _identity(self.log.stat()) if self.log.exists() else None
        if now != self._before or (now is not None and _wal(self.log).exists()):
            raise LogError(
                "another program changed or replaced the log meanwhile; nothing was done to it",
                str(self.log),
                "try again",
            )
        if now is not None:
            _same_rights(self.log, self._next)
        kept = self._keep() if self._older is not None else None
        stage("publishing")
        self._next.replace(self.log)
        flushed(self.log.parent)
        stage("done")
        if kept is not None:
            logger.warning(
                "%s was brought from schema %d to %d; the log as it was is kept as %s",
                *(self.log, self._older, SCHEMA_VERSION, kept),
            )
        self._close()

    def _detach(self) -> None:
        """Close the copy. What was not folded into it belongs to a transaction that failed."""
        import duckdb

        assert self._connection is not None  # noqa: S101 - for the type checker
        with contextlib.suppress(*((duckdb.Error,) if self._failed else ())):
            self._connection.execute("USE memory")
            self._connection.execute("DETACH log")
        self._open.close()
        self._connection = None
        wal = _wal(self._next)
        if self._failed:
            wal.unlink(missing_ok=True)
            with attached(self._next, read_only=True, wait_s=0) as connection:
                version_of(connection, self.log)
        elif wal.exists():
            raise LogError("the load could not be folded into the log", str(self.log), "try again")

    def _keep(self) -> Path:
        """Give the log as it is a second name, which stays when its own goes to the next state."""
        assert self._older is not None  # noqa: S101 - for the type checker
        for name in copy_name(self.log, self._older):
            try:
                os.link(self.log, name)
            except FileExistsError:
                if name.samefile(self.log):  # a migration was killed right here
                    return name
                continue
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
                    raise
                spare = self._next.with_name("old.duckdb")
                shutil.copy2(self.log, spare)
                flushed(spare)
                spare.rename(name)
            return name
        raise LogError("too many old copies are kept", str(self.log.parent), "move them away")

    def _close(self) -> None:
        self._open.close()
        self._held.close()
        self._connection, self._before, self._older = None, None, None
        self._whole = self._failed = False

    @contextlib.contextmanager
    def _speaking(self, what: str = "") -> Iterator[None]:
        what = what or (
            "the file could not be loaded; the log is without it"
            if self._time_zone
            else f"the log could not be brought to schema {SCHEMA_VERSION}; it is as it was"
        )
        try:
            with speaking(self.log, what):
                yield
        except OSError as error:
            raise LogError(
                what,
                str(self.log.parent),
                f"the system says: {error.strerror or error}",
            ) from error


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _same_rights(old: Path, new: Path) -> None:
    """Whoever may read the log may read its next state."""
    status = old.stat()
    shutil.copymode(old, new)
    with contextlib.suppress(OSError):
        os.chown(new, status.st_uid, status.st_gid)
