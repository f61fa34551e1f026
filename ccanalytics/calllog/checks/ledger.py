"""Whether every row that was read is accounted for, and what was set aside on the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.finding import Finding, clean
from ccanalytics.schema import TABLES
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from ccanalytics.calllog.checks.look import Look

__all__ = ["ledger", "rejected", "remarks", "twice"]

_TOLD = 8


def ledger(look: Look) -> list[Finding]:
    """Read = loaded + duplicates + rejected, and each table holds what was loaded into it.

    Rows that follow from others (calls of queue events), that a later delivery replaced, or that
    were forgotten on purpose are in the books too.
    """
    sums = look.one(
        'SELECT coalesce(sum("read"), 0)::BIGINT AS "read", '
        "coalesce(sum(loaded), 0)::BIGINT AS loaded, "
        "coalesce(sum(duplicates), 0)::BIGINT AS duplicates, "
        "coalesce(sum(rejected), 0)::BIGINT AS rejected FROM loads"
    )
    loaded = {
        row["name"]: row["loaded"]
        for row in look.all(
            'SELECT "table" AS name, sum(loaded)::BIGINT AS loaded FROM loads GROUP BY ALL'
        )
    }
    gone = _book(look, "forgotten")
    more = _book(look, "adjustments")
    due = {n: loaded.get(n, 0) + more.get(n, 0) - gone.get(n, 0) for n in TABLES}
    wrong = [
        f"{name} has {look.rows[name]:,} of {due[name]:,} rows"
        for name in TABLES
        if look.rows[name] != due[name]
    ]
    balanced = sums["read"] == sums["loaded"] + sums["duplicates"] + sums["rejected"]
    forgotten = f" ({sum(gone.values()):,} of them forgotten since)" if gone else ""
    detail = (
        f"{sums['read']:,} read = {sums['loaded']:,} loaded{forgotten} + "
        f"{counted(sums['duplicates'], 'duplicate')} + {sums['rejected']:,} rejected"
    )
    return [
        Finding(
            name="every row is accounted for",
            verdict="holds" if balanced and not wrong else "fails",
            detail=detail + (f"; but {', '.join(wrong)}" if wrong else ""),
            base=sums["read"],
            of="row",
            consequences={}
            if balanced and not wrong
            else {"volume": "rows were added or taken away past the loader: counts are not sure"},
            remedy="" if balanced and not wrong else "load the exports again into a new log",
        )
    ]


def _book(look: Look, book: str) -> dict[str, int]:
    """Rows per table in one of the books."""
    rows = look.all(
        f'SELECT "table" AS name, sum("rows")::BIGINT AS n FROM {book} GROUP BY ALL'  # noqa: S608
    )
    return {row["name"]: row["n"] for row in rows}


def rejected(look: Look) -> list[Finding]:
    """Rows that could not be used, by reason."""
    found = look.all(
        "SELECT reason, count(*) AS n FROM (SELECT unnest(reasons) AS reason FROM rejects) "
        "GROUP BY reason ORDER BY n DESC, reason"
    )
    read = look.one('SELECT coalesce(sum("read"), 0)::BIGINT AS n FROM loads')["n"]
    findings = [
        Finding(
            name="rejected",
            verdict="informs",
            detail=f"{row['reason']}: {counted(row['n'], 'row')}",
            count=row["n"],
            base=read,
            of="row read",
            consequences={"volume": "calls among these rows are in no figure"},
            remedy="ccanalytics check --rejects 5 shows rows; mend the export and load it again",
            care=row["n"] > 0.05 * read,
        )
        for row in found[:_TOLD]
    ]
    if len(found) > _TOLD:
        more = counted(len(found) - _TOLD, "other reason")
        findings.append(
            Finding(
                name="rejected",
                verdict="informs",
                detail=f"{more}; ccanalytics check --rejects shows rows",
                count=sum(row["n"] for row in found[_TOLD:]),
                base=read,
                of="row read",
            )
        )
    return findings


def remarks(look: Look) -> list[Finding]:
    """Rows that came in with something set to unknown."""
    return [
        Finding(
            name="loaded with a remark",
            verdict="informs",
            detail=f"{clean(row['remark'])}: {counted(row['n'], 'row')}",
            count=row["n"],
        )
        for row in look.all(
            'SELECT remark, sum("rows")::BIGINT AS n FROM remarks '
            "GROUP BY remark ORDER BY n DESC, remark"
        )
    ]


def twice(look: Look) -> list[Finding]:
    """Rows that were in the exports more than once, and came in once."""
    sums = look.one(
        'SELECT coalesce(sum("read"), 0)::BIGINT AS "read", '
        "coalesce(sum(duplicates), 0)::BIGINT AS n FROM loads"
    )
    if not sums["n"]:
        return []
    return [
        Finding(
            name="rows exported twice",
            verdict="informs",
            detail=f"{counted(sums['n'], 'row')} came again and was left out"
            if sums["n"] == 1
            else f"{sums['n']:,} rows came again and were left out",
            count=sums["n"],
            base=sums["read"],
            of="row read",
            remedy="nothing; ask whether the exports overlap on purpose",
        )
    ]
