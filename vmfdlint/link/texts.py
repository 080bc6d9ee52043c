"""What the text of a file shows: which of its functions hold a name, a literal, a place.

In: a path, and what to look for. Out: names of functions. A file is parsed where its text leaves a doubt.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from itertools import accumulate, islice, pairwise

from vmfdlint.base import number_of
from vmfdlint.frontends.contract import Sketch
from vmfdlint.ir import FunctionKey
from vmfdlint.link.occurrences import given_to, member_sign, occurrences
from vmfdlint.link.told import question, text_question
from vmfdlint.link.units import FILE, Units

_ATTRIBUTE = rb"(?:[^\n;=(]*?\b__attribute__[ \t]*\(\((?:[^()\n]|\([^()\n]*\))*\)\))?"
_OPENING = re.compile(rb"\n(?![ \t#}/*\n])" + _ATTRIBUTE + rb"[^\n;=]*?([A-Za-z_]\w*)[ \t]*\(")
_LITERAL = re.compile(rb'"((?>(?:[^"\\\n]|\\.)*))"')
_PASTED = re.compile(rb"(?:->|\.) *(\w+(?: *## *\w+)+)")
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
_ASKED = re.compile(rb"\s*[(,)]")
_HEADER_END = re.compile(rb"[;{]")


class Texts(Units):
    """Files as texts, beside what is parsed of them."""

    @cached_property
    def _reaches(self) -> dict[str, tuple[list[int], list[int]]]:
        return {}

    @cached_property
    def _openings(self) -> dict[str, tuple[list[int], list[str]]]:
        return {}

    @text_question
    def literals_in(self, path: str, stretch: str, pattern: str) -> tuple[str, ...]:
        """As :meth:`literals`, for one file that is joined by names alone: the macro of each literal, in
        source order."""
        return tuple(macro for _offset, macro in self._literals_in(path, stretch, pattern))

    @question
    def holding_literals(self, path: str, stretch: str, pattern: str) -> tuple[str, ...]:
        """The functions around those literals of :meth:`literals_in` that stand in no macro."""
        found = self._literals_in(path, stretch, pattern)
        return tuple(self.within(path, offset).name for offset, macro in found if not macro)

    def _literals_in(self, path: str, stretch: str, pattern: str) -> Iterator[tuple[int, str]]:
        wanted = stretch.encode()
        data = self.lexicon.source(path).data
        for match in _LITERAL.finditer(data) if wanted in data else ():
            if (
                wanted in match[1]
                and not _commented(data, match.start())
                and re.fullmatch(pattern, match[1].decode("utf-8", "replace"))
            ):
                yield match.start(), _defining(data, match.start())

    @question
    def stands_in(self, path: str, name: str) -> bool:
        """Whether a function is static where its file also declares it as external."""
        if "static" not in (self.header(path, name) or ()):
            return False
        data = self.lexicon.source(path).data
        if len(list(islice(occurrences(data, name.encode()), 2))) < 2:
            return False
        return any(b"static" not in found[1].split() for found in _declaration(name).finditer(data))

    def within(self, path: str, offset: int) -> FunctionKey:
        """The function whose text holds a byte offset, after a parse; the file level where none does."""
        inside = [(s.end - s.start, number, s.name) for number, s in self._holders(path, offset)]
        return FunctionKey(path, min(inside)[2] if inside else FILE)

    @text_question
    def says(self, path: str, text: str) -> bool:
        """Whether a file holds a text, anywhere."""
        return text.encode() in self.lexicon.source(path).data

    def _holders(self, path: str, offset: int) -> list[tuple[int, Sketch]]:
        """The definitions that hold a byte offset, numbered in source order."""
        sketches = self.unit(path).sketches
        table = self._reaches.get(path)
        if table is None:
            starts = [sketch.start for sketch in sketches]
            table = self._reaches[path] = starts, list(accumulate((sketch.end for sketch in sketches), max))
        starts, reached = table
        number = bisect_right(starts, offset) - 1
        found: list[tuple[int, Sketch]] = []
        while number >= 0 and reached[number] > offset:
            if sketches[number].end > offset:
                found.append((number, sketches[number]))
            number -= 1
        return found[::-1]

    def mentioning_in(self, path: str, token: str) -> list[FunctionKey]:
        """As :meth:`mentioning`, for one file."""
        return self._found_in(path, token, self.holding)

    def calling_in(self, path: str, name: str) -> list[FunctionKey]:
        """As :meth:`mentioning_in`, where the name may be that of what is called."""
        return self._found_in(path, name, self.invoking)

    def selecting_in(self, path: str, member: str) -> list[FunctionKey]:
        """As :meth:`mentioning_in`, where the name may be a member's."""
        return self._found_in(path, member, self.selecting)

    def _found_in(
        self, path: str, name: str, look: Callable[[str, str], tuple[str, ...]]
    ) -> list[FunctionKey]:
        """What ``look`` finds in the text of a file; what is bound, where a front-end bound its names."""
        bound = self.bound(path)
        if bound is not None:
            return list(bound.mentioning(path, name))
        return [FunctionKey(path, one) for one in look(path, name)]

    @question
    def holding(self, path: str, token: str) -> tuple[str, ...]:
        """The functions of a file whose text holds a name; its file level where none holds the place."""
        return self._around(path, occurrences(self.lexicon.source(path).data, token.encode()))

    @question
    def invoking(self, path: str, name: str) -> tuple[str, ...]:
        """As :meth:`holding`, where the name is no member's, and called or given away: to a macro that calls
        it, it may be."""
        data, wanted = self.lexicon.source(path).data, name.encode()
        places = (at for at in occurrences(data, wanted) if _ASKED.match(data, at + len(wanted)))
        return self._around(path, (at for at in places if member_sign(data, at) < 0))

    @question
    def selecting(self, path: str, member: str) -> tuple[str, ...]:
        """As :meth:`holding`, where the name stands behind a ``.`` or ``->``, or in what a macro is given, or
        may be what a macro of the file pastes together."""
        data = self.lexicon.source(path).data
        found = [
            at
            for at in occurrences(data, member.encode())
            if member_sign(data, at) >= 0
            or any(self.lexicon.defined("macros", name) for name in given_to(data, at))
        ]
        pasting = _pasting(data, member.encode()) if b"##" in data else ()
        return self._around(path, (*found, *pasting))

    @question
    def matching(self, path: str, text: str) -> tuple[str, ...]:
        """As :meth:`holding`, for a text wherever it stands."""
        data, wanted = self.lexicon.source(path).data, text.encode()
        return self._around(path, (match.start() for match in re.finditer(re.escape(wanted), data)))

    def _around(self, path: str, offsets: Iterable[int]) -> tuple[str, ...]:
        """The innermost function around each offset, or the file level; in the order of the offsets. Without
        any, nothing is parsed."""
        names: dict[str, None] = {}
        for offset in offsets:
            names[self.within(path, offset).name] = None
        return tuple(names)

    def around(self, path: str, offset: int) -> Iterator[FunctionKey]:
        """The functions that hold a byte offset, those too that a macro makes of its use at file level:
        ``core_init(kvm__init);``. Parses the file where its text leaves a doubt."""
        plain = self._unread(path).holders(offset)
        if plain is not None:
            yield from (FunctionKey(path, name) for name in plain)
            return
        for _number, sketch in self._holders(path, offset):
            yield FunctionKey(path, sketch.name)

    def enclosing(self, path: str, offset: int) -> FunctionKey | None:
        """The function whose text holds a byte offset, found from the lines that open definitions, without a
        parse.

        A guess: text at file level after a function counts to that function. None before the first one.
        """
        if self.bound(path) is not None:
            return self.within(path, offset)
        starts = self._starts(path)
        position = bisect_right(starts[0], offset) - 1
        return FunctionKey(path, starts[1][position]) if position >= 0 else None

    def text(self, key: FunctionKey) -> bytes:
        """The text of a function, from its header to the next one's, found in the same way; a guess too."""
        if self.bound(key.path) is not None:
            spans = [(s.start, s.end) for s in self.unit(key.path).sketches if s.name == key.name]
            return b"".join(self.lexicon.source(key.path).data[start:end] for start, end in spans)
        offsets, names = self._starts(key.path)
        data = self.lexicon.source(key.path).data
        ends = pairwise((*offsets, len(data)))
        return b"".join(
            data[start:end] for (start, end), one in zip(ends, names, strict=True) if one == key.name
        )

    def _starts(self, path: str) -> tuple[list[int], list[str]]:
        starts = self._openings.get(path)
        if starts is None:
            starts = self._openings[path] = self._find_openings(path)
        return starts

    def _find_openings(self, path: str) -> tuple[list[int], list[str]]:
        # The line feed before a line is what the search finds fast; one more, and no offset changes.
        data = b"\n" + self.lexicon.source(path).data
        names = self.lexicon.functions_of(path)
        offsets: list[int] = []
        found: list[str] = []
        for match in _OPENING.finditer(data):
            name = match[1].decode("ascii", "replace")
            if number_of(name) in names:
                end = _HEADER_END.search(data, match.end())
                if end is not None and end[0] == b"{":
                    offsets.append(match.start())
                    found.append(name)
        return offsets, found


