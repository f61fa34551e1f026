"""Small valid exports of every format, written here: what the fuzz run then damages.

Texts hold what healthy exports hold and readers trip over: commas, quotation marks and line ends
within quoted fields, Chinese, empty fields, telephone numbers.
"""

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ccanalytics.calllog.sources import read_mapping
from ccanalytics.calllog.sources.mapping import checked_mapping, packaged_mappings
from ccanalytics.schema import TABLES

BEGIN = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
QUEUES = ("客服热线", "投诉处理", "业务咨询", "sales", "a,b", 'say "hi"', "two\nlines", "")
AS_THEY_ARE = {"identifiers": "as_they_are"}


@dataclass(frozen=True)
class Seed:
    """A valid export.

    Attributes
    ----------
    kind
        How its records lie in it: ``delimited``, ``lines`` (a record a line), ``ndjson``,
        ``answers`` (several records a line of JSON), ``document`` (one JSON text), ``parquet`` or
        ``xlsx`` (``text`` is then a CSV of its cells).
    options
        Further arguments of ``CallLog.load``.
    header
        Whether the first line names the columns.
    width
        Fields of a record, where no header tells.
    encodings
        In which the text may be written; the first may always be found out.
    """

    name: str
    source: str
    file: str
    kind: str
    text: str
    options: dict = field(default_factory=dict)
    delimiter: str = ","
    quote: str | None = '"'
    header: bool = True
    width: int = 0
    encodings: tuple[str, ...] = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le")

    @property
    def binary(self) -> bool:
        """Whether it is no text file."""
        return self.kind in ("parquet", "xlsx")


def number(i: int) -> str:
    """A made-up caller's number (Ofcom's range for fiction)."""
    return f"0207946{i:04d}"


def stamp(i: int, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return (BEGIN + timedelta(seconds=47 * i)).strftime(form)


def named(columns: str) -> list[str]:
    return columns.split(",")


def rows_as_text(names, rows, delimiter=",", quote='"', *, header=True) -> str:
    out = io.StringIO()
    if quote is None:
        for row in [names, *rows] if header else rows:
            out.write(delimiter.join(row) + "\n")
        return out.getvalue()
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator="\n")
    writer.writerows([names, *rows] if header else rows)
    return out.getvalue()


# ---- our own tables ----------------------------------------------------------------------------


def _cell(column, i: int) -> str:
    if column.values:
        return column.values[i % len(column.values)]
    if column.kind == "timestamp":
        return "" if not column.required and i % 5 == 4 else stamp(i)
    return {
        "text": f"{column.name[:4]} {QUEUES[i % 3]} {i}",
        "date": f"2025-03-{i % 28 + 1:02d}",
        "seconds": f"{i}.25",
        "number": f"{i / 8}",
        "whole": str(i),
        "flag": ("true", "false")[i % 2],
    }[column.kind]


def _table(name: str, rows: int = 8) -> Seed:
    table = TABLES[name]
    columns = table.columns
    cells = [[_cell(column, i) for column in columns] for i in range(rows)]
    return Seed(
        f"own-{name}",
        "ccanalytics",
        f"{name}.csv",
        "delimited",
        rows_as_text(table.names, cells),
        AS_THEY_ARE,
    )


CALLS = ("call_id", "arrived_at", "customer", "queue", "outcome", "agent", "wait_s", "talk_s")


def calls(rows: int = 24) -> list[list[str]]:
    outcome = ("answered", "answered", "abandoned", "blocked")
    return [
        [
            f"c{i:03d}",
            stamp(i),
            number(i),
            QUEUES[i % len(QUEUES)],
            outcome[i % 4],
            f"坐席 {i % 5}" if i % 4 < 2 else "",
            f"{i % 7}.5",
            str(20 + i) if i % 4 < 2 else "",
        ]
        for i in range(rows)
    ]


