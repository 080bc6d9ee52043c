"""The whole program, joined by name on demand: definitions, callers and call targets.

In: a Lexicon and a way to parse one file. Out: lowered functions and edges between them. A file is parsed
when a question first needs it; nothing here is computed for the whole tree.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import accumulate, islice
from typing import assert_never

from vmfdlint.base import LIMITS, Problem, ProblemKind, SourceText
from vmfdlint.frontends.contract import BODY, Damage, Index, Linkage, Sketch, Unit
from vmfdlint.ir import Call, Function, FunctionKey, Indirect, Member, Named, Notation
from vmfdlint.link.lexicon import Lexicon, common_directories
from vmfdlint.link.occurrences import occurrences
from vmfdlint.link.told import Told, question

FILE = "<file>"
"""Name of the function that holds a file's initialisers."""
_ATTRIBUTE = rb"(?:[^\n;=(]*?\b__attribute__[ \t]*\(\((?:[^()\n]|\([^()\n]*\))*\)\))?"
_OPENING = re.compile(rb"\n(?![ \t#}/*\n])" + _ATTRIBUTE + rb"[^\n;=]*?([A-Za-z_]\w*)[ \t]*\(")
_LITERAL = re.compile(rb'"((?:[^"\\\n]|\\.)*+)"')
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
_HEADER_END = re.compile(rb"[;{]")


