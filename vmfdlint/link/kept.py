"""Files as an earlier run lowered them. In: a file of the program. Out: a Unit whose functions come from the
cache where they would be lowered to the same again, else from the front-end.

What a front-end makes of a function hangs on its file and on what the program says of the names that it asks
for. Both are kept beside the functions of a file and compared (see signature).
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from vmfdlint.base import Problem, SourceText
from vmfdlint.cache import Coding, Rows, digest, identity
from vmfdlint.frontends.contract import Damage, Index, Sketch, Unit
from vmfdlint.ir import Function
from vmfdlint.link.lexicon import Lexicon
from vmfdlint.link.signature import Signatures

OpenUnit = Callable[[SourceText, Index], Unit]


class _Lowered(msgspec.Struct, frozen=True, array_like=True):
    """A function and what could not be read in it."""

    function: Function
    problems: tuple[Problem, ...]


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a file. ``outline`` and ``holders`` hang on its content alone; the rest also on what
    the program says of ``names``, a line each, of which ``signature`` is made. ``functions`` are encoded, by
    sketch."""

    content: str
    outline: dict[str, tuple[str, ...]] | None
    holders: dict[int, tuple[str, ...] | None]
    names: bytes
    signature: int
    sketches: tuple[Sketch, ...] | None
    functions: dict[str, msgspec.Raw]


_ROWS = Coding(_Row)
_LOWERED = Coding(_Lowered)
_OUTLINES = Coding(dict[str, str])
"""What others may read of a file, as a hash by the hash of the whole."""
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
    ) -> None:
        """``seen_by_others`` gives what of a file other files may read."""
        self._rows = rows
        self._open_unit = open_unit
        self._outlines = digest((identity(), b"outlines"))
        known = _OUTLINES.decode(rows.get((self._outlines,)).get(self._outlines)) or {}
        self._signatures = Signatures(lexicon, seen_by_others, known)
        self._known = len(known)
        self._opened: dict[str, _KeptUnit] = {}
        self._hang_on = digest((identity(), b"unit", self._signatures.includes))

    def open(self, source: SourceText, index: Index) -> Unit:
        """One file of the program, as it is kept or ready to be lowered."""
        unit = self._opened.get(source.path)
        if unit is None:
            key = self._key(source.path)
            row = _ROWS.decode(self._rows.get((key,)).get(key))
            if row is not None and row.content != source.content_hash:
                row = None
            unit = _KeptUnit(source, row, index, self._open_unit, self._signatures)
            self._opened[source.path] = unit
        return unit

    def _key(self, path: str) -> bytes:
        return digest((self._hang_on, path.encode("utf-8", "surrogatepass")))

    def save(self) -> None:
        """Keeps what was lowered anew."""
        new = [unit for unit in self._opened.values() if unit.is_new]
        rows = {self._key(unit.path): _ROWS.encode(unit.row()) for unit in new}
        if len(self._signatures.outlines) > self._known:
            rows[self._outlines] = _OUTLINES.encode(self._signatures.outlines)
        self._rows.put({key: row for key, row in rows.items() if row is not None})


class _KeptUnit:
    """See :class:`vmfdlint.frontends.contract.Unit`. The file is parsed when something is asked that is not
    kept."""

    def __init__(
        self, source: SourceText, row: _Row | None, index: Index, open_unit: OpenUnit, signatures: Signatures
    ) -> None:
        self.path = source.path
        self.is_new = False
        self._source = source
        self._row = row
        self._asked = _Asked(index)
        self._open_unit = open_unit
        self._signatures = signatures
        self._problems: dict[Problem, None] = {}
        self._holders = dict(row.holders) if row is not None else {}
        self._functions: dict[str, msgspec.Raw] = {}

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
            if self._signatures.of(names) == row.signature:
                self._asked.names.update(names)
                self._functions.update(row.functions)
                return row.sketches
        self.is_new = True
        return self._read.sketches

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self._problems)

    def lower(self, sketch: Sketch) -> Function:
        return self._known(f"{sketch.start} {sketch.end} {sketch.name}", lambda: self._read.lower(sketch))

    def toplevel(self) -> Function:
        return self._known(_FILE_LEVEL, lambda: self._read.toplevel())

    def _known(self, name: str, lower: Callable[[], Function]) -> Function:
        assert self.sketches is not None  # with them comes what is kept of the functions
        lowered = _LOWERED.decode(self._functions.get(name))
        if lowered is None:
            before = set(self._read.problems)
            function = lower()
            lowered = _Lowered(function, tuple(one for one in self._read.problems if one not in before))
            row = _LOWERED.encode(lowered)
            if row is not None:
                self._functions[name] = msgspec.Raw(row)
                self.is_new = True
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
            "\n".join(names).encode("utf-8", "surrogatepass"),
            self._signatures.of(names),
            self.__dict__.get("sketches"),
            self._functions,
        )