def _own_calls() -> list[Seed]:
    every = calls()
    nameless = [row[1:] for row in every]
    lines = [
        json.dumps(
            {k: v for k, v in zip(CALLS, row, strict=True) if v != ""}
            | ({"wait_s": float(row[6])} if i % 3 else {}),
            ensure_ascii=bool(i % 2),
        )
        for i, row in enumerate(every)
    ]
    own = {"source": "ccanalytics", "options": AS_THEY_ARE}
    keyed = {"source": "ccanalytics", "options": {"key_file": True}}
    return [
        Seed(
            "own-calls-csv",
            **own,
            file="calls.csv",
            kind="delimited",
            text=rows_as_text(CALLS, every),
        ),
        Seed(
            "own-calls-keyed",
            **keyed,
            file="calls.csv",
            kind="delimited",
            text=rows_as_text(CALLS[1:], nameless),
        ),
        Seed(
            "own-calls-ndjson",
            **own,
            file="calls.ndjson",
            kind="ndjson",
            text="\n".join(lines) + "\n",
        ),
        Seed(
            "own-calls-parquet",
            **own,
            file="calls.parquet",
            kind="parquet",
            text=rows_as_text(CALLS, every),
        ),
        Seed(
            "own-calls-xlsx",
            **own,
            file="calls.xlsx",
            kind="xlsx",
            text=rows_as_text(CALLS, [[c.replace("\n", " ") for c in r] for r in every]),
        ),
    ]


# ---- any table, through a mapping --------------------------------------------------------------


def _mapping(arrived_at=("日期", "时间"), **file) -> dict:
    return checked_mapping(
        {
            "file": {"time_zone": "Europe/London", **file},
            "columns": {
                "call_id": "编号",
                "arrived_at": list(arrived_at),
                "customer": "主叫号码",
                "queue": "队列",
                "outcome": "结果",
                "wait_s": "等待时长",
                "talk_s": "通话时长",
            },
            "units": {"talk_s": "hms"},
            "outcomes": {"接通": "answered", "放弃": "abandoned"},
        },
        "the fuzz run's mapping",
    )


GENERIC = ("编号", "日期", "时间", "主叫号码", "队列", "结果", "等待时长", "通话时长", "备注")


def _generic_rows(rows: int = 20, *, wide: bool = False) -> list[list[str]]:
    half = "%I:%M:%S 上午" if wide else "%H:%M:%S"
    return [
        [
            f"w{i:03d}",
            stamp(i, "%d/%m/%Y"),
            stamp(i, half),
            number(i),
            QUEUES[i % 3],
            ("接通", "放弃")[i % 2],
            f"{i},5" if i % 5 else f"1.{i:03d},5",
            f"0:0{i % 10}:{i:02d}",
            ("", "客户说,请回电", "无", 'a "b"')[i % 4],
        ]
        for i in range(rows)
    ]