def _commented(data: bytes, offset: int) -> bool:
    """Whether an offset lies behind a ``//`` in its line that is in no literal."""
    before, slashes, _ = data[data.rfind(b"\n", 0, offset) + 1 : offset].partition(b"//")
    return bool(slashes) and before.count(b'"') % 2 == 0


def _defining(data: bytes, offset: int) -> str:
    """The macro in whose definition an offset lies."""
    start = data.rfind(b"\n", 0, offset) + 1
    while start > 1 and data[:start].rstrip(b"\r\n")[-1:] == b"\\":
        start = data.rfind(b"\n", 0, start - 1) + 1
    found = _DEFINE.match(data, start, offset)
    return found[1].decode("ascii", "replace") if found else ""


def _pasting(data: bytes, member: bytes) -> Iterator[int]:
    """Where a macro stands that may put the name of a member together, ``m->n##_fd``: its definition, which a
    function may hold, and its uses."""
    for match in _PASTED.finditer(data):
        pieces = match[1].replace(b" ", b"").split(b"##")
        if member.startswith(pieces[0]) or member.endswith(pieces[-1]):
            yield match.start()
            name = _defining(data, match.start())
            yield from occurrences(data, name.encode()) if name else ()


@cache
def _declaration(name: str) -> re.Pattern[bytes]:
    """A pattern for a declaration of a function that starts a line; its first group is what stands before the
    name."""
    return re.compile(
        rb"^([A-Za-z_][\w \t*]*?)\b" + re.escape(name.encode()) + rb"[ \t]*\([^;{}]*\)[^;{}()=]*;",
        re.MULTILINE,
    )
