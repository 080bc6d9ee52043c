"""What an answer of the program hangs on, as numbers that are compared in the place of the answer.

In: names. Out: one number for all that files say of them: as long as it is the same, whoever asked for these
names alone would be told the same again.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise

from vmfdlint.base import SourceText
from vmfdlint.link.lexicon import KINDS, Lexicon
from vmfdlint.link.occurrences import occurrences

_MASK = (1 << 64) - 1
_BOUNDARY = re.compile(rb"(?<=[;}])\s*\n(?=[^\s{}])|\n(?=#)")
"""A line ends that closes a statement, and the next one begins in the first column; or a directive begins."""
_OPAQUE = re.compile(
    rb'"(?>(?:[^"\\\n]++|\\(?:\r\n|.))*)["\n]?'
    rb"|'(?:[^'\\\n]|\\.){0,12}+'"
    rb"|/(?:\*.*?(?:\*/|\Z)|/(?>(?:[^\n\\]++|\\(?:\r\n|.))*))"
    rb"|#(?>(?:[^\n\\/]++|\\(?:\r\n|.)|/\*.*?\*/|/)*)",
    re.S,
)
"""What is no code: strings, comments, directives with all their lines."""
_CONDITION = re.compile(rb"#[ \t]*(?:if|el|end|undef)")
_BLANK = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
_OPEN, _CLOSED = b"{([", b"})]"
_LINKAGE = re.compile(rb'\bextern\s+"C"\s*\{')
_RECORD = re.compile(rb"\b(?:struct|union|enum|typedef)\b[^(]*\{")
_ENDED = re.compile(rb"[;}]\s*(?:[A-Z_][A-Z0-9_]*\s*)?\Z")
_ENUM = re.compile(rb"\benum\b")
_VALUE = re.compile(rb"=([^,{}]*)")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_EMPTY = re.compile(rb"(?<=[^\\\s])[ \t]*\n(?:[ \t]*\n)+")
"""Lines that hold nothing, but for one behind a backslash: that one ends a directive."""

Said = Mapping[str, Mapping[str, int]]
"""By path with the hash of the content, and by name: what the file says of it, as a number. Of two files with
one text each speaks for itself: which of them counts for a third hangs on where they are."""


class Signatures:
    """Memoised numbers of 64 bits. They are sums: the order of names does not count."""

    def __init__(
        self, lexicon: Lexicon, seen_by_others: Callable[[SourceText], SourceText], said: Said
    ) -> None:
        """``seen_by_others`` gives what of a file others may read; ``said`` is what is known of earlier."""
        self._lexicon = lexicon
        self._seen_by_others = seen_by_others
        self._names: dict[str, int] = {}
        self._texts: dict[str, _Pieces] = {}
        self.said = {text: dict(names) for text, names in said.items()}
        self.used: dict[str, set[str]] = defaultdict(set)
        """By path: the names it was asked for."""
        self.is_new = False

    def of(self, names: Sequence[str]) -> int:
        """For distinct names: what the files that define them say of them, in whatever role."""
        fresh = [name for name in names if name not in self._names]
        for name in fresh:
            self._names[name] = 0
        for number, kind in enumerate(KINDS):
            for name in self._lexicon.some_defined(kind, fresh):
                said = sum(self.by(path, name) for path in self._lexicon.defined(kind, name))
                self._names[name] += (2 * number + 1) * said
        return sum(map(self._names.__getitem__, names)) & _MASK

    def by(self, path: str, name: str) -> int:
        """What one file says of a name."""
        self.used[path].add(name)
        source = self._lexicon.source(path)
        names = self.said.setdefault(_text(source), {})
        known = names.get(name)
        if known is None:
            self.is_new = True
            pieces = self._texts.get(path)
            if pieces is None:
                pieces = self._texts[path] = _Pieces(self._seen_by_others(source).data)
            known = names[name] = pieces.about(path, name)
        return known

    def said_by(self, path: str) -> Mapping[str, int]:
        """All that a file was asked for, now or before, with what it said."""
        return self.said.get(_text(self._lexicon.source(path)), {})

    @cached_property
    def includes(self) -> bytes:
        """Which file an include leads to, and what is included by that: all that files which others include
        say of it, and their names. Of the others, which nobody includes, each hangs on itself alone. Where
        this is the same, so is :meth:`sees` of every file."""
        lexicon = self._lexicon
        named = {name.rpartition("/")[2] for path in lexicon.paths for name in lexicon.written(path)}
        state = blake2b(digest_size=16)
        for path in lexicon.paths:
            if not path.endswith(".c") or path.rpartition("/")[2] in named:
                state.update("\n".join((path, *lexicon.written(path), "")).encode("utf-8", "surrogatepass"))
        return state.digest()

    def sees(self, path: str) -> bytes:
        """Which files one includes, directly or not, and how far away they are."""
        state = blake2b(digest_size=16)
        for target, depth in sorted(self._lexicon.included(path).items()):
            state.update(f"{depth} {target}\n".encode("utf-8", "surrogatepass"))
        return state.digest()


def _text(source: SourceText) -> str:
    return f"{source.path}\0{source.content_hash}"


class _Pieces:
    """A text cut where something at file level ends. What it says of a name are the pieces that hold it, and
    all conditions of the preprocessor, for they decide what counts."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._opaque: list[tuple[int, int]] = []
        self._conditions: list[int] = []
        conditions: list[bytes] = []
        code = bytearray(text)
        for match in _OPAQUE.finditer(text):
            start, end = match.span()
            self._opaque.append((start, end))
            code[start:end] = text[start:end].translate(_BLANK)
            if _CONDITION.match(text, start):
                self._conditions.append(start)
                conditions.append(match[0])
        for match in _LINKAGE.finditer(text):
            code[match.end() - 1] = 0x20  # what stands in these braces stands at file level
        self._said = b"\n".join(conditions)
        self._starts = _cut(text, bytes(code))

    def about(self, path: str, name: str) -> int:
        """The number for a name."""
        state = blake2b(f"{path}\n{name}\n".encode("utf-8", "surrogatepass"), digest_size=8)
        state.update(self._said)
        for number in sorted(self._holding(name.encode("utf-8", "surrogatepass"))):
            start, end = self._span(number)
            # The same piece says something else in another branch, or where a comment covers it.
            before, covered = bisect_left(self._conditions, start), self._covered(start)
            piece = _EMPTY.sub(b"\n", self._text[start:end].strip())
            state.update(b"\0%d %d\0" % (before, min(covered, end) - start) + piece)
        return int.from_bytes(state.digest(), "little")

    def _holding(self, name: bytes) -> set[int]:
        """The pieces with a name, and those with the names that the values of an enum in them are made of:
        these no one asks the program for."""
        found: set[int] = set()
        seen = {name}
        pending = [name]
        while pending:
            places = occurrences(self._text, pending.pop())
            for number in {bisect_right(self._starts, at) for at in places} - found:
                found.add(number)
                piece = self._text[slice(*self._span(number))]
                if _ENUM.search(piece):
                    fresh = {word for value in _VALUE.findall(piece) for word in _WORD.findall(value)} - seen
                    seen |= fresh
                    pending.extend(fresh)
        return found

    def _span(self, number: int) -> tuple[int, int]:
        """Where a piece stands; the first one has the number 1."""
        end = self._starts[number] if number < len(self._starts) else len(self._text)
        return self._starts[number - 1], end

    def _covered(self, start: int) -> int:
        """The end of what is no code and began before ``start``, if it reaches further; else ``start``."""
        number = bisect_left(self._opaque, (start, 0)) - 1
        return max(start, self._opaque[number][1]) if number >= 0 else start


def _cut(text: bytes, code: bytes) -> list[int]:
    """The starts of the pieces of a text. ``code`` is the same with blanks for what is none.

    No cut where a bracket is open, in a statement that a directive breaks up, or between a record and the
    name that it is given in the next line."""
    cuts = [0, *(match.end() for match in _BOUNDARY.finditer(text)), len(text)]
    starts = [0]
    depth = 0
    ended = True
    for start, end in pairwise(cuts):
        piece = code[start:end]
        depth += sum(map(piece.count, _OPEN)) - sum(map(piece.count, _CLOSED))
        if piece.strip():
            ended = _ENDED.search(piece) is not None
            if piece.rstrip().endswith(b"}"):
                ended = _RECORD.search(code, starts[-1], end) is None
        if depth == 0 and ended and end < len(text):
            starts.append(end)
    return starts
