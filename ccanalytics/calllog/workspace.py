"""Files beside the log: the lock of whoever writes, work folders that outlive nobody, copies.

All of it survives ``kill -9``: locks are the kernel's, which frees them with their process, so
that neither a stale lock file nor a process number used anew can block or mislead anyone. A work
folder belongs to whoever holds the lock in it; one that nobody holds is swept by the next load.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ccanalytics.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STAGES", "copied", "flushed", "stage", "sweep", "work_folder", "write_lock"]

logger = logging.getLogger("ccanalytics")
_stages = logging.getLogger("ccanalytics.stages")

STAGES = (
    "reading",  # the file is looked at: fingerprint, header, has it been loaded already
    "staging",  # its rows are read, checked and written to a work folder
    "waiting",  # for another load to end
    "copying",  # the log, to the private file that becomes the next one
    "migrating",  # that file, from an older schema
    "taking over",  # the staged rows, into that file
    "committing",  # the transaction in it
    "checkpointing",  # folding the transaction into the file proper
    "publishing",  # the new file takes the old one's place
    "done",
)
_PREFIX = ".ccanalytics-load-"
_HELD = "held"
_TRIES = 20
_FICLONE = 0x40049409  # <linux/fs.h>: share the blocks of another file until one of them changes


def stage(name: str) -> None:
    """Say which stage of a load begins: a debug message of the logger ``ccanalytics.stages``.

    One of :data:`STAGES`. It costs nothing while nobody listens; the tests of killed loads do.
    """
    _stages.debug("%s", name)


@contextlib.contextmanager
def write_lock(log: Path, wait_s: float) -> Iterator[None]:
    """Be the only one who writes to this log; wait for another who does.

    Raises
    ------
    LogError
        If the other one has not ended after ``wait_s`` seconds, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    path = _lock_of(log)
    lock = FileLock(path, thread_local=False, mode=0o666)
    stage("waiting")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            other = _holder(path)
            logger.warning("%s%s is loading into %s; waiting", other[:1].upper(), other[1:], log)
            lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise LogError(
            f"{_holder(path)} is still loading into this log, also after waiting {wait_s:g} s: "
            "the log is in use",
            str(log),
            "try again when it has ended; the log can be read meanwhile",
        ) from error
    except OSError as error:
        raise _not_writable(log.parent, error) from error
    try:
        with contextlib.suppress(OSError):  # who holds it is told for the sake of the message
            path.write_text(str(os.getpid()))
        yield
    finally:
        # Whoever waits on the file that goes away here finds that it has no name, and starts over.
        path.unlink(missing_ok=True)
        lock.release()


def _lock_of(log: Path) -> Path:
    return log.with_name(f".{log.name}.lock")


def _holder(lock: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f"another load (process {int(lock.read_text())})"
    return "another load"


@contextlib.contextmanager
def work_folder(parent: Path) -> Iterator[Path]:
    """A private folder beside the log that goes away at the end.

    What a load writes before it is whole goes here: staged rows, what the database spills, the
    next state of the log. Only its owner may read it.
    """
    with contextlib.ExitStack() as held:
        folder = _claimed(parent, held)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _claimed(parent: Path, held: contextlib.ExitStack) -> Path:
    from filelock import FileLock, Timeout

    for _ in range(_TRIES):
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        except OSError as error:
            raise _not_writable(parent, error) from error
        lock = FileLock(folder / _HELD, thread_local=False)
        # A sweep of another load may come between making the folder and holding it.
        with contextlib.suppress(OSError, Timeout):
            lock.acquire(timeout=1)
            if (folder / _HELD).exists():
                held.callback(lock.release)
                return folder
            lock.release()
    raise LogError("no work folder can be held beside the call log", str(parent), "try again")


def sweep(log: Path) -> None:
    """Remove what killed loads left: work folders, and a lock that nobody holds."""
    for stale in log.parent.glob(f"{_PREFIX}*"):
        _unless_held(stale / _HELD, partial(shutil.rmtree, stale, ignore_errors=True))
    lock = _lock_of(log)
    if lock.exists():
        _unless_held(lock, lock.unlink)


def _unless_held(path: Path, remove: Callable[[], object]) -> None:
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False)
    # Another user's (no permission), one in use, one that just went away: leave it.
    with contextlib.suppress(OSError, Timeout):
        lock.acquire(timeout=0)
        try:
            remove()
        finally:
            lock.release()


def _not_writable(folder: Path, error: OSError) -> LogError:
    """What it means that nothing can be written beside the log."""
    if error.errno == errno.ENOENT:
        return LogError(
            "the folder for the call log does not exist", str(folder), "create it first"
        )
    return LogError(
        "the folder of the call log cannot be written to",
        str(folder),
        "whatever changes the log writes its next state beside it; the system says: "
        f"{error.strerror or error}",
    )


def copied(source: int, target: Path) -> bool:
    """Copy an open file to a new one; whether the two share their blocks, which costs nothing.

    File systems that can (XFS, Btrfs, bcachefs, OCFS2, overlays on them) share; elsewhere the
    bytes are copied.
    """
    import fcntl

    size = os.fstat(source).st_size
    with target.open("xb") as file:
        with contextlib.suppress(OSError):
            fcntl.ioctl(file.fileno(), _FICLONE, source)
            return True
        free = shutil.disk_usage(target.parent).free
        if free < size:
            raise OSError(
                errno.ENOSPC,
                f"a load needs room for a second copy of the log, {_size(size)}; "
                f"{_size(free)} are free",
            )
        # Not through another handle: closing that would free the locks held on the file.
        done = 0
        while part := os.pread(source, 1 << 22, done):
            file.write(part)
            done += len(part)
    return False


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def flushed(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
