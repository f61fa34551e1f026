"""What a file is packed in, told from its first bytes, and its content as a stream.

A name may say anything; the first bytes do not. Content grows while it is unpacked: beyond
:data:`MOST_TIMES` times what was read, and :data:`FREE_BYTES`, it is refused.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

__all__ = ["FREE_BYTES", "MOST_TIMES", "Unpacked", "check_file", "kind_of"]

MOST_TIMES = 250.0
FREE_BYTES = 64 << 20

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PAR1": "parquet",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"Rar!": "rar",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"SQLite format 3": "SQLite",
    b"%PDF": "PDF",
}
_PACKED = ("gzip", "bzip2", "xz", "zstd", "zip")
_NAMES_SHOWN = 6


def check_file(path: Path) -> int:
    """The size of a file that can be read; InputError for what is none."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise InputError("there is no such file", str(path), "check the path") from error
        why = getattr(error, "strerror", None) or str(error)
        raise InputError("the file cannot be read", repr(str(path)), why) from error
    if stat.S_ISDIR(found.st_mode):
        raise InputError("this is a folder, not a file", str(path), "name the files in it")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(
            "this is a pipe or a device, not a file",
            str(path),
            "write its content to a file first: a load reads it more than once",
        )
    return found.st_size


def kind_of(path: Path) -> str:
    """``text``, a way of packing (``gzip``, ``bzip2``, ``xz``, ``zstd``, ``zip``), ``parquet``,
    ``excel``, or a kind that is not read."""
    check_file(path)
    try:
        with path.open("rb") as file:
            magic = file.read(16)
    except OSError as error:
        raise _unreadable(path, error) from error
    kind = _kind(magic)
    if kind == "zip":
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            return "zip"
        if "[Content_Types].xml" in names:
            return "excel" if any(name.startswith("xl/") for name in names) else "office"
    return kind


def _kind(magic: bytes) -> str:
    return next((kind for start, kind in _MAGIC.items() if magic.startswith(start)), "text")


class Unpacked:
    """The content of a file as a stream, and how many bytes of the file went into it.

    Parameters
    ----------
    path
        The file.
    most_times
        Refuse content larger than that many times the bytes it was unpacked from.
    """

    def __init__(self, path: Path, most_times: float | None = None) -> None:
        self.path = path
        self._most = MOST_TIMES if most_times is None else most_times
        kind = kind_of(path)
        if kind not in (*_PACKED, "text"):
            raise InputError(
                f"this is a file of kind {kind}, not a table in text",
                str(path),
                "export it as CSV, or as .xlsx",
            )
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise _unreadable(path, error) from error
        self._size = os.fstat(self._file.fileno()).st_size
        self._packed = kind != "text"
        self._given = 0
        try:
            self._stream: Any = self._open(kind)
        except BaseException:
            self._file.close()
            raise

    def _open(self, kind: str) -> Any:
        if kind == "gzip":
            return gzip.GzipFile(fileobj=self._file)
        if kind == "bzip2":
            return bz2.BZ2File(self._file)
        if kind == "xz":
            return lzma.LZMAFile(self._file)
        if kind == "zstd":
            import pyarrow as pa

            return pa.CompressedInputStream(pa.PythonFile(self._file, "r"), "zstd")
        if kind == "zip":
            return self._member()
        return self._file

    def _member(self) -> IO[bytes]:
        """The one file in an archive; its name is shown, never used as a path."""
        where = str(self.path)
        try:
            archive = zipfile.ZipFile(self._file)
            members = [m for m in archive.infolist() if not m.is_dir() and not _litter(m.filename)]
            if len(members) != 1:
                names = ", ".join(repr(m.filename) for m in members[:_NAMES_SHOWN])
                more = f" and {len(members) - _NAMES_SHOWN} more" * (len(members) > _NAMES_SHOWN)
                raise InputError(
                    f"the archive holds {len(members)} files",
                    f"{where}: {names}{more}" if members else where,
                    "an archive is read if it holds one; unpack it first",
                )
            if members[0].flag_bits & 1:
                raise InputError("the archive asks for a password", where, "unpack it first")
            return archive.open(members[0])
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
            if isinstance(error, InputError):
                raise
            # A place in the archive that cannot be is an OSError of the system's.
            raise self._damaged(error) from error

    def read(self, size: int) -> bytes:
        """At most so many bytes of content; none at the end.

        Raises
        ------
        InputError
            The file is damaged or cut off, grows beyond the limit, or was packed twice.
        """
        try:
            chunk = cast("bytes", self._stream.read(size))
        except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile) as e:
            raise self._damaged(e) from e
        except (NotImplementedError, RuntimeError) as error:  # of an archive
            raise self._damaged(error) from error
        except MemoryError as error:
            raise InputError(
                "unpacking the file takes more memory than there is", str(self.path)
            ) from error
        except OSError as error:
            # Decoders of packed data report damage as an OSError without a number.
            if self._packed and error.errno is None:
                raise self._damaged(error) from error
            raise _unreadable(self.path, error) from error
        if self._packed:
            self._check(chunk)
        return chunk

    def _check(self, chunk: bytes) -> None:
        if self._given == 0 and (inner := _kind(chunk[:16])) != "text":
            raise InputError(
                f"the packed file holds a file of kind {inner}", str(self.path), "unpack it first"
            )
        self._given += len(chunk)
        if self._given > FREE_BYTES and self._given > self._most * max(self.position, 1):
            raise InputError(
                f"the file unpacks to more than {self._most:g} times its size",
                f"{self.path}: {self._given:,} bytes so far",
                "check what it is; if it is right, raise the limit with --most-times",
            )

    @property
    def position(self) -> int:
        """Bytes of the file itself that were read so far."""
        return min(self._file.tell(), self._size) if not self._file.closed else self._size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not self._file:
            self._stream.close()
        self._file.close()

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            "the compressed file is cut off or damaged",
            f"{self.path}: {error}" if str(error) else str(self.path),
            "copy or export it again; nothing was loaded from it",
        )


def _litter(name: str) -> bool:
    """What packing programs add of their own."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError("the file cannot be read", str(path), error.strerror or str(error))
