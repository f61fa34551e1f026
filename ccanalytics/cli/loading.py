"""Commands that fill a call log: load, mapping, key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccanalytics.cli.terminal import Json, Log, app, bar, emit, print_error, say, shown
from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from ccanalytics.calllog.report import LoadReport

__all__ = ["SOURCE_NAMES", "key", "load", "mapping"]

Encoding = Annotated[
    str | None,
    typer.Option(help="Of text files, such as gb18030; default: found out."),
]
Sheet = Annotated[str | None, typer.Option(help="Of a workbook with several sheets.")]
MostTimes = Annotated[
    float | None,
    typer.Option(
        "--most-times", min=1, help="Refuse packed files that unpack to more times their size."
    ),
]

# Written out, so that --help need not import the readers; a test compares.
SOURCE_NAMES = (
    "ccanalytics, generic, anonymous_bank, asterisk_queue_log, asterisk_cdr, freeswitch_cdr, "
    "amazon_connect, genesys_aggregates, avaya_hsplit"
)


@app.command()
def load(
    files: Annotated[
        list[str],
        typer.Argument(help="Export files, folders of them, or patterns such as 'exports/*.csv'."),
    ],
    source: Annotated[str, typer.Option(help=f"Format: {SOURCE_NAMES}.")],
    log: Log,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="For generic: the TOML file that names the columns (see: ccanalytics mapping), "
            "or vicidial, cisco_uccx or mod_callcenter (untested)."
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="For ccanalytics: the table, if the name does not tell.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Where the centre stands, such as Asia/Shanghai.")
    ] = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    columns: Annotated[
        str | None,
        typer.Option(help="For call records without a header: their columns, with commas."),
    ] = None,
    allow_cut: Annotated[
        bool, typer.Option("--allow-cut", help="Load a file that ends in mid-line.")
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Key for the pseudonyms of customers and agents (see: ccanalytics key); default: "
            "what CCANALYTICS_KEY_FILE names.",
        ),
    ] = None,
    no_pseudonyms: Annotated[
        bool, typer.Option("--no-pseudonyms", help="Store identifiers as they come.")
    ] = False,
    most_times: MostTimes = None,
    as_json: Json = False,
) -> None:
    """Load export files into a call log; each file comes in whole or not at all.

    CSV, NDJSON, Parquet and .xlsx, packed or not, are told from their content. Of several files a
    bad one does not keep the others out: it is named at the end, and the exit code is not 0. Where
    a path stands for no file at all, nothing is loaded.

    Example: ccanalytics load 02_February.txt.gz --source anonymous_bank --log bank.duckdb
    """
    from ccanalytics.calllog import CallLog

    with bar("loading", bytes_=True) as progress:
        report = CallLog(log, time_zone=time_zone).load(
            files,
            source,
            mapping=mapping,
            table=table,
            encoding=encoding,
            allow_cut=allow_cut,
            columns=columns,
            sheet=sheet,
            most_times=most_times,
            key_file=key_file,
            identifiers="as_they_are" if no_pseudonyms else None,
            progress=progress,
        )
    if as_json:
        keys = ("read", "loaded", "duplicates", "rejected")
        emit(
            {
                "log": str(log),
                **{key: getattr(report, key) for key in keys},
                "files": [{**vars(one)} for one in report.files],
                "failed": {file: str(error) for file, error in report.failed.items()},
                "passed_over": list(report.passed_over),
            }
        )
    else:
        _print_load(report)
    _fail_after_load(report)


def _print_load(report: LoadReport) -> None:
    """The balance: of the file, or by file with that of all of them at the end."""
    if len(report.files) == 1 and not report.failed:
        say(f"{shown(report.files[0].file)}: {report.summary()}")
        return
    for one in report.files:
        again = ", loaded before" if one.already_loaded else ""
        say(
            f"{shown(one.file)}: {one.table}, {one.read:,} read, {one.loaded:,} loaded, "
            f"{one.duplicates:,} duplicates, {one.rejected:,} rejected{again}"
        )
    say(report.balance())


def _fail_after_load(report: LoadReport) -> None:
    """End with an error where a file could not be used; the others are in the log by now."""
    useless = [one for one in report.files if one.read and one.rejected == one.read]
    for one in useless:
        reason = next(iter(one.reasons), "loaded before")
        print_error(
            DataError(
                "no row of the file could be used",
                f"{one.file}: {reason}",
                "name the encoding, such as --encoding cp1252 or gb18030"
                if reason.startswith("not text in the encoding")
                else "check source, mapping and units; ccanalytics check --rejects 5 shows rows",
            )
        )
    for error in report.failed.values():
        print_error(error)
    if report.failed:
        raise typer.Exit(InputError.exit_code)
    if useless:
        raise typer.Exit(DataError.exit_code)


@app.command()
def mapping(
    file: Annotated[Path, typer.Argument(help="An export of calls in a form nobody described.")],
    output: Annotated[
        Path | None, typer.Option(help="Write the mapping there; default: print it.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Where the clock of the file stands, if you know.")
    ] = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    as_json: Json = False,
) -> None:
    """Look at an unknown file and propose the mapping that loads it, each line with its reason.

    What the file leaves open stands as a comment to choose from. The exit code is 0 whether or not
    anything is open.

    Example: ccanalytics mapping export.csv --output mapping.toml
    """
    from ccanalytics.calllog.proposal import propose
    from ccanalytics.calllog.sources import Settings
    from ccanalytics.calllog.sources.mapping import check_encoding
    from ccanalytics.calllog.store import check_time_zone

    if output is not None and output.exists():
        raise InputError("this file is there already", str(output), "name another, or remove it")
    found = propose(
        file,
        Settings(
            time_zone=check_time_zone(time_zone) if time_zone else None,
            encoding=check_encoding(encoding) if encoding else None,
            sheet=sheet,
        ),
    )
    if output is not None and found.source == "generic":
        try:
            output.write_text(found.to_toml(), encoding="utf-8")
        except OSError as error:
            raise InputError(
                "the mapping cannot be written", str(output), error.strerror or "check the folder"
            ) from error
    if as_json:
        emit({**found.to_dict(), "output": str(output) if output else None})
    elif output is None and found.source == "generic":
        say(found.to_toml(), end="")
    else:
        say(found.summary())


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="The file to make; none may be there yet.")],
) -> None:
    """Make a key for pseudonyms, in a file that only you can read.

    Keep it away from the log, and keep it: without it no further export can be loaded.

    Example: ccanalytics key centre.key
    """
    from ccanalytics.calllog.pseudonyms import make_key

    make_key(file)
    say(f"{file} holds a new key; give it to every load with --key-file or CCANALYTICS_KEY_FILE")
