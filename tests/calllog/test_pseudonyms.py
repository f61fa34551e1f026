"""Nobody's name or number passes the door: pseudonyms in the tables, masks in what is set aside."""

import logging
import os
import re
import stat
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import CallLog
from ccanalytics.calllog import workspace
from ccanalytics.calllog.masking import masked_patterns, masked_text
from ccanalytics.calllog.pseudonyms import Key, make_key, read_key
from ccanalytics.cli import main
from ccanalytics.errors import CcanalyticsError, InputError, LogError
from ccanalytics.schema import TABLES

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
HEADER = "call_id,customer,agent,arrived_at,outcome,talk_s\n"


@pytest.fixture
def key_file(tmp_path):
    make_key(tmp_path / "centre.key")
    return tmp_path / "centre.key"


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch):
    monkeypatch.delenv("CCANALYTICS_KEY_FILE", raising=False)


def everything(folder):
    """All bytes of all files in a folder, the exports and the key apart."""
    return b"".join(
        path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".csv", ".key", ".toml")
    )


# ---- pseudonyms ---------------------------------------------------------------------------------


def test_a_pseudonym_is_the_keyed_code_that_the_standard_defines():
    """BLAKE2b with key and personalisation (RFC 7693), computed here from its definition."""
    import hashlib

    secret = bytes(range(32))
    expected = hashlib.blake2b(
        b"13800001111", digest_size=10, key=secret, person=b"customer"
    ).hexdigest()
    assert Key(secret).pseudonym("customer", "13800001111") == expected
    assert len(expected) == 20


