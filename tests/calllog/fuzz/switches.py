"""The fuzz run's seeds of switches' own formats."""

import json
from datetime import timedelta

from .seeds import AS_THEY_ARE, BEGIN, QUEUES, Seed, named, number, rows_as_text, stamp


def _bank() -> Seed:
    names = named(
        "vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,"
        "vru_time,q_start,q_exit,q_time,outcome,ser_start,ser_exit,ser_time,server"
    )
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
            text=rows_as_text(
                (), [[r[9], r[1], *r[12:15], r[7], r[6]] for r in rows], header=False
            ),
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
    names = named(
        "uuid,caller_id_number,start_stamp,answer_stamp,end_stamp,duration,billsec,"
        "hangup_cause,cc_side,cc_queue,cc_agent,cc_cause,cc_cancel_reason,"
        "cc_queue_joined_epoch,cc_queue_answered_epoch,cc_queue_terminated_epoch,"
        "cc_queue_canceled_epoch"
    )
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
    names = named(
        "row_date,split,starttime,intrvl,callsoffered,acdcalls,abncalls,acceptable,"
        "acdtime,acwtime,anstime,holdtime,abntime,i_stafftime,i_availtime,"
        "servicelevel,remark"
    )
    rows = [
        [
            *(
                "2025-01-06" if i % 2 else "01/07/2025",
                f"客服热线{i % 3}",
                str(800 + 100 * (i // 2)),
            ),
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


def switch_seeds() -> list[Seed]:
    """Seeds of every switch."""
    return [
        _bank(),
        _queue_log(),
        *_asterisk_cdr(),
        *_freeswitch(),
        *_connect(),
        *_genesys(),
        *_avaya(),
    ]
