"""What the user says with a load or a question, checked once at the door."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.pseudonyms import read_key
from ccanalytics.calllog.sources import Settings, read_mapping
from ccanalytics.calllog.sources.mapping import CENTRE, Mapping, check_encoding
from ccanalytics.calllog.store import check_time_zone
from ccanalytics.errors import InputError
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    from ccanalytics.calllog.pseudonyms import Key
    from ccanalytics.calllog.sources import Source

__all__ = ["check_path", "chosen_goals", "placed", "positive", "settings_for"]


def check_path(path: object, name: str) -> None:
    """Refuse what cannot be a path."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path) or "\0" in os.fsdecode(path):
        raise InputError("this must be a path", f"{name}={path!r}")


def settings_for(source: Source, said: dict[str, Any]) -> Settings:
    """The settings that the arguments of a load make; each mistake is an InputError."""
    mapping, table, encoding = said["mapping"], said["table"], said["encoding"]
    if isinstance(mapping, (str, os.PathLike)):
        mapping = read_mapping(Path(mapping))
    elif mapping is not None and not isinstance(mapping, Mapping):
        raise InputError("this must be a TOML file or a Mapping", f"mapping={mapping!r}")
    return Settings(
        time_zone=check_time_zone(said["time_zone"]) if said["time_zone"] else None,
        encoding=None if encoding is None else check_encoding(encoding),
        allow_cut=said["allow_cut"],
        table=_table(source, table),
        mapping=mapping,
        key=_key(source, mapping, said["key_file"], said["identifiers"]),
        sheet=_sheet(said["sheet"]),
        most_times=_limit(said["most_times"]),
        columns=_columns(source, said["columns"]),
    )


def placed(settings: Settings, source: Source, zone: str) -> Settings:
    """The settings with the centre's time zone where the file's own is not told."""
    if settings.mapping is not None and settings.mapping.time_zone == CENTRE:
        mapping = replace(settings.mapping, time_zone=settings.time_zone or zone)
        settings = replace(settings, mapping=mapping)
    if source.local_times and source.time_zone is None and settings.mapping is None:
        settings = replace(settings, time_zone=settings.time_zone or zone)
    return settings


def _key(
    source: Source, mapping: Mapping | None, key_file: object, identifiers: object
) -> Key | None:
    """The key that a load uses, or None where identifiers stay as they are."""
    if identifiers not in (None, "keyed", "as_they_are"):
        raise InputError(
            "no such way to keep identifiers",
            f"identifiers={identifiers!r}",
            "'keyed' or 'as_they_are'",
        )
    if identifiers == "as_they_are":
        if key_file is not None:
            raise InputError(
                "a key is given and pseudonyms are declined",
                f"key_file={str(key_file)!r}",
                "leave out the key, or --no-pseudonyms (identifiers='as_they_are')",
            )
        return None
    chosen = key_file if key_file is not None else os.environ.get("CCANALYTICS_KEY_FILE")
    if chosen:
        check_path(chosen, "key_file")
        return read_key(Path(str(chosen)))
    numbers = source.raw_numbers or (mapping is not None and mapping.names_people)
    if identifiers == "keyed" or numbers:
        raise InputError(
            "identifiers are to be replaced by pseudonyms, and no key is given"
            if identifiers == "keyed"
            else "exports of this kind carry callers' numbers, and no key is given"
            if source.raw_numbers or mapping is None or mapping.raw_numbers
            else "the mapping names the column of customers or agents, and no key is given",
            f"source={source.name!r}, key_file",
            "make a key with 'ccanalytics key FILE' and give it with --key-file or "
            "CCANALYTICS_KEY_FILE, or say --no-pseudonyms (identifiers='as_they_are')",
        )
    return None


def _columns(source: Source, columns: object) -> tuple[str, ...] | None:
    """Names of columns in their order, as a list or separated by commas."""
    if columns is None:
        return None
    if not source.takes_columns:
        raise InputError(
            f"the columns of source {source.name!r} have an order or a header of their own",
            f"columns={columns!r}",
            "leave the columns out",
        )
    given = columns.split(",") if isinstance(columns, str) else columns
    names = list(given) if isinstance(given, Iterable) else []
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError("this must be a list of column names", f"columns={columns!r}")
    return tuple(name.strip() for name in names)


def _table(source: Source, table: object) -> str | None:
    if table is None:
        return None
    if not isinstance(table, str):
        raise InputError("this must be the name of a table", f"table={table!r}")
    if not source.takes_table:
        raise InputError(
            f"source {source.name!r} tells itself which table its rows belong to",
            f"table={table!r}",
            "leave the table out" if source.name != "generic" else "name it in the mapping",
        )
    return table


def _sheet(sheet: object) -> str | None:
    if sheet is not None and (not isinstance(sheet, str) or not sheet):
        raise InputError("this must be the name of a sheet", f"sheet={sheet!r}")
    return sheet


def _limit(most_times: object) -> float | None:
    if most_times is None:
        return None
    if not isinstance(most_times, int | float) or not most_times > 0:
        raise InputError("this must be a number above 0", f"most_times={most_times!r}")
    return float(most_times)


def positive(values: object, name: str, *, whole: bool = False) -> list[float]:
    """A list of numbers above 0."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError("this must be a list of numbers", f"{name}={values!r}")
    out = []
    for value in values:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < 1e12:
            raise InputError("this must be a number above 0", f"{name}: {value!r}")
        if whole and value != int(value):
            raise InputError("this must be a whole number", f"{name}: {value!r}")
        out.append(value)
    if not out:
        raise InputError("at least one is needed", f"{name} is empty")
    return out


def chosen_goals(goals: object) -> list[ServiceLevel]:
    """A list of service levels; one alone stands for itself."""
    if isinstance(goals, ServiceLevel):
        return [goals]
    if not isinstance(goals, Iterable):
        raise InputError("this must be a list of service levels", f"goals={goals!r}")
    wanted = list(goals)
    for goal in wanted:
        if not isinstance(goal, ServiceLevel):
            raise InputError("this is not a service level", f"goals: {goal!r}")
    return wanted
