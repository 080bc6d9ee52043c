"""Where something stands in a source file."""

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

import msgspec


class Span(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """A stretch of source: lines from 1, columns from 1 and counted in bytes, the end exclusive.

    ``path`` is relative to the root of the scan, with ``/`` between its parts on every system.
    """

    path: str
    line: int
    col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col}"


class SourceText(msgspec.Struct, frozen=True, dict=True):
    """One file's bytes as read from disk, never rewritten. ``path`` as in :class:`Span`."""

    path: str
    data: bytes

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Byte offset at which each line starts; index 0 is line 1. Only LF ends a line, as in
        tree-sitter."""
        starts = array("L", (0,))
        position = self.data.find(b"\n")
        while position >= 0:
            starts.append(position + 1)
            position = self.data.find(b"\n", position + 1)
        return starts

    def point(self, offset: int) -> tuple[int, int]:
        """Byte offset -> (line from 1, column from 1 in bytes)."""
        row = bisect_right(self.line_starts, offset) - 1
        return row + 1, offset - self.line_starts[row] + 1

    def span(self, start: int, end: int) -> Span:
        """Byte offsets, end exclusive -> Span."""
        return Span(self.path, *self.point(start), *self.point(end))

    def offsets(self, at: Span) -> tuple[int, int]:
        """A span of this file -> its byte offsets, the end exclusive."""
        starts = self.line_starts
        return starts[at.line - 1] + at.col - 1, starts[at.end_line - 1] + at.end_col - 1

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1) without its line end; bytes that are not UTF-8 show as U+FFFD.

        Returns an empty string for a line that does not exist.
        """
        if not 1 <= number <= len(self.line_starts):
            return ""
        start = self.line_starts[number - 1]
        end = self.data.find(b"\n", start)
        raw = self.data[start:] if end < 0 else self.data[start:end]
        return raw.rstrip(b"\r").decode("utf-8", "replace")
