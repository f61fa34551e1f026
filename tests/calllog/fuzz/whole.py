"""The same file through ``CallLog.load``: what the log then holds, and what it does not."""

import polars as pl

from ccanalytics import CallLog
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

from .cases import Case
from .reading import CENTRE, Outcome, load_options


def whole_problems(case: Case, outcome: Outcome, path, key) -> list[str]:
    """Where a whole load into a new log differs from what was read and checked."""
    log = CallLog(path.with_name(f"{case.seed.name}.duckdb"), time_zone=CENTRE)
    try:
        try:
            report = log.load(
                path, source=case.seed.source, **load_options(case.seed, case.options, key)
            )
        except InputError as error:
            found = [] if error.what == outcome.refused else [f"refused as a whole: {error}"]
            return found + ["a refused file left a log"] * log.path.exists()
        if outcome.refused:
            return [f"loaded, though it was to be refused: {outcome.refused}"]
        return _differences(log, report, outcome)
    finally:
        log.path.unlink(missing_ok=True)


def _differences(log: CallLog, report, outcome: Outcome) -> list[str]:
    table = TABLES[outcome.table]
    want = _first_of_each_key(outcome, table)
    found = []
    counts = (report.read, report.loaded, report.duplicates, report.rejected)
    loaded, bad = len(want), 0 if outcome.bad is None else outcome.bad.height
    if counts != (outcome.read, loaded, outcome.read - bad - loaded, bad):
        found.append(f"read, loaded, duplicates, rejected: {counts}, but {outcome.read} were read")
    if sum(counts[1:]) != counts[0]:
        found.append(f"the balance is wrong: {counts}")
    held = log.table(table.name).select(table.names)
    have = sorted(
        map(str, held.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None)).rows())
    )
    if have != sorted(map(str, want)):
        found.append(f"{table.name} holds other rows than were read")
    rejects = sorted(map(str, log.rejects(limit=None).select("line", "reasons").rows()))
    told = [] if outcome.bad is None else outcome.bad.select("_line", "reasons").rows()
    if rejects != sorted(map(str, told)):
        found.append("other rows were set aside than were told")
    return found


def _first_of_each_key(outcome: Outcome, table) -> list[tuple]:
    """Rows that come in: the first of each key, or the latest where a source says which is."""
    if outcome.good is None:
        return []
    at = [table.names.index(name) + 1 for name in table.key]
    newest = table.names.index("updated_at") + 1 if outcome.newest else None
    kept: dict[tuple, tuple] = {}
    for row in sorted(outcome.good.iter_rows(), key=lambda row: row[0]):
        name = tuple(row[i] for i in at)
        old = kept.get(name)
        late = newest and old and row[newest] and (not old[newest] or row[newest] > old[newest])
        if old is None or late:
            kept[name] = row
    return [row[1:] for row in kept.values()]