def test_machine_code_makes_the_same_pseudonyms_as_the_standard_library(monkeypatch):
    """Texts of every length up to a block and beyond, with 32 and 64 bytes of key, in slices."""
    import hashlib

    from ccanalytics.calllog import keyed_codes, pseudonyms

    made = []
    real = keyed_codes.hex_codes
    monkeypatch.setattr(keyed_codes, "hex_codes", lambda *a: made.append(len(a[0])) or real(*a))
    monkeypatch.setattr(pseudonyms, "_MANY", 0)
    texts = ["é" * (n // 2) + "x" * (n % 2) for n in range(1, 129)] * 5
    for secret in (bytes(range(32)), bytes(range(64))):
        for some in (texts, texts[:1], [None, *texts[3:300]], ["a", "b" * 129], ["", "a"], []):
            series = pl.Series(["left out", *some], dtype=pl.String)[1:]
            expected = [
                None
                if text is None
                else hashlib.blake2b(
                    text.encode(), digest_size=10, key=secret, person=b"agent"
                ).hexdigest()
                for text in some
            ]
            assert Key(secret).pseudonyms_of("agent", series).to_list() == expected
    if keyed_codes.COMPILES:
        assert made == [641, 2, 298, 641, 2, 298]


def test_machine_code_needs_no_place_to_be_kept(tmp_path):
    """A service user without a home, on a disk that can only be read."""
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    import ccanalytics

    copy = tmp_path / "ccanalytics"
    shutil.copytree(
        Path(ccanalytics.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in [copy, *(path for path in copy.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()  # where numba would keep it
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), str(tmp_path / "no"))
    (tmp_path / "no").touch()
    code = (
        "import polars as pl, ccanalytics.calllog.pseudonyms as p\n"
        "p._MANY = 0\n"
        "print(p.Key(bytes(32)).pseudonyms_of('agent', pl.Series(['a']))[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **nowhere, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == Key(bytes(32)).pseudonym("agent", "a"), done.stderr


def test_the_same_person_has_the_same_name_in_every_table_and_load(tmp_path, key_file, write_table):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    tables = {
        "calls": [
            {"call_id": "a", "arrived_at": AT, "customer": "K1", "agent": "Ann"},
            {"call_id": "b", "arrived_at": AT, "customer": " K1 ", "agent": None},
            {"call_id": "c", "arrived_at": AT, "customer": "Ann"},
        ],
        "customers": [{"customer": "K1"}],
        "agents": [{"agent": "Ann"}],
        "reviews": [{"review_id": "r", "item": "i", "agent": "Ann", "reviewer": "Ann"}],
        "rollouts": [
            {"unit_kind": "agent", "unit": "Ann", "treatment": "t"},
            {"unit_kind": "customer", "unit": "K1", "treatment": "t"},
            {"unit_kind": "service", "unit": "Ann", "treatment": "t"},
        ],
    }
    for name, rows in tables.items():
        path = write_table(tmp_path / f"{name}.csv", name, rows)
        assert log.load(path, source="ccanalytics", key_file=key_file).loaded == len(rows)
    key = read_key(key_file)
    customer, agent = key.pseudonym("customer", "K1"), key.pseudonym("agent", "Ann")
    calls = log.table("calls").sort("call_id")
    assert calls["customer"].to_list() == [customer, customer, key.pseudonym("customer", "Ann")]
    assert calls["agent"].to_list() == [agent, None, None]
    assert log.table("customers")["customer"].to_list() == [customer]
    assert log.table("agents")["agent"].to_list() == [agent]
    assert log.table("reviews").select("agent", "reviewer").rows() == [(agent, agent)]
    units = dict(log.table("rollouts").select("unit_kind", "unit").rows())
    assert units == {"agent": agent, "customer": customer, "service": "Ann"}
    assert next(c for c in log.check().checks if c.name == "persons").status == "holds"


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh"), st.text(min_size=1, max_size=9))))
def test_every_value_of_a_column_gets_its_own_pseudonym_whichever_way_it_is_made(texts):
    from ccanalytics.calllog.pseudonyms import pseudonymised

    key = Key(b"k" * 32)
    frame = pl.DataFrame({"agent": texts}, schema={"agent": pl.String})
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(c.name)
        for c in TABLES["articles"].columns
        if c.name != "agent"
    )
    for copies in (1, 5):
        out = pseudonymised(pl.concat([frame] * copies), TABLES["articles"], key)["agent"].to_list()
        assert out == [t and key.pseudonym("agent", t) for t in texts] * copies


def test_every_person_of_the_schema_is_marked():
    marked = {(t.name, c.name) for t in TABLES.values() for c in t.columns if c.person}
    named = {
        (t.name, c.name)
        for t in TABLES.values()
        for c in t.columns
        if c.name in ("customer", "agent", "reviewer", "owner")
    }
    assert marked == named | {("rollouts", "unit"), ("calls", "line")}


# ---- keys ---------------------------------------------------------------------------------------


def test_a_key_is_made_for_its_owner_alone_and_never_overwritten(tmp_path, capsys):
    path = tmp_path / "centre.key"
    assert main(["key", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_text()
    assert content.strip() not in capsys.readouterr().out
    assert main(["key", str(path)]) == 2
    assert path.read_text() == content
    assert main(["key", str(tmp_path / "no" / "centre.key")]) == 2


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_can_read_is_refused(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_key(key_file)


@pytest.mark.parametrize("content", [b"", b"secret", b"ab" * 31, b"zz" * 32, b"\xff" * 64])
def test_what_is_no_key_is_refused_and_not_repeated(key_file, content):
    key_file.write_bytes(content)
    with pytest.raises(InputError, match="not a key") as caught:
        read_key(key_file)
    assert not content or content.decode("latin-1") not in str(caught.value)


def test_a_key_shows_itself_to_nobody():
    import pickle

    key = Key(b"0123456789abcdef" * 2)
    assert "0123" not in f"{key!r} {key} {key.check}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_log_keeps_to_the_key_it_was_made_with(tmp_path, key_file, write_table, log_content):
    other = tmp_path / "other.key"
    make_key(other)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    rows = [{"call_id": "a", "arrived_at": AT, "customer": "K1"}]
    log.load(write_table(tmp_path / "calls_1.csv", "calls", rows), "ccanalytics", key_file=key_file)
    before = log_content(log)
    more = write_table(tmp_path / "calls_2.csv", "calls", [{"call_id": "b", "arrived_at": AT}])
    with pytest.raises(LogError, match="another key"):
        log.load(more, "ccanalytics", key_file=other)
    with pytest.raises(LogError, match="--key-file"):
        log.load(more, "ccanalytics")
    with pytest.raises(LogError, match="pseudonyms"):
        log.load(more, "ccanalytics", identifiers="as_they_are")
    assert log_content(log) == before
    assert key_file.read_bytes().strip() not in everything(tmp_path)
    assert bytes.fromhex(key_file.read_text()) not in everything(tmp_path)
    assert log.load(more, "ccanalytics", key_file=key_file).loaded == 1


def test_a_log_without_a_key_says_so_and_takes_none_later(tmp_path, key_file, write_table):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    rows = [{"call_id": "a", "arrived_at": AT, "customer": "K1"}]
    report = log.load(write_table(tmp_path / "calls_1.csv", "calls", rows), "ccanalytics")
    assert "dentifiers are stored as they came" in report.summary()
    told = next(c for c in log.check().checks if c.name == "persons")
    assert "identifiers are stored as they came" in told.detail
    assert log.table("calls")["customer"].to_list() == ["K1"]
    with pytest.raises(LogError, match="as they came"):
        log.load(tmp_path / "calls_1.csv", "ccanalytics", key_file=key_file)
    services = write_table(tmp_path / "services.csv", "services", [{"service": "s"}])
    assert "stored as they came" not in log.load(services, "ccanalytics").summary()


def test_the_key_may_come_from_the_environment(tmp_path, key_file, write_table, monkeypatch):
    monkeypatch.setenv("CCANALYTICS_KEY_FILE", str(key_file))
    path = write_table(
        tmp_path / "calls.csv", "calls", [{"call_id": "a", "arrived_at": AT, "customer": "K1"}]
    )
    keyed = CallLog(tmp_path / "keyed.duckdb", time_zone="UTC")
    keyed.load(path, "ccanalytics")
    assert keyed.table("calls")["customer"].to_list() == [
        read_key(key_file).pseudonym("customer", "K1")
    ]
    options = ["load", str(path), "--source", "ccanalytics", "--time-zone", "UTC", "--log"]
    assert main([*options, str(tmp_path / "plain.duckdb"), "--no-pseudonyms"]) == 0
    assert CallLog(tmp_path / "plain.duckdb").table("calls")["customer"].to_list() == ["K1"]
    assert main([*options, str(keyed.path), "--no-pseudonyms"]) == 3


def test_a_source_of_raw_numbers_insists_on_a_choice(tmp_path, write_table, monkeypatch):
    from ccanalytics.calllog.sources import Canonical

    path = write_table(tmp_path / "calls.csv", "calls", [{"call_id": "a", "arrived_at": AT}])
    monkeypatch.setattr(Canonical, "raw_numbers", True)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="--no-pseudonyms"):
        log.load(path, "ccanalytics")
    assert not log.path.exists()
    with pytest.raises(InputError, match="identifiers"):
        log.load(path, "ccanalytics", identifiers="hashed")
    assert log.load(path, "ccanalytics", identifiers="as_they_are").loaded == 1


@pytest.mark.parametrize(
    ("line", "asks"),
    [('customer = "who"', True), ('agent = "who"', True), ('queue = "who"', False)],
)
def test_a_mapping_of_people_insists_on_a_choice(tmp_path, key_file, line, asks):
    toml, path = tmp_path / "m.toml", tmp_path / "x.csv"
    text = f'[file]\ntime_zone = "UTC"\n[columns]\narrived_at = "at"\noutcome = "how"\n{line}\n'
    toml.write_text(text)
    path.write_text("at,how,who\n2025-03-03T09:00:00Z,answered,07700900123\n")
    log = CallLog(tmp_path / "centre.duckdb")
    if asks:
        with pytest.raises(InputError, match="--no-pseudonyms"):
            log.load(path, "generic", mapping=toml)
        assert not log.path.exists()
        toml.write_text(text.replace("[columns]", "raw_numbers = false\n[columns]"))
    assert log.load(path, "generic", mapping=toml).loaded == 1


def test_a_key_beside_no_pseudonyms_is_refused(tmp_path, key_file, write_table, capsys):
    """The key was passed over, and everything came in as it was."""
    path = write_table(tmp_path / "calls.csv", "calls", [{"call_id": "a", "arrived_at": AT}])
    log = tmp_path / "centre.duckdb"
    said = ["load", str(path), "--source", "ccanalytics", "--time-zone", "UTC", "--log", str(log)]
    assert main([*said, "--key-file", str(key_file), "--no-pseudonyms"]) == 2
    assert "leave out" in capsys.readouterr().err
    assert not log.exists()


def test_a_digest_for_a_missing_call_id_is_keyed_too(tmp_path, key_file):
    """A plain digest of a row that holds a number could be found by trying all numbers."""
    import hashlib

    row = "K13800001111,Ann,2025-03-03T09:00:00Z,answered,1"
    (tmp_path / "calls.csv").write_text(HEADER.replace("call_id,", "") + row + "\n")
    ids = {}
    for name, options in {"keyed": {"key_file": key_file}, "plain": {}}.items():
        log = CallLog(tmp_path / f"{name}.duckdb", time_zone="UTC")
        log.load(tmp_path / "calls.csv", "ccanalytics", **options)
        (ids[name],) = log.table("calls")["call_id"].to_list()
    assert ids["plain"] == hashlib.md5(f"ccanalytics\n{row}".encode()).hexdigest()  # noqa: S324
    assert ids["keyed"] == read_key(key_file).pseudonym("call", f"ccanalytics\n{row}")


# ---- masks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("1234", "1234"),
        ("12345", "#####"),
        ("a１３８００１３８０００b", "a#####b"),
        ("K0038338,2025-03-03T09:00:00Z", "K#####,2025-03-03T09:00:00Z"),
        ("ann.li+x@example.org;", "***@***;"),
        ("ring +44 20 7946 0958.", "ring +#####."),
        ("٠١٢٣٤٥", "#####"),
        ("2025-03-03T09:00:00+08:00", "2025-03-03T09:00:00+08:00"),
    ],
)
def test_numbers_and_addresses_are_masked_alike_in_tables_and_messages(text, masked):
    assert masked_text(text) == masked
    assert pl.DataFrame({"t": [text]}).select(masked_patterns(pl.col("t"))).item() == masked


names = st.text("abcdefghijklmnopqrstuvwxyz王李张伟", min_size=4, max_size=10).map("Zq".__add__)
numbers = st.text("0123456789", min_size=6, max_size=12).map("7".__add__)


@settings(max_examples=12)
@given(st.lists(st.tuples(numbers, names, st.integers(0, 7)), min_size=1, max_size=12))
def test_no_identifier_survives_anywhere(tmp_path_factory, persons):
    """Of loaded and of rejected rows: not in the log, nor in what a stopped load leaves behind,
    nor in what is logged, said or shown."""
    folder = tmp_path_factory.mktemp("private")
    make_key(folder / "centre.key")
    lines = []
    for i, (number, name, damage) in enumerate(persons):
        cells = [f"c{i}", number, name, "2025-03-03T09:00:00Z", "answered", "5"]
        line = [
            ",".join(cells),
            ",".join([*cells[:4], "nonsense", "5"]),
            ",".join([*cells[:5], "five"]),
            ",".join([*cells, name]),
            ",".join(cells[:4]),
            ",".join(cells[:2]) + f',"{name},2025-03-03T09:00:00Z,answered,5',
            ",".join([*cells[:3], number, "answered", "5"]),
            ",".join(cells) + "\0",
        ][damage]
        lines.append(line)
    (folder / "calls.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("ccanalytics").addHandler(handler)
    removed = workspace.shutil.rmtree
    kept = folder / "kept"

    def keep(path, **options):
        workspace.shutil.copytree(path, kept / path.name)
        removed(path, **options)

    workspace.shutil.rmtree = keep
    try:
        report = log.load(folder / "calls.csv", "ccanalytics", key_file=folder / "centre.key")
    finally:
        workspace.shutil.rmtree = removed
        logging.getLogger("ccanalytics").removeHandler(handler)
    assert report.read == report.loaded + report.rejected
    assert any(kept.rglob("*.parquet"))
    shown = log.rejects().write_json() + report.summary() + repr(log.check().checks) + str(said)
    with duckdb.connect(str(log.path), read_only=True) as connection:
        stored = "".join(
            str(connection.sql(f'SELECT * FROM "{name}"').fetchall())
            for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()
        )
    # Parquet is compressed: what was staged is looked at unpacked too.
    staged = "".join(str(pl.read_parquet(p).rows()) for p in kept.rglob("*.parquet"))
    there = everything(folder)
    for number, name, _ in persons:
        for text in (number, name):
            assert text not in shown + stored + staged
            assert text.encode() not in there


def test_a_file_without_a_header_does_not_show_its_first_row_in_the_error(tmp_path):
    (tmp_path / "calls.csv").write_text("c1,13800138000,ann@example.org\n")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(CcanalyticsError) as caught:
        log.load(tmp_path / "calls.csv", "ccanalytics")
    assert "13800138000" not in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_a_line_that_may_be_somebodys_number_is_replaced_and_an_extension_stays(
    tmp_path, write_table, key_file
):
    """Seven digits and more are a number; ports and extensions tell lines apart, and stay."""
    lines = ["trunk 3", "204123", "5551234", "+44 20 7946 0958", "SIP/204"]
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    file = write_table(
        tmp_path / "calls.csv", "calls", [{"arrived_at": at, "line": line} for line in lines]
    )
    log = CallLog(tmp_path / "log.duckdb", time_zone="UTC")
    log.load(file, source="ccanalytics", key_file=key_file)
    kept = log.table("calls").sort("call_id")["line"].to_list()
    assert [line for line in kept if line in lines] == ["trunk 3", "204123", "SIP/204"]
    assert all(re.fullmatch("[0-9a-f]{20}", line) for line in kept if line not in lines)


def test_line_numbers_and_reasons_of_masked_rows_stay_useful(tmp_path, key_file):
    text = HEADER + 'c1,K1,Ann,2025-03-03T09:00:00Z,answered,"five, or"\nc2,K1,Ann\n'
    (tmp_path / "calls.csv").write_text(text)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(tmp_path / "calls.csv", "ccanalytics", key_file=key_file)
    assert log.rejects().drop("file").rows() == [
        (2, 'c1,***,***,2025-03-03T09:00:00Z,answered,"xx, xx"', ["talk_s is not a number"]),
        (3, "x#,x#,xxx", ["3 fields where 6 are expected"]),
    ]
