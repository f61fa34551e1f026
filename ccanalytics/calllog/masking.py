"""What is shown of rows that were set aside: enough to find the fault, not enough to find a person.

Runs of five or more digits (of any script), numbers in international form and e-mail addresses are
masked everywhere. Where the fields of a row are known, those that identify a person are masked
whole; where they are not known and the log holds pseudonyms, every letter and digit is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.calllog.reading import Layout

__all__ = [
    "LETTERS",
    "few_names",
    "masked_fields",
    "masked_patterns",
    "masked_text",
    "masked_whole",
]

PERSON = "***"
# The kind of a field that names nobody if it is what it should be, and anybody if it is not.
LETTERS = "letters"
_CODES = sorted({v for t in TABLES.values() for c in t.columns for v in c.values})
# What an error shows of a header: a file of another kind may have one of megabytes.
_NAMES, _LONGEST_NAME = 40, 80
# Both engines take \d for the digits of every script, full-width ones among them.
_PATTERNS = (
    (r"[^\s,;:<>\"'|=@＠]+[@＠][^\s,;:<>\"'|=@＠]+", "***@***"),
    (r"\+\d[\d \-.()]{5,}\d", "+#####"),
    (r"\d{5,}", "#####"),
)


def masked_text(text: str) -> str:
    """A text from a file as a message may show it.

    Examples
    --------
    >>> masked_text("call 13812345678 or ann@example.org, 3 times")
    'call ##### or ***@***, 3 times'
    """
    for pattern, instead in _PATTERNS:
        text = re.sub(pattern, instead, text)
    return text


def few_names(names: list[str]) -> str:
    """Names of columns as an error shows them; where there is no header they are a row's."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(repr(masked_text(name[:_LONGEST_NAME])) for name in names[:_NAMES]) + more


def masked_patterns(text: pl.Expr) -> pl.Expr:
    """Numbers and addresses masked."""
    for pattern, instead in _PATTERNS:
        text = text.str.replace_all(pattern, instead)
    return text


def masked_whole(text: pl.Expr) -> pl.Expr:
    """Every letter and digit masked; the marks between them stay, and so does the row's shape."""
    return text.str.replace_all(r"\p{N}", "#").str.replace_all(r"[\p{L}\p{M}]", "x")


def masked_fields(fields: list[str], persons: Mapping[str, str], layout: Layout) -> pl.Expr:
    """The row written again from its fields, those of persons masked whole.

    Of times and codes (:data:`LETTERS`) words are masked, unless they are codes of the schema.
    """
    import polars as pl

    cells = []
    for name in fields:
        text = pl.col(name).fill_null("")
        if persons.get(name, LETTERS) != LETTERS:
            cells.append(pl.when(text.str.strip_chars() != "").then(pl.lit(PERSON)).otherwise(text))
            continue
        text = masked_patterns(text)
        if name in persons:
            words = text.str.replace_all(r"[\p{L}\p{M}]{2,}", "xx")
            text = pl.when(text.str.strip_chars().is_in(_CODES)).then(text).otherwise(words)
        if layout.quote is not None:
            mark = layout.quote
            special = f"[{re.escape(mark + layout.delimiter)}\r\n]"
            doubled = text.str.replace_all(mark, mark * 2, literal=True)
            quoted = pl.concat_str(pl.lit(mark), doubled, pl.lit(mark))
            text = pl.when(text.str.contains(special)).then(quoted).otherwise(text)
        cells.append(text)
    return pl.concat_str(cells, separator=layout.delimiter)
