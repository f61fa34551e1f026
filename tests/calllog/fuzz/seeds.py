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


def _mapping(**file) -> dict:
    return checked_mapping(
        {
            "file": {"time_zone": "Europe/London", **file},
            "columns": {
                "call_id": "编号",
                "arrived_at": ["日期", "时间"],
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
    inside = checked_mapping(
        {
            "file": {"time_zone": "Asia/Shanghai", "timestamp": form},
            "columns": {
                "call_id": "编号",
                "arrived_at": ["when.日期", "when.时间"],
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


# ---- switches ----------------------------------------------------------------------------------


def _bank() -> Seed:
    names = (
        "vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,"
        "q_exit,q_time,outcome,ser_start,ser_exit,ser_time,server"
    ).split(",")
    rows = []
    for i in range(20):
        fate = ("AGENT", "HANG", "PHANTOM", "AGENT")[i % 4]
        day, never = "990301", "0:00:00"
        served = (f"9:1{i % 10}:30", f"9:1{i % 10}:55", "25") if fate == "AGENT" else (never,) * 2
        rows.append(
            [
                *(f"AA01{i:02d}", str(30000 + i), str(80 * i), "0", "PS", day),
                *(f"9:1{i % 10}:00", f"9:1{i % 10}:05", "5" if i % 9 else "-3"),
                *(f"9:1{i % 10}:05", f"9:1{i % 10}:30", "25", fate),
                *(served if len(served) == 3 else (*served, "0")),
                "NO_SERVER" if i % 4 else "王芳",
            ]
        )
    return Seed(
        "anonymous_bank",
        "anonymous_bank",
        "march.txt",
        "delimited",
        rows_as_text(names, rows, "\t", None),
        AS_THEY_ARE,
        delimiter="\t",
        quote=None,
    )


def _queue_log() -> Seed:
    lines = ["1741000000|NONE|NONE|NONE|QUEUESTART|"]
    for i in range(9):
        at, call = 1741000100 + 60 * i, f"{1741000095 + 60 * i}.{i}"
        head = f"{call}|客服热线|"
        lines += [
            f"{at}|{head}NONE|ENTERQUEUE||{number(i)}|1",
            f"{at + 2}|{head}SIP/101|RINGNOANSWER|1500",
            f"{at + 2}|{head}SIP/101|RINGNOANSWER|1500",
        ]
        if i % 3:
            lines += [
                f"{at + 9}|{head}SIP/102|CONNECT|9|{at}.7|3",
                f"{at + 40}|{head}SIP/102|COMPLETEAGENT|9|31|1",
            ]
        else:
            lines.append(f"{at + 30}|{head}NONE|ABANDON|1|1|30")
    lines += ["1741009000|NONE|客服热线|SIP/101|PAUSE|lunch", "1741009000|NONE|NONE|NONE|PENALTY"]
    return Seed(
        "asterisk_queue_log",
        "asterisk_queue_log",
        "queue_log",
        "lines",
        "\n".join(lines) + "\n",
        {"key_file": True},
        header=False,
    )


_CDR = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield"),
)


def _asterisk_rows() -> list[list[str]]:
    rows = []
    for i in range(16):
        answered = i % 4 != 3
        at = lambda s, i=i: (BEGIN + timedelta(seconds=60 * i + s)).strftime("%Y-%m-%d %H:%M:%S")  # noqa: E731
        rows.append(
            [
                *("acme" if i % 2 else "", number(i), "8005550100", "from-trunk"),
                *(f'"王芳 {i}" <{number(i)}>', f"SIP/trunk-0000{i:04x}"),
                *(f"SIP/101-0001{i:04x}" if i % 4 < 2 else "", ("Dial", "Queue")[i % 2]),
                *("客服热线,t,,,60", at(0), at(6) if answered else "", at(40), "40"),
                *("34" if answered else "0", "ANSWERED" if answered else "NO ANSWER"),
                *("DOCUMENTATION", f"{1740988800 + 60 * i}.{i}", ""),
            ]
        )
    return rows


def _asterisk_cdr() -> list[Seed]:
    rows = _asterisk_rows()
    some = {"source": "asterisk_cdr", "kind": "delimited"}
    return [
        Seed(
            "asterisk_cdr",
            **some,
            file="Master.csv",
            text=rows_as_text(_CDR, rows, header=False),
            options={"key_file": True},
            header=False,
            width=len(_CDR),
        ),
        Seed(
            "asterisk_cdr-header",
            **some,
            file="cdr.csv",
            text=rows_as_text((*_CDR, "sequence"), [[*r, str(i)] for i, r in enumerate(rows)]),
            options=AS_THEY_ARE,
        ),
        Seed(
            "asterisk_cdr-columns",
            **some,
            file="cdr.csv",
            text=rows_as_text((), [[r[9], r[1], *r[12:15], r[7], r[6]] for r in rows], header=False),
            options={
                "columns": "start,src,duration,billsec,disposition,lastapp,dstchannel",
                **AS_THEY_ARE,
            },
            header=False,
            width=7,
            encodings=("utf-8", "utf-8-sig", "utf-16", "utf-16-le"),
        ),
    ]


def _freeswitch() -> list[Seed]:
    at = lambda i, s: (BEGIN + timedelta(seconds=90 * i + s)).strftime("%Y-%m-%d %H:%M:%S")  # noqa: E731
    plain = [
        [
            *(f"王芳, {i}", number(i), "8005550100", "public", at(i, 0)),
            *(at(i, 9) if i % 3 else "", at(i, 50), "50", "41" if i % 3 else "0"),
            *("NORMAL_CLEARING" if i % 3 else "ORIGINATOR_CANCEL", f"a000-{i:04d}"),
            *(f"b000-{i}" if i % 2 else "", "acme", "PCMA", "PCMA"),
        ]
        for i in range(16)
    ]
    names = (
        "uuid,caller_id_number,start_stamp,answer_stamp,end_stamp,duration,billsec,hangup_cause,"
        "cc_side,cc_queue,cc_agent,cc_cause,cc_cancel_reason,cc_queue_joined_epoch,"
        "cc_queue_answered_epoch,cc_queue_terminated_epoch,cc_queue_canceled_epoch"
    ).split(",")
    queued = []
    for i in range(16):
        begin = int(BEGIN.timestamp()) + 90 * i
        queued.append(
            [
                *(f"q{i}", number(i), at(i, 0), at(i, 1), at(i, 60), "60", "59", "NORMAL_CLEARING"),
                *("agent" if i % 5 == 4 else "member", "客服热线@default", "101" if i % 2 else ""),
                *("answered" if i % 2 else "cancel", "" if i % 2 else "TIMEOUT", str(begin + 5)),
                *(str(begin + 15) if i % 2 else "0", str(begin + 60) if i % 2 else "0"),
                "" if i % 2 else str(begin + 30),
            ]
        )
    return [
        Seed(
            "freeswitch_cdr",
            "freeswitch_cdr",
            "Master.csv",
            "delimited",
            rows_as_text((), plain, header=False),
            {"key_file": True},
            header=False,
            width=15,
        ),
        Seed(
            "freeswitch_cdr-header",
            "freeswitch_cdr",
            "cdr.csv",
            "delimited",
            rows_as_text(names, queued),
            AS_THEY_ARE,
        ),
    ]


def _contact(i: int) -> dict:
    at = lambda s: (BEGIN + timedelta(seconds=60 * i + s)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    answered = i % 3
    return {
        "ContactId": f"k{i:04d}",
        "Channel": "CHAT" if i % 7 == 6 else "VOICE",
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": at(0),
        "DisconnectTimestamp": at(50),
        "LastUpdateTimestamp": at(70),
        "CustomerEndpoint": {"Address": "+4420" + number(i)[3:], "Type": "TELEPHONE_NUMBER"},
        "SystemEndpoint": {"Address": "+448005550100"},
        "Queue": {"Name": QUEUES[i % 5], "EnqueueTimestamp": at(5), "Duration": 7},
        "Agent": {
            "Username": "ann",
            "ConnectedToAgentTimestamp": at(12),
            "AgentInteractionDuration": 20.5,
            "AfterContactWorkDuration": 3,
        }
        if answered
        else None,
        "DisconnectReason": "CUSTOMER_DISCONNECT",
        "Attributes": {"note": 'a "quoted" word, and\ta tab'},
    }


def _connect() -> list[Seed]:
    lines = [json.dumps(_contact(i), ensure_ascii=False) for i in range(14)]
    some = {"source": "amazon_connect", "header": False}
    return [
        Seed(
            "amazon_connect",
            **some,
            file="ctr.json",
            kind="ndjson",
            text="\n".join(lines) + "\n",
            options={"key_file": True},
        ),
        Seed(
            "amazon_connect-array",
            **some,
            file="ctr.json",
            kind="document",
            text="[" + ",\n".join(lines) + "]\n",
            options=AS_THEY_ARE,
        ),
    ]


def _answer(i: int, intervals: int = 3) -> dict:
    def metrics(j: int) -> list[dict]:
        n = 10 + i + j
        found = [
            {"metric": "nOffered", "stats": {"count": n}},
            {"metric": "tAnswered", "stats": {"count": n - 3, "sum": 1000 * n}},
            {"metric": "tTalk", "stats": {"count": n - 3, "sum": 9000.5 * n}},
            {"metric": "oServiceLevel", "stats": {"numerator": n - 5, "denominator": n}},
        ]
        return found[: 4 - j % 2]

    return {
        "results": [
            {
                "group": {"mediaType": "voice", "queueId": f"q-{i}"},
                "data": [
                    {"interval": f"{stamp(40 * j)}/{stamp(40 * j + 40)}", "metrics": metrics(j)}
                    for j in range(intervals)
                ],
            },
            {"group": {"mediaType": "chat", "queueId": f"客服热线 {i}"}},
        ]
    }


def _genesys() -> list[Seed]:
    some = {"source": "genesys_aggregates", "header": False, "options": AS_THEY_ARE}
    return [
        Seed(
            "genesys_aggregates",
            **some,
            file="answer.json",
            kind="document",
            text=json.dumps(_answer(0, 6), indent=1, ensure_ascii=False) + "\n",
        ),
        Seed(
            "genesys_aggregates-lines",
            **some,
            file="answers.ndjson",
            kind="answers",
            text="".join(json.dumps(_answer(i), ensure_ascii=False) + "\n" for i in range(8)),
        ),
    ]


def _avaya() -> list[Seed]:
    names = (
        "row_date,split,starttime,intrvl,callsoffered,acdcalls,abncalls,acceptable,acdtime,"
        "acwtime,anstime,holdtime,abntime,i_stafftime,i_availtime,servicelevel,remark"
    ).split(",")
    rows = [
        [
            *("2025-01-06" if i % 2 else "01/07/2025", f"客服热线{i % 3}", str(800 + 100 * (i // 2))),
            *("30", str(20 + i), str(18 + i), "2", str(15 + i), str(600 * i), "60", "15", "0"),
            *("9", "3600", "2940", "20", ("", '12" pipe', "a|b")[i % 3]),
        ]
        for i in range(16)
    ]
    return [
        Seed(
            f"avaya_hsplit-{what}",
            "avaya_hsplit",
            "hsplit.csv",
            "delimited",
            rows_as_text(names, rows, delimiter),
            {"time_zone": "Europe/London", **AS_THEY_ARE},
            delimiter=delimiter,
        )
        for what, delimiter in (("comma", ","), ("pipe", "|"))
    ]


def seeds() -> dict[str, Seed]:
    """All of them, by name."""
    every = [
        *(_table(name) for name in TABLES if name != "calls"),
        *_own_calls(),
        *_generic(),
        *_packaged(),
        _bank(),
        _queue_log(),
        *_asterisk_cdr(),
        *_freeswitch(),
        *_connect(),
        *_genesys(),
        *_avaya(),
    ]
    assert len({seed.name for seed in every}) == len(every)
    return {seed.name: seed for seed in every}
