"""The files of a program, each opened when something is first asked of it.

In: a Lexicon and a way to parse one file. Out: its definitions, their headers, and lowered functions.
"""

from collections.abc import Callable, Iterable, Mapping

from vmfdlint.base import LIMITS, Problem, SourceText
from vmfdlint.frontends.contract import Damage, Index, Linkage, Sketch, Unit
from vmfdlint.ir import Function, FunctionKey, Notation
from vmfdlint.link.lexicon import Lexicon
from vmfdlint.link.told import Told, question

FILE = "<file>"
"""Name of the function that holds a file's initialisers."""


class Units:
    """Lazily parsed files and lowered functions. All answers depend on the sources alone, never on the order
    of the questions."""

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
        self._outlines: dict[str, Mapping[str, tuple[str, ...]]] = {}
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
            place = self.standing(key.path, key.name)
            found = unit.lower(self._sketches[key.path][key.name][place]) if place >= 0 else None
        self._functions[key] = found
        self._watch(len(self._functions))
        return found

    @question
    def standing(self, path: str, name: str) -> int:
        """Which of a file's definitions of a function stands for it, in source order from 0; -1 without
        any."""
        sketches = self._names(path).get(name, [])
        longest = max(sketches, key=lambda one: (one.end - one.start, -one.start), default=None)
        return -1 if longest is None else sketches.index(longest)

    def _names(self, path: str) -> dict[str, list[Sketch]]:
        self.unit(path)
        return self._sketches[path]
