"""BLAKE2b (RFC 7693) of very many short texts with one key, in machine code.

Python hashes one text after the other and holds its lock meanwhile; here many go through the rounds
side by side, in several threads. The codes are those of :func:`hashlib.blake2b`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ccanalytics.compiled import COMPILES, compiled, compiled_in_place

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["COMPILES", "LONGEST", "hex_codes"]

# Bytes of one block of the function: longer texts are not for here.
LONGEST = 128
# How many texts go side by side: their words stay in the nearest cache.
_ABREAST = 256
_ROUNDS = 12

_START = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
# Which word of the message comes when; the last two rounds repeat the first two.
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ]
)
# Columns, then diagonals, of the state of 4 x 4 words.
_QUARTERS = np.array(
    [
        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
        [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
    ]
)  # fmt: skip


def hex_codes(
    ends: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], key: bytes, person: bytes, size: int
) -> npt.NDArray[np.uint8]:
    """Codes of texts that lie one behind the other, as digits one behind the other.

    Parameters
    ----------
    ends : array of int64, one more than texts
        Where each text begins, and where the last one ends; each has 1 to 128 bytes.
    data : array of uint8
        The texts' bytes.
    key, person : bytes
        Up to 64 bytes of a key and up to 16 that tell one use of it from another.
    size : int
        Bytes of a code, at most 16.
    """
    # Digest, key, one leaf at depth one; then no salt, and the use.
    form = struct.pack("<4B44x16s", size, len(key), 1, 1, person)
    first = _START ^ np.frombuffer(form, np.uint64)
    out = np.empty(2 * size * (len(ends) - 1), np.uint8)
    block = np.frombuffer(key.ljust(LONGEST, b"\0"), np.uint64)
    _codes(first, block, ends, data, size, out)
    return out


def _turned(word: Any, bits: int) -> Any:
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))


_turned = cast("Any", compiled_in_place(_turned))


@compiled_in_place
def _mix(state: Any, words: Any, quarter: Any, x: int, y: int) -> None:
    a, b, c, d = quarter[0], quarter[1], quarter[2], quarter[3]
    for j in range(state.shape[1]):
        one, two, three, four = state[a, j], state[b, j], state[c, j], state[d, j]
        one = one + two + words[x, j]
        four = _turned(four ^ one, 32)
        three = three + four
        two = _turned(two ^ three, 24)
        one = one + two + words[y, j]
        four = _turned(four ^ one, 16)
        three = three + four
        two = _turned(two ^ three, 63)
        state[a, j], state[b, j], state[c, j], state[d, j] = one, two, three, four


@compiled
def _compress(state: Any, words: Any) -> None:
    for turn in range(_ROUNDS):
        order = _ORDER[turn % 10]
        for i in range(8):
            _mix(state, words, _QUARTERS[i], order[2 * i], order[2 * i + 1])


@compiled
def _codes(first: Any, block: Any, ends: Any, data: Any, size: int, out: Any) -> None:
    # The key is a block of its own before every text: it is gone through once.
    state, words = np.empty((16, 1), np.uint64), np.empty((16, 1), np.uint64)
    for i in range(16):
        state[i, 0] = first[i] if i < 8 else _START[i - 8]
        words[i, 0] = block[i]
    state[12, 0] ^= np.uint64(LONGEST)
    _compress(state, words)
    keyed = np.empty(8, np.uint64)
    for i in range(8):
        keyed[i] = first[i] ^ state[i, 0] ^ state[i + 8, 0]

    state, words = np.empty((16, _ABREAST), np.uint64), np.empty((16, _ABREAST), np.uint64)
    texts = np.empty((_ABREAST, 16), np.uint64)
    plain = texts.view(np.uint8)
    for start in range(0, len(ends) - 1, _ABREAST):
        count = min(_ABREAST, len(ends) - 1 - start)
        for i in range(8):
            for j in range(_ABREAST):
                state[i, j] = keyed[i]
                state[i + 8, j] = _START[i]
        for j in range(count):
            begin, length = ends[start + j], ends[start + j + 1] - ends[start + j]
            for i in range(16):
                texts[j, i] = 0
            for i in range(length):
                plain[j, i] = data[begin + i]
            state[12, j] ^= np.uint64(LONGEST + length)
            state[14, j] = ~state[14, j]  # this block is the last of its text
        for i in range(16):
            for j in range(_ABREAST):
                words[i, j] = texts[j, i]
        _compress(state, words)
        for j in range(count):
            for i in range(2 * size):
                k = i // 16
                word = keyed[k] ^ state[k, j] ^ state[k + 8, j]
                # Bytes from the lowest on, of each the upper half first.
                half = (word >> np.uint64(4 * ((i % 16) ^ 1))) & np.uint64(15)
                out[2 * (start + j) * size + i] = half + np.uint64(48 if half < 10 else 87)
