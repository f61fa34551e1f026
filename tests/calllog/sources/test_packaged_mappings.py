"""The mappings that come with the package, and what holds of every source."""

import re
from datetime import UTC, datetime

import pytest

from ccanalytics import CallLog
from ccanalytics.calllog import SOURCES
from ccanalytics.calllog.pseudonyms import make_key
from ccanalytics.calllog.sources.mapping import packaged_mappings, read_mapping
from ccanalytics.cli.loading import SOURCE_NAMES
from ccanalytics.errors import InputError

ROWS = {
    "vicidial": """closecallid,uniqueid,call_date,campaign_id,phone_number,user,queue_seconds,talk_seconds,term_reason
1,1.1,2025-01-01 09:00:00,SALES,2079460001,ann,12.00,120,CALLER
2,1.2,2025-01-01 09:05:00,SALES,2079460002,VDCL,40.00,NULL,ABANDON
3,1.3,2025-01-01 09:06:00,SALES,2079460003,VDCL,90.00,NULL,QUEUETIMEOUT
4,1.4,2025-01-01 09:07:00,SALES,2079460004,VDCL,0.00,NULL,NONE
""",  # noqa: E501
    "cisco_uccx": """call_key,startDateTime,originatorDN,targetID,queueTime,disposition,resourceID,talkTime,holdTime,workTime
10-0-1,2025-01-01 08:00:00.123,2079460001,7,12,2,31,120,8,30
11-0-1,2025-01-01 08:05:00.000,2079460002,7,40,1,,,,
12-0-1,2025-01-01 08:06:00,2079460003,7,90,5,,,,
13-0-1,2025-01-01 08:07:00,2079460003,7,90,9,,,,
""",  # noqa: E501
    "mod_callcenter": """cc_member_uuid,cc_queue,cc_agent,caller_id_number,cc_queue_joined_epoch,cc_queue_answered_epoch,cc_queue_terminated_epoch,cc_cause
a,sales,101,2079460001,1735718400,1735718412,1735718540,answered
b,sales,,2079460002,1735718700,0,1735718740,cancel
c,sales,,2079460003,1735718760,0,0,cancel
d,sales,,2079460004,0,0,0,cancel
""",  # noqa: E501
}
# Each in Paris: outcome, wait, talk.
EXPECTED = {
    "vicidial": [("answered", 12, 120), ("abandoned", 40, None), ("overflowed", 90, None)],
    "cisco_uccx": [("answered", 12, 120), ("abandoned", 40, None), ("overflowed", 90, None)],
    "mod_callcenter": [("answered", 12, None), *[("abandoned", None, None)] * 2],
}


def test_every_packaged_mapping_is_tested_here():
    assert set(packaged_mappings()) == set(ROWS) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_mapping_by_its_name(new_log, tmp_path, balanced, calls_of, name):
    path = tmp_path / "export.csv"
    path.write_text(ROWS[name])
    log = new_log("Europe/Paris")
    report = balanced(log, log.load(path, source="generic", mapping=name), 4)
    assert report.rejected == 1
    assert calls_of(log, "outcome", "wait_s", "talk_s") == EXPECTED[name]
    # Eight o'clock UTC is nine in Paris: VICIdial writes the server's clock, the others UTC.
    assert calls_of(log, "arrived_at")[0][0].replace(microsecond=0) == datetime(
        2025, 1, 1, 8, tzinfo=UTC
    )
    assert report.remarks[f"mapping {name}: untested for want of a sample"] == 3
    assert any("untested" in check.detail for check in log.check().checks)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_packaged_mappings_insist_on_a_key(tmp_path, name):
    path = tmp_path / "export.csv"
    path.write_text(ROWS[name])
    make_key(tmp_path / "centre.key")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="no key is given"):
        log.load(path, "generic", mapping=name)
    log.load(path, "generic", mapping=name, key_file=tmp_path / "centre.key")
    customers = log.table("calls")["customer"]
    assert customers.str.contains(r"^[0-9a-f]{20}$").all()
    assert b"20794600" not in log.path.read_bytes()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_mapping_says_that_it_is_untested(name):
    text = packaged_mappings()[name].read_text(encoding="utf-8")
    assert "UNTESTED FOR WANT OF A SAMPLE" in text
    assert "untested for want of a sample" in read_mapping(packaged_mappings()[name]).note
    assert "Cannot tell:" in text
    assert "Traps:" in text


def test_names_that_are_no_mapping(new_log, tmp_path):
    for name in ("vicidal", "../mappings/vicidial"):
        with pytest.raises(InputError, match=r"no such mapping|no such file"):
            new_log().load(tmp_path / "x.csv", source="generic", mapping=name)


def test_a_centre_whose_zone_nobody_tells(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(ROWS["vicidial"])
    with pytest.raises(InputError, match="where the centre stands"):
        CallLog(tmp_path / "c.duckdb").load(
            path, source="generic", mapping="vicidial", identifiers="as_they_are"
        )


def test_help_names_every_source():
    assert SOURCE_NAMES.split(", ") == list(SOURCES)


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda s: s.name)
def test_every_source_is_documented(source, request):
    page = (request.config.rootpath / "data" / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{source.name}` \|", page, re.MULTILINE)
    assert source.title
    own = source.name not in ("ccanalytics", "generic", "anonymous_bank")
    assert bool(source.cannot_tell) >= own
    assert source.cannot_tell == "" or source.cannot_tell.endswith(".")


def test_callers_numbers_are_announced():
    told = {name for name, source in SOURCES.items() if source.raw_numbers}
    assert told == {"asterisk_queue_log", "asterisk_cdr", "freeswitch_cdr", "amazon_connect"}
