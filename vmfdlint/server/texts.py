"""Places in a text: as bytes, as a Span says them, and as the protocol counts them.

The protocol counts lines from 0, ended by LF, CRLF or CR, and in a line the code units of the encoding that
client and server agreed on (LSP 3.17, "Text Documents"); a Span counts lines from 1, ended by LF, and bytes.
"""

import re
from bisect import bisect_right
from collections.abc import Callable

from lsprotocol.types import Position, PositionEncodingKind, Range

from vmfdlint.base import SourceText, Span

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Text:
    """One text in the encoding that positions are counted in."""

    def __init__(self, data: bytes, encoding: str = PositionEncodingKind.Utf16) -> None:
        self.source = SourceText("", data)
        self._encoding = encoding
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(data))]

    def position(self, offset: int) -> Position:
        """A byte offset as a position."""
        row = bisect_right(self._starts, offset) - 1
        before = self.source.data[self._starts[row] : offset].decode("utf-8", "replace")
        if self._encoding == PositionEncodingKind.Utf8:
            return Position(row, len(before.encode()))
        if self._encoding == PositionEncodingKind.Utf32:
            return Position(row, len(before))
        return Position(row, len(before.encode("utf-16-le")) // 2)

    def offset(self, position: Position) -> int:
        """A position as a byte offset; one behind the end of its line or of the text is that end."""
        if position.line >= len(self._starts):
            return len(self.source.data)
        start = self._starts[position.line]
        end = self._starts[position.line + 1] if position.line + 1 < len(self._starts) else None
        line = self.source.data[start:end].rstrip(b"\r\n").decode("utf-8", "replace")
        units = position.character
        if self._encoding == PositionEncodingKind.Utf8:
            before = line.encode()[:units].decode("utf-8", "ignore")
        elif self._encoding == PositionEncodingKind.Utf32:
            before = line[:units]
        else:
            before = line.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
        return start + len(before.encode())

    def range(self, at: Span) -> Range:
        """A span of this text as a range."""
        start, end = self.source.offsets(at)
        return Range(self.position(start), self.position(end))


def moved(old: bytes, new: bytes) -> Callable[[int, int], tuple[int, int] | None]:
    """Where a stretch of an old text, in bytes, stands in a new one; nowhere where the text changed in it."""
    before = _alike(old, new)
    behind = len(old) - _alike(old[before:][::-1], new[before:][::-1])

    def place(start: int, end: int) -> tuple[int, int] | None:
        if end <= before:
            return start, end
        shift = len(new) - len(old)
        return (start + shift, end + shift) if start >= behind else None

    return place


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
