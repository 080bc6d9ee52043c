"""Names as numbers of 32 bits, for sets of names too large to be held as texts. In: names. Out: packed sets.

Two names can have one number: a set may seem to hold a name that it does not, never the other way round.
"""

import sys
from array import array
from collections.abc import Iterable
from zlib import crc32


def number_of(name: str) -> int:
    """CRC-32 of a name."""
    return crc32(name.encode("utf-8", "surrogatepass"))


def packed(names: Iterable[bytes]) -> bytes:
    """The numbers of distinct names as little-endian uint32, ascending."""
    numbers = array("I", sorted({crc32(name) for name in names}))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpacked(numbers: bytes) -> frozenset[int]:
    """The numbers in a packed set."""
    found = array("I", numbers)
    if sys.byteorder == "big":
        found.byteswap()
    return frozenset(found)