def _generic() -> list[Seed]:
    form = "%d/%m/%Y %H:%M:%S"
    german = {"timestamp": form, "decimal": ",", "thousands": "."}
    rows = _generic_rows()
    tidy = [[cell.replace("1.", "1").replace(",5", ".5") for cell in row] for row in rows]
    nested = [
        json.dumps(
            {
                "编号": row[0],
                "when": {"日期": row[1], "时间": row[2]},
                "主叫号码": row[3],
                "队列": row[4],
                "结果": row[5],
                "等待时长": float(row[6]),
                "通话时长": row[7],
                "tags": [1, {"a": None}],
            },
            ensure_ascii=False,
        )
        for row in [[*r[:6], r[6].replace("1.", "1").replace(",5", ".5"), *r[7:]] for r in rows]
    ]
    plain = _mapping(timestamp=form)
    inside = _mapping(("when.日期", "when.时间"), time_zone="Asia/Shanghai", timestamp=form)
    said = lambda mapping: {"mapping": mapping, **AS_THEY_ARE}  # noqa: E731
    return [
        Seed(
            "generic-semicolon",
            "generic",
            "export.csv",
            "delimited",
            rows_as_text(GENERIC, rows, ";"),
            said(_mapping(delimiter=";", **german)),
            delimiter=";",
        ),
        Seed(
            "generic-tab",
            "generic",
            "export.txt",
            "delimited",
            rows_as_text(GENERIC, tidy, "\t", None),
            said(_mapping(delimiter="tab", quote="", timestamp=form)),
            delimiter="\t",
            quote=None,
        ),
        Seed(
            "generic-apostrophe",
            "generic",
            "export.csv",
            "delimited",
            rows_as_text(GENERIC, _generic_rows(wide=True), ",", "'"),
            {
                "mapping": _mapping(
                    quote="'",
                    timestamp=["%d/%m/%Y %I:%M:%S %p", form],
                    decimal=",",
                    thousands=".",
                ),
                "key_file": True,
            },
            quote="'",
        ),
        Seed(
            "generic-ndjson",
            "generic",
            "export.ndjson",
            "ndjson",
            "\n".join(nested) + "\n",
            said(inside),
        ),
        Seed(
            "generic-parquet",
            "generic",
            "export.parquet",
            "parquet",
            rows_as_text(GENERIC, tidy),
            said(plain),
        ),
        Seed(
            "generic-xlsx",
            "generic",
            "export.xlsx",
            "xlsx",
            rows_as_text(GENERIC, tidy),
            said(plain),
        ),
    ]


_PACKAGED = {
    "vicidial": lambda i: [
        *(str(9000 + i), f"17410{i:05d}.{i}", stamp(i, "%Y-%m-%d %H:%M:%S"), QUEUES[i % 5]),
        *(number(i), f"agent{i % 4}", str(i), str(30 + i) if i % 3 else ""),
        ("CALLER", "AGENT", "ABANDON", "NOAGENT")[i % 4],
    ],
    "cisco_uccx": lambda i: [
        *(f"{7000 + i}-0-1", stamp(i, "%Y-%m-%d %H:%M:%S.250"), number(i), str(i % 4), str(i)),
        *(str(1 + i % 5), f"a{i % 4}", str(40 + i), "0", "NULL" if i % 3 else "5"),
    ],
    "mod_callcenter": lambda i: [
        *(f"m{i}", "客服热线@default", f"10{i % 6}", number(i), str(1741000000 + 60 * i)),
        *(str(1741000010 + 60 * i) if i % 2 else "0", str(1741000050 + 60 * i)),
        "answered" if i % 2 else "cancel",
    ],
}
_NAMES = {
    "vicidial": "closecallid,uniqueid,call_date,campaign_id,phone_number,user,queue_seconds,"
    "talk_seconds,term_reason",
    "cisco_uccx": "call_key,startDateTime,originatorDN,targetID,queueTime,disposition,resourceID,"
    "talkTime,holdTime,workTime",
    "mod_callcenter": "cc_member_uuid,cc_queue,cc_agent,caller_id_number,cc_queue_joined_epoch,"
    "cc_queue_answered_epoch,cc_queue_terminated_epoch,cc_cause",
}


def _packaged() -> list[Seed]:
    assert set(packaged_mappings()) == set(_PACKAGED)
    return [
        Seed(
            f"mapping-{name}",
            "generic",
            f"{name}.csv",
            "delimited",
            rows_as_text(_NAMES[name].split(","), [row(i) for i in range(18)]),
            {"mapping": read_mapping(path), "key_file": True},
        )
        for (name, row), path in (
            (item, packaged_mappings()[item[0]]) for item in sorted(_PACKAGED.items())
        )
    ]


def seeds() -> dict[str, Seed]:
    """All of them, by name."""
    from .switches import switch_seeds

    every = [
        *(_table(name) for name in TABLES if name != "calls"),
        *_own_calls(),
        *_generic(),
        *_packaged(),
        *switch_seeds(),
    ]
    assert len({seed.name for seed in every}) == len(every)
    return {seed.name: seed for seed in every}
