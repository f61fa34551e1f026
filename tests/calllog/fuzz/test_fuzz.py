"""Thousands of mutated files of every format: no traceback, no hang, every record accounted for.

For each file: a refusal has a documented cause that the mutation excuses; what was read equals an
independent count of records and what was loaded and rejected; a record that stands in the file as
it stood in the seed gives the very row that it gave there; no record that nobody touched is lost.
Some go through ``CallLog.load`` whole besides.

The ordinary run takes a slice; ``CCANALYTICS_FULL=1`` takes 430 files of each seed, above 20,000 in
all, and prints a table (``-s``). ``CCANALYTICS_FUZZ=seed:number`` runs that one file alone.
"""

import faulthandler
import os
import signal
import traceback
from collections import Counter
from contextlib import contextmanager, nullcontext

import pytest

from .cases import case_of
from .judging import base_of, problems
from .packing import as_parquet, as_xlsx, grid
from .reading import load_options, read, small_blocks
from .refusals import listed
from .seeds import seeds
from .whole import whole_problems

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
ONE = os.environ.get("CCANALYTICS_FUZZ", "")
FILES, WHOLE_EVERY, LONGEST_S = (430, 50, 20) if FULL else (5, 20, 20)
SEEDS = seeds()


@contextmanager
def watched():
    """A file that takes longer than twenty seconds is a failure, also where nothing listens."""

    def hung(*_):
        raise TimeoutError(f"more than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(LONGEST_S)
    faulthandler.dump_traceback_later(4 * LONGEST_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def seed_file(seed) -> bytes:
    write = {"parquet": as_parquet, "xlsx": as_xlsx}.get(seed.kind)
    return write(grid(seed.text)) if write else seed.text.encode()


def of_one_file(case, base, path, key, *, whole):
    """What is wrong with what becomes of one file, and why it was refused, if it was."""
    path.write_bytes(case.file)
    try:
        with watched(), small_blocks() if case.small_blocks else nullcontext():
            outcome = read(path, case.seed, load_options(case.seed, case.options, key))
            wrong = problems(case, outcome, base)
            if whole:
                wrong += whole_problems(case, outcome, path, key)
    except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
        return ["".join(traceback.format_exception(error)[-3:])], ""
    except BaseException as error:
        # A panic of a library is none of Python's ordinary exceptions.
        if type(error).__name__ != "PanicException":
            raise
        return [f"a library panicked: {error}"], ""
    return wrong, outcome.refused


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_mutated_files(name, tmp_path, key):
    seed = SEEDS[name]
    path = tmp_path / seed.file
    path.write_bytes(seed_file(seed))
    base = base_of(seed, read(path, seed, load_options(seed, {}, key)))
    alone, _, number = ONE.rpartition(":")
    if alone and alone != name:
        pytest.skip("another file was asked for")
    numbers = [int(number)] if alone else range(FILES)
    failed, refused, ways = [], Counter(), Counter()
    nth = sorted(SEEDS).index(name)
    for n in numbers:
        case = case_of(seed, n)
        whole = bool(alone) or (n + nth) % WHOLE_EVERY == 0
        wrong, why = of_one_file(case, base, path, key, whole=whole)
        refused[listed(why) if why else ""] += 1
        ways.update(case.mutators)
        if wrong:
            failed.append("\n    ".join([str(case), *wrong]))
    if FULL:
        print(f"\n{name}: {len(numbers)} files; refused: {dict(refused)}; by way: {dict(ways)}")
    assert not failed, f"{len(failed)} of {len(numbers)} files:\n" + "\n".join(failed[:8])