class Program:
    """Lazily parsed and lowered functions, and name resolution as a linker would do it.

    All answers depend on the sources alone, never on the order of the questions.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        open_unit: Callable[[SourceText, Index], Unit],
        watch: Callable[[int], None] = lambda _count: None,
        linkage: Linkage | None = None,
    ) -> None:
        """``watch`` is told how many functions were read, each time one more is. ``linkage`` knows the files
        that are not joined by names alone."""
        self.lexicon = lexicon
        self.linkage = linkage
        self._bound = linkage.paths if linkage is not None else frozenset()
        self._watch = watch
        self._open_unit = open_unit
        self._units: dict[str, Unit] = {}
        self._warm: dict[str, None] = {}
        self._sketches: dict[str, dict[str, list[Sketch]]] = {}
        self._functions: dict[FunctionKey, Function | None] = {}
        self.problems: list[Problem] = []
        self._outlines: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._reaches: dict[str, tuple[list[int], list[int]]] = {}
        self._openings: dict[str, tuple[list[int], list[str]]] = {}
        self._resolved: dict[tuple[str, str], tuple[FunctionKey, ...]] = {}
        self.told: Told | None = None

    @property
    def parsed(self) -> tuple[str, ...]:
        """Paths of the files parsed so far, sorted."""
        return tuple(sorted(self._units))

    @property
    def unread(self) -> tuple[Problem, ...]:
        """What could not be read in the files asked for, by path."""
        return tuple(problem for path in self.parsed for problem in self._units[path].problems)

    @property
    def lowered(self) -> tuple[Function, ...]:
        """The functions lowered so far, by key."""
        return tuple(self._functions[key] for key in sorted(self._functions) if self._functions[key])  # type: ignore[misc]

    def bound(self, path: str) -> Linkage | None:
        """What joins a file to others where names alone do not."""
        return self.linkage if path in self._bound else None

    def notation(self, path: str) -> Notation:
        """How a file writes a path."""
        bound = self.bound(path)
        return bound.notation if bound is not None else Notation()

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Paths of the files that a program begins in, sorted."""
        bound = self.linkage.entries if self.linkage is not None else ()
        return tuple(sorted((*self.lexicon.defined("functions", "main"), *bound)))

    def is_entry(self, key: FunctionKey) -> bool:
        """Whether a program begins and ends with this function."""
        return key.name == (BODY if key.path in self._bound else "main")

    def unit(self, path: str) -> Unit:
        """The parsed file."""
        unit = self._units.get(path)
        if unit is None:
            unit = self._units[path] = self._unread(path)
            table: dict[str, list[Sketch]] = {}
            for sketch in unit.sketches:
                table.setdefault(sketch.name, []).append(sketch)
            self._sketches[path] = table
            self._keep(path)
        return unit

    def _unread(self, path: str) -> Unit:
        """A file for questions that cost no parse; it does not count as parsed."""
        bound = self.bound(path)
        return bound.unit(path) if bound else self._open_unit(self.lexicon.source(path), self.lexicon)

    def _keep(self, path: str) -> None:
        """Remembers a file as the one used last; the tree of the one used longest ago goes, for the sake of
        memory."""
        self._warm.pop(path, None)
        self._warm[path] = None
        if len(self._warm) > LIMITS.open_units:
            oldest = next(iter(self._warm))
            del self._warm[oldest]
            self._units[oldest].forget()

    def damage(self, keys: Iterable[FunctionKey]) -> Damage:
        """The sum over functions; those without a definition count nothing."""
        found = []
        for key in keys:
            unit = self.unit(key.path)
            found += [unit.damage(sketch) for sketch in self._sketches[key.path].get(key.name, ())]
        return Damage(*(sum(getattr(one, field) for one in found) for field in ("size", "raw", "left")))

    def keys(self, path: str) -> tuple[FunctionKey, ...]:
        """Every function of a file, in source order, without the file-level one."""
        return tuple(FunctionKey(path, name) for name in self.defined_in(path))

    @question
    def defined_in(self, path: str) -> tuple[str, ...]:
        """The names of :meth:`keys`."""
        return tuple(dict.fromkeys(sketch.name for sketch in self.unit(path).sketches))

    def attributes(self, key: FunctionKey) -> tuple[str, ...]:
        """The attribute words of a definition, () for a function that is not there."""
        return self.header(key.path, key.name) or ()

    @question
    def header(self, path: str, name: str) -> tuple[str, ...] | None:
        """The attribute words of a definition, None for a function that is not there. Where the text does not
        show them the file is parsed; so the answer does not hang on whether it was."""
        outline = self._outlines.get(path)
        if outline is None:
            outline = self._outlines[path] = self._unread(path).outline
        words = outline.get(name)
        if words is not None:
            return words
        sketches = self._names(path).get(name)
        return sketches[0].attributes if sketches else None

    def function(self, key: FunctionKey) -> Function | None:
        """The IR of a function, None where the file has no such definition.

        Where both branches of an #ifdef define it, the longer body stands for it.
        """
        if key in self._functions:
            return self._functions[key]
        unit = self.unit(key.path)
        self._keep(key.path)
        found: Function | None = None
        if key.name == FILE:
            found = unit.toplevel()
        else:
            sketches = self._sketches[key.path].get(key.name)
            if sketches:
                longest = max(sketches, key=lambda sketch: (sketch.end - sketch.start, -sketch.start))
                found = unit.lower(longest)
        self._functions[key] = found
        self._watch(len(self._functions))
        return found

    def resolve(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        """The definitions that a call of ``name`` from file ``path`` can reach, as a linker would choose.

        The file's own definition, else what it includes, else external ones; among several (one per
        architecture) those that share the most directories with the caller. A weak one counts where it is
        alone.
        """
        known = self._resolved.get((name, path))
        if known is None:
            bound = self.bound(path)
            known = bound.resolve(name, path) if bound is not None else self._resolve(name, path)
            self._resolved[(name, path)] = known
        return known

    def _resolve(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        candidates = self.lexicon.defined("functions", name)
        if not candidates:
            return ()
        if path in candidates:
            words = self.header(path, name)
            if words is not None and "weak" not in words:
                return (FunctionKey(path, name),)
        included = self.lexicon.included(path)
        visible: list[FunctionKey] = []
        for candidate in candidates[: LIMITS.slot_targets]:
            key = FunctionKey(candidate, name)
            words = self.header(candidate, name)
            if words is None:
                continue
            internal = "static" in words and not candidate.endswith(".h")
            if candidate in included or not internal:
                visible.append(key)
        direct = [key for key in visible if key.path in included]
        real = self._real(visible, direct)
        if real:
            visible = real
        elif direct:
            return tuple(direct)
        if len(visible) < 2:
            return tuple(visible)
        linked = self.lexicon.build.beside(path, (key.path for key in visible))
        if linked:
            return self._strong([key for key in visible if key.path in linked])
        closest = max(common_directories(key.path, path) for key in visible)
        return self._strong([key for key in visible if common_directories(key.path, path) == closest])

    def _strong(self, keys: list[FunctionKey]) -> tuple[FunctionKey, ...]:
        """Without the weak definitions where there are others: a linker takes those (elf(5), STB_WEAK)."""
        strong = tuple(key for key in keys if "weak" not in self.attributes(key))
        return strong or tuple(keys)

    def _real(self, visible: list[FunctionKey], direct: list[FunctionKey]) -> list[FunctionKey]:
        """The external definitions for which a header's static functions only stand in where a feature is
        left out: the header declares the name too, in the other branch of an #ifdef, and their files include
        it. As in one file, the branch with the feature is what is analysed."""
        if not direct or not all(self.stands_in(key.path, key.name) for key in direct):
            return []
        headers = {key.path for key in direct}
        return [
            key
            for key in visible
            if "static" not in self.attributes(key) and headers & self.lexicon.included(key.path).keys()
        ]

    @question
    def stands_in(self, path: str, name: str) -> bool:
        """Whether a function is static where its file also declares it as external."""
        if "static" not in (self.header(path, name) or ()):
            return False
        data = self.lexicon.source(path).data
        if len(list(islice(occurrences(data, name.encode()), 2))) < 2:
            return False
        return any(b"static" not in found[1].split() for found in _declaration(name).finditer(data))

    def _names(self, path: str) -> dict[str, list[Sketch]]:
        self.unit(path)
        return self._sketches[path]

    def mentioning(self, token: str) -> tuple[FunctionKey, ...]:
        """Functions (and file levels) whose text holds the identifier ``token``."""
        found: list[FunctionKey] = []
        for path in self.lexicon.files_with(token):
            found.extend(self.mentioning_in(path, token))
        return tuple(found)

    def literals(self, stretch: str, pattern: re.Pattern[str]) -> tuple[tuple[str, int, str], ...]:
        """The string literals that hold ``stretch`` and as a whole match: path, byte offset, and the macro in
        whose #define they stand ("" elsewhere)."""
        found: list[tuple[str, int, str]] = []
        for path in self.lexicon.paths:
            bound = self.bound(path)
            if bound is None:
                found += [(path, at, macro) for at, macro in self.literals_in(path, stretch, pattern.pattern)]
            elif stretch.encode() in self.lexicon.source(path).data:
                texts = bound.texts(path)
                found += [(path, at, "") for at, text in texts if stretch in text and pattern.fullmatch(text)]
        return tuple(found)

    @question
    def literals_in(self, path: str, stretch: str, pattern: str) -> tuple[tuple[int, str], ...]:
        """As :meth:`literals`, for one file that is joined by names alone."""
        wanted = stretch.encode()
        data = self.lexicon.source(path).data
        return tuple(
            (match.start(), _defining(data, match.start()))
            for match in (_LITERAL.finditer(data) if wanted in data else ())
            if wanted in match[1]
            and not _commented(data, match.start())
            and re.fullmatch(pattern, match[1].decode("utf-8", "replace"))
        )

    def within(self, path: str, offset: int) -> FunctionKey:
        """The function whose text holds a byte offset, after a parse; the file level where none does."""
        inside = [(s.end - s.start, number, s.name) for number, s in self._holders(path, offset)]
        return FunctionKey(path, min(inside)[2] if inside else FILE)

    @question
    def holder(self, path: str, offset: str) -> str:
        """The name of what :meth:`within` gives."""
        return self.within(path, int(offset)).name

    @question
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
        bound = self.bound(path)
        if bound is not None:
            return list(bound.mentioning(path, token))
        return [FunctionKey(path, name) for name in self.holding(path, token)]

    @question
    def holding(self, path: str, token: str) -> tuple[str, ...]:
        """The functions of a file whose text holds a name; its file level where none holds the place."""
        return self._around(path, occurrences(self.lexicon.source(path).data, token.encode()))

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
        return self.text_of(key.path, key.name)

    @question
    def text_of(self, path: str, name: str) -> bytes:
        """As :meth:`text`, for a file that is joined by names alone."""
        offsets, names = self._starts(path)
        data = self.lexicon.source(path).data
        ends = [*offsets[1:], len(data)]
        return b"".join(
            data[start:end] for start, end, one in zip(offsets, ends, names, strict=True) if one == name
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
            if name in names:
                end = _HEADER_END.search(data, match.end())
                if end is not None and end[0] == b"{":
                    offsets.append(match.start())
                    found.append(name)
        return offsets, found

    def targets(self, caller: FunctionKey, call: Call) -> tuple[FunctionKey, ...]:
        """The definitions a call by name can reach; () for calls through members and variables."""
        match call.target:
            case Named(name=name):
                return self.resolve(name, caller.path)
            case Member() | Indirect():
                return ()
            case _:
                assert_never(call.target)

    def limit(self, text: str) -> None:
        """Notes that a bound on the work was reached."""
        problem = Problem(ProblemKind.LIMIT, text)
        if problem not in self.problems:
            self.problems.append(problem)


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


@cache
def _declaration(name: str) -> re.Pattern[bytes]:
    """A pattern for a declaration of a function that starts a line; its first group is what stands before the
    name."""
    return re.compile(
        rb"^([A-Za-z_][\w \t*]*?)\b" + re.escape(name.encode()) + rb"[ \t]*\([^;{}]*\)[^;{}()=]*;",
        re.MULTILINE,
    )
