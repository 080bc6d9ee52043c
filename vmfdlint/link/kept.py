"""Files as an earlier run lowered them. In: a file of the program. Out: a Unit whose functions come from the
cache where they would be lowered to the same again, else from the front-end.

What a front-end makes of a function hangs on its file and on what the program says of the names that it asks
for. Both are kept beside the functions of a file and compared (see signature).
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from vmfdlint.base import LIMITS, Problem, SourceText
from vmfdlint.cache import Coding, Rows, digest, identity
from vmfdlint.frontends.contract import Damage, Index, Sketch, Unit
from vmfdlint.ir import Function
from vmfdlint.link.compared import UNKEPT, Comparison
from vmfdlint.link.lexicon import Lexicon
from vmfdlint.link.signature import Signatures
from vmfdlint.link.units import FILE

OpenUnit = Callable[[SourceText, Index], Unit]


class _Lowered(msgspec.Struct, frozen=True, array_like=True):
    """A function and what could not be read in it."""

    function: Function
    problems: tuple[Problem, ...]


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a file. ``outline`` and ``holders`` hang on its content alone; the rest also on which
    files it ``sees``, which is the same as long as all ``includes`` are, and on what the program says of
    ``names``, a line each, of which ``signature`` is made. ``functions`` are encoded, by sketch."""

    content: str
    outline: dict[str, tuple[str, ...]] | None
    holders: dict[int, tuple[str, ...] | None]
    includes: bytes
    sees: bytes
    names: bytes
    signature: int
    sketches: tuple[Sketch, ...] | None
    functions: dict[str, msgspec.Raw]


_ROWS = Coding(_Row)
_LOWERED = Coding(_Lowered)
_SAID = Coding(dict[str, dict[str, int]])
_FILE_LEVEL = ""


