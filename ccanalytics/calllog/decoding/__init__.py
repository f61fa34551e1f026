"""From the bytes of any file to blocks of lines in UTF-8: packing and encoding by content."""

from __future__ import annotations

from ccanalytics.calllog.decoding.blocks import BLOCK_BYTES, LONGEST_LINE, TextFile
from ccanalytics.calllog.decoding.compression import check_file, kind_of

__all__ = ["BLOCK_BYTES", "LONGEST_LINE", "TextFile", "check_file", "kind_of"]
