"""What the fuzz run found, each by its name."""

import io
import json
import zipfile

import pytest

from ccanalytics import CallLog
from ccanalytics.calllog.decoding.encodings import contradicted
from ccanalytics.calllog.masking import few_names
from ccanalytics.calllog.nesting import DEEPEST, too_deep
from ccanalytics.errors import InputError

from .reading import read, small_blocks
from .seeds import calls, seeds

SEEDS = seeds()
HEAD = "call_id,arrived_at,outcome,queue\n"


def line(i, queue="sales"):
    return f"c{i},2025-03-03T08:00:{i % 60:02d}Z,answered,{queue}\n"


def load(tmp_path, name, content, source="ccanalytics", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    report = log.load(path, source=source, identifiers="as_they_are", **options)
    assert report.read == report.loaded + report.duplicates + report.rejected
    return log, report


def rejected(log):
    return {n: reasons[0] for n, reasons in log.rejects().select("line", "reasons").rows()}


def objects(rows=6):
    names = ("call_id", "arrived_at", "outcome", "queue")
    return [dict(zip(names, line(i).strip().split(","), strict=True)) for i in range(rows)]


def written(records):
    return "".join(json.dumps(r) + "\n" if isinstance(r, dict) else r + "\n" for r in records)


def test_an_archive_whose_directory_points_nowhere_is_damaged(tmp_path):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("calls.csv", HEAD + line(1))
    content = bytearray(sink.getvalue())
    # The size of the directory, in the record that ends the archive: places become negative.
    at = content.rfind(b"PK\x05\x06") + 16
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    with pytest.raises(InputError, match="cut off or damaged"):
        load(tmp_path, "calls.zip", bytes(content))


@pytest.mark.parametrize("day", ["0000-01-01", "0001-01-01", "1899-12-31"])
def test_a_day_that_no_calendar_of_a_centre_has_is_set_aside(tmp_path, day):
    text = f"agent,hired_on,left_on\na,{day},9999-12-31\nb,1900-01-01,9999-12-31\n"
    log, report = load(tmp_path, "agents.csv", text)
    assert (report.loaded, report.rejected) == (1, 1)
    assert log.table("agents")["agent"].to_list() == ["b"]


def test_an_error_about_a_header_of_megabytes_is_short():
    assert len(few_names(["x" * 5_000_000] * 1000)) < 5000
    assert "#####" in few_names(["13812345678"])


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_mark_that_is_open_at_the_end_of_the_file_is_set_aside(tmp_path, end):
    text = HEAD + line(1) + 'c2,2025-03-03T08:00:02Z,answered,"sales' + end
    log, report = load(tmp_path, "calls.csv", text, allow_cut=True)
    assert (report.loaded, report.rejected) == (1, 1)
    assert "quotation mark" in rejected(log)[3]


def test_a_record_over_several_lines_stays_whole_at_every_seam(tmp_path):
    """A block may end between the lines of a record, in its last field."""
    text = HEAD + "".join(line(i, '"two\nlines"') for i in range(150))
    with small_blocks():
        log, report = load(tmp_path, "calls.csv", text)
    assert (report.loaded, report.rejected) == (150, 0)
    assert set(log.table("calls")["queue"]) == {"two\nlines"}


def test_a_byte_order_mark_at_a_seam_is_read_as_anywhere_else(tmp_path):
    lines = [line(i) for i in range(100)]
    marked = [("\ufeff" if i % 3 == 2 else "") + text for i, text in enumerate(lines)]
    ids = []
    for name, blocks in (("a", False), ("b", True)):
        (tmp_path / name).mkdir()
        if blocks:
            with small_blocks():
                log, _ = load(tmp_path / name, "calls.csv", HEAD + "".join(marked))
        else:
            log, _ = load(tmp_path / name, "calls.csv", HEAD + "".join(marked))
        ids.append(sorted(log.table("calls")["call_id"]))
    assert ids[0] == ids[1]
    assert len(ids[0]) == 100


def test_a_member_that_the_table_lacks_sets_its_record_aside_alone(tmp_path):
    records = objects()
    records[2]["queve"] = "13812345678"
    records[4]["queue "] = "help"
    log, report = load(tmp_path, "calls.ndjson", written(records))
    assert (report.loaded, report.rejected) == (4, 2)
    assert "'queve'" in rejected(log)[3]
    assert "'queue '" in rejected(log)[5]
    assert set(log.table("calls")["queue"]) == {"sales"}


def test_a_member_that_most_records_have_is_a_fault_of_the_file(tmp_path):
    records = [record | {"other": 1} for record in objects()]
    with pytest.raises(InputError, match=r"columns that the table does not have.*'other'"):
        load(tmp_path, "calls.ndjson", written(records))


@pytest.mark.parametrize("first", ["{broken", '{"a": 1, ', "*** restarted ***", "\x00"])
def test_a_damaged_first_line_of_ndjson_is_set_aside_alone(tmp_path, first):
    log, report = load(tmp_path, "calls.ndjson", written([first, *objects()]))
    assert (report.loaded, report.rejected) == (6, 1)
    assert list(rejected(log)) == [1]


def test_a_text_where_others_have_an_object_hides_no_member(tmp_path):
    seed = SEEDS["generic-ndjson"]
    lines = seed.text.splitlines()
    lines[3] = json.dumps(json.loads(lines[3]) | {"when": "today"}, ensure_ascii=False)
    _, report = load(
        tmp_path, seed.file, written(lines), seed.source, mapping=seed.options["mapping"]
    )
    assert (report.loaded, report.rejected) == (len(lines) - 1, 1)


def test_a_name_with_a_blank_takes_no_other_records_column(tmp_path):
    seed = SEEDS["generic-ndjson"]
    lines = seed.text.replace('"队列"', '"队列 "', 1).splitlines()
    log, report = load(
        tmp_path, seed.file, written(lines), seed.source, mapping=seed.options["mapping"]
    )
    assert report.loaded == len(lines)
    assert log.table("calls")["queue"].null_count() == 1


@pytest.mark.parametrize("depth", [DEEPEST, 980, 3000, 100_000])
@pytest.mark.parametrize("signs", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("name", ["own-calls-ndjson", "amazon_connect", "genesys_aggregates-lines"])
def test_json_of_any_depth_sets_its_line_aside_alone(tmp_path, name, signs, depth):
    seed, path = SEEDS[name], tmp_path / SEEDS[name].file
    deep = '{"deep": ' + signs[0] * depth + "1" + signs[1] * depth + "}"
    assert too_deep(deep)
    outcomes = []
    for more in ([], [deep]):
        path.write_text(written([*seed.text.splitlines(), *more]), encoding="utf-8")
        outcomes.append(read(path, seed, {"identifiers": "as_they_are"}))
    whole, after = outcomes
    assert after.good.height == whole.good.height
    told = [reasons[0] for reasons in after.bad["reasons"] if "too deeply" in reasons[0]]
    assert len(told) == after.bad.height - whole.bad.height == 1


@pytest.mark.parametrize("name", ["amazon_connect", "genesys_aggregates-lines"])
def test_half_a_character_in_json_sets_its_record_aside(tmp_path, name):
    seed = SEEDS[name]
    lines = seed.text.splitlines()
    for before in ('"ContactId": "', '"queueId": "'):
        lines[1] = lines[1].replace(before, before + "\\ud800", 1)
    _, report = load(tmp_path, seed.file, written(lines), seed.source)
    (tmp_path / "whole").mkdir()
    _, whole = load(tmp_path / "whole", seed.file, seed.text, seed.source)
    assert report.read == whole.read
    assert 1 <= report.rejected - whole.rejected <= 3


def test_a_line_of_spaces_is_blank_in_healthy_company_too(tmp_path):
    lines = SEEDS["asterisk_queue_log"].text.splitlines()
    blank = [*lines[:5], "   ", "", *lines[5:9], " ", *lines[9:]]
    for more in ([], ["bro\0ken"]):
        (tmp_path / str(len(more))).mkdir()
        _, report = load(
            tmp_path / str(len(more)), "queue_log", written([*blank, *more]), "asterisk_queue_log"
        )
        assert report.read == len(lines) + len(more)


def test_a_lone_line_of_another_encoding_does_not_refuse_a_file_declared_utf8(tmp_path):
    text = (HEAD + "".join(line(i) for i in range(9))).encode() + line(9, "客服热线接通").encode(
        "gbk"
    )
    assert contradicted("utf-8", text, whole=True) is None
    log, report = load(tmp_path, "calls.csv", text, encoding="utf-8")
    assert (report.loaded, report.rejected) == (9, 1)
    assert "not text" in rejected(log)[11]


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡"])
@pytest.mark.parametrize(
    "name", [s.name for s in SEEDS.values() if s.kind in ("delimited", "lines")]
)
def test_digits_of_other_scripts_are_no_error(tmp_path, name, digits):
    seed, path = SEEDS[name], tmp_path / SEEDS[name].file
    lines = seed.text.splitlines(keepends=True)
    lines[2] = lines[2].translate(str.maketrans("0123456789", digits))
    path.write_text("".join(lines), encoding="utf-8")
    options = {**seed.options, "identifiers": "as_they_are", "key_file": None}
    outcome = read(path, seed, options)
    assert not outcome.refused
    assert 3 in [*outcome.good["_line"], *outcome.bad["_line"]]


def test_a_damaged_first_line_of_contacts_sets_itself_aside_alone(tmp_path):
    """Lines that are objects of their own are no array, whatever the first one begins with."""
    lines = SEEDS["amazon_connect"].text.splitlines()
    _, report = load(tmp_path, "ctr.json", written(["[" + lines[0], *lines[1:]]), "amazon_connect")
    assert report.read == len(lines)
    assert report.loaded >= len(lines) / 2


def test_an_array_whose_first_line_is_no_text_is_refused_as_a_document(tmp_path):
    text = SEEDS["amazon_connect-array"].text.replace("quoted", "quo\x1fted", 1)
    with pytest.raises(InputError, match="the file holds what is no text"):
        load(tmp_path, "ctr.json", text, "amazon_connect")


def test_seeds_hold_what_readers_trip_over():
    """So that the run goes on testing it."""
    queues = {row[3] for row in calls()}
    assert any("\n" in q for q in queues)
    assert any(not q.isascii() for q in queues)
    assert any('"' in q for q in queues)


def test_a_bracket_before_whole_objects_is_a_bad_line(tmp_path):
    _, report = load(tmp_path, "calls.ndjson", "[\n" + written(objects()), source="ccanalytics")
    assert (report.loaded, report.rejected) == (6, 1)
    with pytest.raises(InputError, match="one JSON list"):
        load(tmp_path, "calls.ndjson", json.dumps(objects(), indent=1))


def test_parquet_whose_text_is_none_is_damaged(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = b"2025-03-03T08:00:00Z2025-03-03T08:00:\xb1\xb1Z"
    ends = pa.array([0, 20, 40], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(2, ends, pa.py_buffer(text))
    path = tmp_path / "calls.parquet"
    pq.write_table(pa.table({"arrived_at": column, "outcome": ["answered"] * 2}), path)
    with pytest.raises(InputError, match="the Parquet file is cut off or damaged"):
        load(tmp_path, path.name, path.read_bytes())
