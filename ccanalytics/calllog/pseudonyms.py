"""Persons leave their names at the door: keyed pseudonyms, and the key they are made with.

A pseudonym is the BLAKE2b code (RFC 7693, keyed, 80 bits, 20 hex digits) of the identifier without
surrounding blanks. The same person has the same pseudonym in every table and every load with one
key; a customer and an agent of the same code have different ones. Without the key nobody can try
out all telephone numbers; the key is never stored in the log, only a value to recognise it by.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Literal, cast

from ccanalytics.errors import InputError, LogError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from ccanalytics.schema import Table

__all__ = [
    "Endpoint",
    "Identifiers",
    "Key",
    "agree",
    "endpoints_pseudonymised",
    "held",
    "make_key",
    "pseudonymised",
    "read_key",
    "refuse",
]

Identifiers = Literal["keyed", "as_they_are"]
# What a column of a switch's export names beside persons: each has pseudonyms of its own.
Endpoint = Literal["account", "channel", "dialled"]

_KEY_BYTES = 32
# Seven digits and more in a row, marks between them aside: the shortest number that is anybody's.
_NUMBER = r"(?:\d[ \-.()/]?){7,}"
# An address of e-mail or SIP; the shortest is a@b.
_ADDRESS, _SHORTEST_ADDRESS = r"\S[@＠]\S", 3
# 80 bits: among 100 million persons the chance that any two share a pseudonym is 4 in a billion.
_PSEUDONYM_BYTES = 10
# From here on machine code is worth its making, which takes seconds where none is kept yet.
_MANY = 1_000_000


class Key:
    """A secret that makes pseudonyms; it shows itself to nobody.

    Examples
    --------
    >>> key = Key(bytes(32))
    >>> key.pseudonym("customer", "0123456789") == key.pseudonym("customer", "0123456789")
    True
    >>> key.pseudonym("agent", "17") == key.pseudonym("customer", "17")
    False
    >>> key
    Key(…)
    """

    __slots__ = ("_asked", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _KEY_BYTES:
            raise InputError("a key needs at least 32 bytes", f"{len(secret)} bytes")
        self._secret = secret if len(secret) <= 64 else hashlib.blake2b(secret).digest()
        self._asked = 0  # pseudonyms so far

    def __repr__(self) -> str:
        return "Key(…)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a key is not written anywhere")

    @property
    def check(self) -> str:
        """A value to recognise the key by, from which it cannot be told."""
        return self.pseudonym("check", "ccanalytics")

    def pseudonym(self, kind: str, text: str) -> str:
        """The pseudonym of one identifier of a kind (customer, agent, channel, …)."""
        return self.pseudonyms(kind, [text])[0]

    def pseudonyms(self, kind: str, texts: list[str]) -> list[str]:
        """The pseudonyms of many."""
        digits = self._digits(kind, [text.encode() for text in texts])
        width = 2 * _PSEUDONYM_BYTES
        return [digits[i : i + width] for i in range(0, len(digits), width)]

    def pseudonyms_of(self, kind: str, texts: pl.Series) -> pl.Series:
        """The pseudonyms of a column; null stays null."""
        import numpy as np
        import polars as pl
        import pyarrow as pa

        known = texts.drop_nulls() if texts.null_count() else texts
        self._asked += len(known)
        digits: npt.NDArray[np.uint8] | bytes | None = None
        if self._asked > _MANY:
            digits = self._digits_abreast(kind, known)
        if digits is None:
            digits = self._digits(kind, known.cast(pl.Binary).to_list()).encode()
        # One buffer cut into equal texts: no text of Python's is made for any of them.
        ends = np.arange(len(known) + 1, dtype=np.int64) * (2 * _PSEUDONYM_BYTES)
        codes = pa.LargeStringArray.from_buffers(
            len(known), pa.py_buffer(ends), pa.py_buffer(digits)
        )
        new = pl.Series(texts.name, pl.from_arrow(codes), pl.String)
        if len(known) == len(texts):
            return new
        held = texts.is_not_null()
        row = held.cum_sum().cast(pl.Int64) - 1
        return new.gather(pl.select(pl.when(held).then(row)).to_series())

    def _digits(self, kind: str, texts: list[bytes]) -> str:
        """The pseudonyms of many, one behind the other."""
        copy = hashlib.blake2b(
            digest_size=_PSEUDONYM_BYTES, key=self._secret, person=kind.encode()
        ).copy
        out = []
        for text in texts:
            state = copy()
            state.update(text)
            out.append(state.digest())
        return b"".join(out).hex()

    def _digits_abreast(self, kind: str, texts: pl.Series) -> npt.NDArray[np.uint8] | None:
        """The same in machine code; None where nothing is compiled or a text is not of its kind."""
        import numpy as np
        import polars as pl

        from ccanalytics.calllog.keyed_codes import COMPILES, LONGEST, hex_codes

        if not COMPILES or not len(texts):
            return None
        rows = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
        _, ends, data = rows.buffers()
        bounds = np.frombuffer(ends, np.int64)[rows.offset :][: len(rows) + 1]
        lengths = np.diff(bounds)
        if lengths.min() < 1 or lengths.max() > LONGEST:
            return None
        return hex_codes(
            bounds, np.frombuffer(data, np.uint8), self._secret, kind.encode(), _PSEUDONYM_BYTES
        )


def make_key(path: Path) -> None:
    """Write a new key into a file that only its owner can read."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(
            "there is a file already",
            str(path),
            "a key that was used must not be lost: name another",
        ) from error
    except OSError as error:
        raise InputError(
            "the key cannot be written", str(path), error.strerror or "check the path"
        ) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")