class _Asked:
    """The program's index, with a note of every name that it is asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.names: set[str] = set()

    def defining(self, kind: str, name: str, near: str) -> tuple[str, ...]:
        """See :class:`vmfdlint.frontends.contract.Index`."""
        self.names.add(name)
        return self._index.defining(kind, name, near)

    def source(self, path: str) -> SourceText:
        """See :class:`vmfdlint.frontends.contract.Index`."""
        return self._index.source(path)


class KeptUnits:
    """The files of a program. :meth:`open` in the place of the front-end's; :meth:`save` once the work is
    done."""

    def __init__(
        self,
        rows: Rows,
        lexicon: Lexicon,
        open_unit: OpenUnit,
        seen_by_others: Callable[[SourceText], SourceText],
        holds: Callable[[str], bytes] = lambda _path: b"",
    ) -> None:
        """``seen_by_others`` gives what of a file other files may read; ``holds`` the mark of the row of a
        file for which others are known to say what they said, b"" where that is to be seen."""
        self._holds = holds
        self._rows = rows
        self._open_unit = open_unit
        self._said = digest((identity(), b"said"))
        said = _SAID.decode(rows.get((self._said,)).get(self._said)) or {}
        self.signatures = Signatures(lexicon, seen_by_others, said)
        self._opened: dict[str, _KeptUnit] = {}
        self._marks: dict[str, bytes] = {}
        self._identity = digest((identity(), b"unit"))

    def open(self, source: SourceText, index: Index) -> Unit:
        """One file of the program, as it is kept or ready to be lowered."""
        unit = self._opened.get(source.path)
        if unit is None:
            row, mark = self._row(source.path)
            if row is not None and row.content != source.content_hash:
                row = None
            if row is not None:
                self._marks[source.path] = mark
            held = row is not None and mark == self._holds(source.path)
            unit = _KeptUnit(source, row, index, self._open_unit, self.signatures, held)
            self._opened[source.path] = unit
        return unit

    def _key(self, path: str) -> bytes:
        return digest((self._identity, path.encode("utf-8", "surrogatepass")))

    def _row(self, path: str) -> tuple[_Row | None, bytes]:
        """What is kept of a file, with what tells it from all else that was kept of it."""
        key = self._key(path)
        data = self._rows.get((key,)).get(key)
        return _ROWS.decode(data), b"" if data is None else digest((data,))

    def mark(self, path: str) -> bytes:
        """What tells the row of a file from those before and after it; b"" where none was read or written."""
        return self._marks.get(path, b"")

    @property
    def names(self) -> frozenset[str]:
        """All that the files asked the program for, now or when they were kept."""
        return frozenset().union(*(unit.names for unit in self._opened.values()))

    def compared(self, source: SourceText, mark: bytes, index: Index) -> Comparison | None:
        """The functions of a file beside those that were kept of it in the row with a mark. None where there
        is another row now: that may be of a program with other headers, or hold fewer functions."""
        row, found = self._row(source.path)
        if row is None or found != mark:
            return None
        self.open(source, index)
        unit, before = self._opened[source.path], row.sketches or ()

        def now(name: str) -> msgspec.Raw | None:
            if name == _FILE_LEVEL:
                unit.toplevel()
                return unit.functions[name]
            sketch = _same(name, before, unit.sketches)
            if sketch is None:
                return None
            unit.lower(sketch)
            return unit.functions[_name(sketch)]

        by_name: dict[str, list[str]] = {}
        for name in row.functions:
            by_name.setdefault(FILE if name == _FILE_LEVEL else _called(name), []).append(name)
        return Comparison(row.functions, by_name, now)

    def save(self) -> None:
        """Keeps what was lowered anew."""
        new = [unit for unit in self._opened.values() if unit.is_new]
        rows = {self._key(unit.path): _ROWS.encode(unit.row()) for unit in new}
        for unit in new:
            row = rows[self._key(unit.path)]
            self._marks[unit.path] = b"" if row is None else digest((row,))
        if self.signatures.is_new:
            said = self.signatures.said
            rows[self._said] = _SAID.encode(said if len(said) < LIMITS.said_files else {})
        self._rows.put({key: row for key, row in rows.items() if row is not None})


class _KeptUnit:
    """See :class:`vmfdlint.frontends.contract.Unit`. The file is parsed when something is asked that is not
    kept."""

    def __init__(
        self,
        source: SourceText,
        row: _Row | None,
        index: Index,
        open_unit: OpenUnit,
        signatures: Signatures,
        held: bool,
    ) -> None:
        """``held``: the row needs no comparison."""
        self._held = held
        self.path = source.path
        self.is_new = False
        self._source = source
        self._row = row
        self._asked = _Asked(index)
        self._open_unit = open_unit
        self._signatures = signatures
        self._problems: dict[Problem, None] = {}
        self._holders = dict(row.holders) if row is not None else {}
        self.functions: dict[str, msgspec.Raw] = {}

    @property
    def names(self) -> set[str]:
        """What it asked the program for."""
        return self._asked.names

    @cached_property
    def _read(self) -> Unit:
        return self._open_unit(self._source, self._asked)

    @cached_property
    def outline(self) -> Mapping[str, tuple[str, ...]]:
        if self._row is not None and self._row.outline is not None:
            return self._row.outline
        self.is_new = True
        return self._read.outline

    def holders(self, offset: int) -> tuple[str, ...] | None:
        if offset not in self._holders:
            self._holders[offset] = self._read.holders(offset)
            self.is_new = True
        return self._holders[offset]

    @cached_property
    def sketches(self) -> tuple[Sketch, ...]:
        row = self._row
        if row is not None and row.sketches is not None:
            names = row.names.decode("utf-8", "surrogatepass").split("\n")
            if self._held or self._stands(row, names):
                self._asked.names.update(names)
                self.functions.update(row.functions)
                return row.sketches
        self.is_new = True
        return self._read.sketches

    def _stands(self, row: _Row, names: list[str]) -> bool:
        """Whether the program says what it did when a row was kept."""
        said = self._signatures
        sees = row.includes == said.includes or row.sees == said.sees(self.path)
        return sees and row.signature == said.of(names)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self._problems)

    def lower(self, sketch: Sketch) -> Function:
        return self._known(_name(sketch), lambda: self._read.lower(sketch))

    def toplevel(self) -> Function:
        return self._known(_FILE_LEVEL, lambda: self._read.toplevel())

    def _known(self, name: str, lower: Callable[[], Function]) -> Function:
        assert self.sketches is not None  # with them comes what is kept of the functions
        lowered = _LOWERED.decode(self.functions.get(name))
        if lowered is None:
            before = set(self._read.problems)
            function = lower()
            lowered = _Lowered(function, tuple(one for one in self._read.problems if one not in before))
            row = _LOWERED.encode(lowered)
            raw = UNKEPT if row is None else msgspec.Raw(row)
            self.is_new = self.is_new or self.functions.get(name) != raw
            self.functions[name] = raw
        self._problems.update(dict.fromkeys(lowered.problems))
        return lowered.function

    def forget(self) -> None:
        if "_read" in self.__dict__:
            self._read.forget()

    def damage(self, sketch: Sketch) -> Damage:
        return self._read.damage(sketch)

    def row(self) -> _Row:
        """What there is to keep."""
        kept = self._row
        outline = self.__dict__.get("outline", kept.outline if kept is not None else None)
        if "sketches" not in self.__dict__ and kept is not None:
            return msgspec.structs.replace(kept, outline=outline, holders=self._holders)
        names = sorted(self._asked.names)
        return _Row(
            self._source.content_hash,
            outline,
            self._holders,
            self._signatures.includes,
            self._signatures.sees(self.path),
            "\n".join(names).encode("utf-8", "surrogatepass"),
            self._signatures.of(names),
            self.__dict__.get("sketches"),
            self.functions,
        )


def _name(sketch: Sketch) -> str:
    """What a function is kept under."""
    return f"{sketch.start} {sketch.end} {sketch.name}"


def _called(name: str) -> str:
    """What a function is called that is kept under a name."""
    return name.split(" ", 2)[2]


def _same(name: str, old: tuple[Sketch, ...], new: tuple[Sketch, ...]) -> Sketch | None:
    """The function of a file that was kept under a name, after the file changed: of several that are called
    the same, the one in the same place among them."""
    before = [_name(sketch) for sketch in old if sketch.name == _called(name)]
    after = [sketch for sketch in new if sketch.name == _called(name)]
    return after[before.index(name)] if name in before and len(before) == len(after) else None