def read_key(path: Path) -> Key:
    """Read a key; a file that others can read is refused."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(4096)
    except OSError as error:
        raise InputError(
            "the key file cannot be read",
            str(path),
            f"{error.strerror}: make one with: ccanalytics key {path}",
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise InputError(
            "others can read the key file", f"{path}, mode {mode:04o}", f"run: chmod 600 {path}"
        )
    text = content.strip()
    if not re.fullmatch(rb"(?:[0-9a-fA-F]{2}){32,64}", text):
        raise InputError(
            "this is not a key: it must be one line of 64 hexadecimal digits",
            str(path),
            f"make one with: ccanalytics key {path}",
        )
    return Key(bytes.fromhex(text.decode()))


def pseudonymised(frame: pl.DataFrame, table: Table, key: Key) -> pl.DataFrame:
    """Replace what identifies a person; each distinct identifier is hashed once."""
    import polars as pl

    changed = []
    for column in table.columns:
        if not column.person:
            continue
        value = frame[column.name]
        if column.person in ("customer", "agent"):
            changed.append(_replaced(value, column.person, key))
            continue
        if column.person == "number":
            changed.append(_numbers_replaced(value, key))
            continue
        # What the column identifies is told by another one, row by row.
        kinds = frame[column.person]
        for kind in ("customer", "agent"):
            value = (
                pl.DataFrame({"value": value, "new": _replaced(value, kind, key), "kind": kinds})
                .select(
                    pl.when(pl.col("kind") == kind)
                    .then(pl.col("new"))
                    .otherwise(pl.col("value"))
                    .alias(column.name)
                )
                .to_series()
            )
        changed.append(value)
    return frame.with_columns(changed) if changed else frame


def endpoints_pseudonymised(
    frame: pl.DataFrame, endpoints: Mapping[str, Endpoint], key: Key
) -> list[pl.Series]:
    """The columns of channels, accounts and called addresses, each with pseudonyms of its kind.

    A caller's number as an account code must not stand beside its own pseudonym, nor an agent's
    channel beside the agent's. Of what was dialled, numbers alone stay, as in any ``line``.
    """
    import polars as pl

    changed = []
    for name, kind in endpoints.items():
        value = frame[name]
        if kind != "dialled":
            changed.append(_replaced(value, kind, key))
            continue
        named = value.str.contains(r"[\p{L}@＠]").fill_null(value=False)
        new = _replaced(value.set(~named, None), kind, key)
        kept = _numbers_replaced(value.set(named, None), key)
        changed.append(pl.select(pl.coalesce(new, kept)).to_series().alias(name))
    return changed


def _numbers_replaced(value: pl.Series, key: Key) -> pl.Series:
    """What may be a telephone number, or is an address, as a customer's is; names of lines stay."""
    import polars as pl

    longest = value.str.len_bytes().max()
    if longest is None or int(str(longest)) < _SHORTEST_ADDRESS:
        return value
    number = value.str.contains(f"{_NUMBER}|{_ADDRESS}")
    if not number.any():
        return value
    new = _replaced(value.set(~number.fill_null(value=False), None), "customer", key)
    return pl.select(pl.coalesce(new, value)).to_series().alias(value.name)


def _replaced(value: pl.Series, kind: str, key: Key) -> pl.Series:
    import polars as pl

    known = value.unique().drop_nulls()
    if 2 * len(known) > len(value):
        # Hardly anyone comes twice: finding the same person again costs more than hashing anew.
        return key.pseudonyms_of(kind, value)
    new = key.pseudonyms_of(kind, known)
    return value.replace_strict(known, new, default=None, return_dtype=pl.String)


def held(connection: duckdb.DuckDBPyConnection) -> tuple[Identifiers, str | None] | None:
    """How a log keeps identifiers, and its key's check value; None before anything was loaded."""
    rows = connection.execute("SELECT kept, key_check FROM identifiers").fetchall()
    if rows:
        return cast("tuple[Identifiers, str | None]", rows[0])
    # A log from before there were pseudonyms.
    (loads,) = connection.execute("SELECT count(*) FROM loads").fetchall()[0]
    return ("as_they_are", None) if loads else None


def agree(connection: duckdb.DuckDBPyConnection, key: Key | None, where: str) -> None:
    """Refuse a load whose identifiers would not match the log's; the first load decides."""
    known = held(connection)
    refuse(known, key, where)
    if known is None:
        kept, check = ("as_they_are", None) if key is None else ("keyed", key.check)
        connection.execute("INSERT INTO identifiers VALUES (?, ?)", [kept, check])


def refuse(known: tuple[Identifiers, str | None] | None, key: Key | None, where: str) -> None:
    """LogError where one person would have two names: another key, or one beside none."""
    if known is None:
        return
    kept, check = known
    if kept == "keyed" and key is None:
        raise LogError(
            "this log holds pseudonyms, and no key was given",
            where,
            "give the key it was made with, by --key-file or CCANALYTICS_KEY_FILE",
        )
    if kept != "keyed" and key is not None:
        raise LogError(
            "this log holds identifiers as they came: with pseudonyms beside them one person would "
            "have two names",
            where,
            "leave the key out (--no-pseudonyms), or load everything into a new log",
        )
    if key is not None and check != key.check:
        raise LogError(
            "this log was made with another key: the pseudonyms would not match",
            where,
            "give the key it was made with, or load everything into a new log",
        )
