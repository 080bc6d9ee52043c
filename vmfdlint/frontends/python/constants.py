"""Constants across files: of modules, classes and dictionaries, and those that ``_IO`` and its kin compute.

In: the modules. Out: the constant that a place means, None where it is or may be something else.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.hierarchy import Hierarchy
from vmfdlint.frontends.python.imports import Names, constant_name
from vmfdlint.frontends.python.module import FORMAT, Module
from vmfdlint.frontends.python.shapes import is_step
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Const, Named, Operand, Place, Root, Text

_DEPTH = 8
Cell = tuple[str, ...]
"""A variable's dotted name and the members behind it."""


class Constants:
    """Memoised constants. ``numbers``: those of the library's, by dotted name."""

    def __init__(self, names: Names, hierarchy: Hierarchy, numbers: Mapping[str, int]) -> None:
        self.names = names
        self.hierarchy = hierarchy
        self._numbers = numbers

    def of_place(self, place: Place, near: str, depth: int = 0) -> Operand | None:
        """The constant that a global place of a file means."""
        found = self.names.of_place(place, near)
        if found is None or depth > _DEPTH:
            return None
        meaning, steps = found
        if meaning.kind == "constant" and not steps:
            assert meaning.value is not None
            if (f"{self.names.modules[meaning.path].name}.{meaning.local}",) in self._cells[1]:
                return None
            return constant_name(meaning.value, meaning.local.rpartition(".")[2])
        members = [*meaning.rest, *(step.name for step in steps)]
        if meaning.kind == "class" and members:
            return self._of_class(meaning.name, members, depth)
        if meaning.kind == "variable":
            dotted = f"{self.names.modules[meaning.path].name}.{meaning.local}"
            return self._in_cell((dotted, *members), meaning.local if not members else members[-1], depth)
        last = place.fields[-1].name if place.fields else place.name.rpartition(".")[2]
        if meaning.kind == "api" and not meaning.name.startswith("builtins.") and last.isupper():
            dotted = ".".join((meaning.name, *(step.name for step in steps)))
            number = self._numbers.get(dotted)
            return None if any(is_step(step.name) for step in steps) else Const(number, (last,))
        return None

    def attribute(self, owner: str, members: list[str]) -> Operand | None:
        """The constant that ``self.NAME`` or ``self.NUMBERS["NAME"]`` means for an object of a class. A field
        of a record that is nothing before its constructor is given something is none."""
        if members[0] in self._assigned:
            return None
        found = self._of_class(owner, members, 0)
        nothing = isinstance(found, Const) and found.value is not None and found.value <= 0
        return None if nothing and self._is_field(owner, members[0]) else found

    def of_class(self, owner: str, name: str) -> str:
        """The class whose own variable ``self.name`` is, for an object of class ``owner``; "" where objects
        have one of that name."""
        if name in self._assigned or self._is_field(owner, name):
            return ""
        return next((one for one in self.hierarchy.mro(owner) if (one, name) in self._cells[0]), "")

    def _is_field(self, owner: str, name: str) -> bool:
        """Whether each object of a class has a field of that name, which its constructor fills."""
        fields = (field for field, *_rest in self.hierarchy.fields(owner))
        return name in fields and self.hierarchy.is_a(owner, TYPES.records)

    def _of_class(self, owner: str, members: list[str], depth: int) -> Operand | None:
        name = members[0]
        if members[1:] == ["value"] and self.hierarchy.is_a(owner, TYPES.enums):
            members = members[:1]
        if len(members) == 1:
            found = self.hierarchy.constant(owner, name)
            if found is not None:
                return constant_name(found[0], name)
        for one in self.hierarchy.mro(owner):
            constant = self._in_cell((one, *members), members[-1], depth)
            if constant is not None:
                return constant
        return None

    def _in_cell(self, cell: Cell, name: str, depth: int) -> Operand | None:
        """The constant assigned to a variable or member once, and nothing else."""
        plain = tuple(part.strip("[]") if is_step(part) else part for part in cell)
        if plain in self._cells[1] or any(plain[:count] in self._cells[1] for count in range(1, len(plain))):
            return None
        values = self._cells[0].get(plain, [])
        if len(values) != 1:
            return None
        path, source = values[0]
        found = self._constant(source, path, depth + 1)
        return constant_name(found, name.strip("[]")) if found is not None else None

    def _constant(self, operand: Operand | Call, path: str, depth: int) -> Operand | None:
        match operand:
            case Const(names=names, value=value):
                return operand if value is not None or names else None
            case Text():
                return operand
            case Call(target=Named(name=name), args=args, keywords=()):
                given = self.constants(args, path, depth)
                if self.names.meaning(name, path).name in TYPES.paths:
                    return fold.path(given)
                return fold.filled(given) if name == FORMAT else fold.request(name, given)
            case Place() if depth <= _DEPTH:
                return self.of_place(operand, path, depth + 1)
            case _:
                return None

    def constants(self, args: tuple[Operand, ...], path: str, depth: int = 0) -> tuple[Operand, ...]:
        """Arguments, with the constants that places among them mean."""
        return tuple(
            (self._constant(one, path, depth + 1) or one) if isinstance(one, Place) else one for one in args
        )

    @cached_property
    def _assigned(self) -> frozenset[str]:
        """Members that some function assigns to an object."""
        return frozenset(
            instr.dst.fields[-1].name
            for module in self.names.modules.values()
            for function in module.functions.values()
            for instr in function.instrs
            if isinstance(instr, Assign | Call) and instr.dst is not None and instr.dst.fields
            if instr.dst.root is Root.LOCAL and not instr.dst.name.startswith("%")
        )

    @cached_property
    def _cells(self) -> tuple[dict[Cell, list[tuple[str, Operand | Call]]], frozenset[Cell]]:
        """What is assigned to globals and their members, with the file, and those that are assigned elsewhere
        than at file level or under a key that is not known."""
        cells: dict[Cell, list[tuple[str, Operand | Call]]] = {}
        wild: set[Cell] = set()
        for path in sorted(self.names.modules):
            module = self.names.modules[path]
            for name in module.functions:
                for cell, source in self._assignments(module, name):
                    if cell[-1] == "":
                        wild.add(cell[:-1])
                    elif name != BODY:
                        wild.add(cell)
                    else:
                        cells.setdefault(cell, []).append((path, source))
        return cells, frozenset(wild)

    def _assignments(self, module: Module, name: str) -> Iterator[tuple[Cell, Operand | Call]]:
        """The assignments to globals in a function; a display is a temporary whose members come with it."""
        function = module.functions[name]
        parts: dict[str, list[tuple[Cell, Operand | Call]]] = {}
        results: dict[str, Call] = {}
        for instr in function.instrs:
            if isinstance(instr, Call) and instr.dst is not None and not instr.dst.fields:
                results[instr.dst.name] = instr
            if not isinstance(instr, Assign):
                continue
            steps = tuple(step.name.strip("[]") for step in instr.dst.fields)
            source: Operand | Call = instr.src
            if isinstance(source, Place) and not source.is_global and not source.fields:
                source = results.get(source.name, source)
            if instr.dst.is_global:
                cell = self._cell(instr.dst, module.path, steps)
                yield cell, source
                if isinstance(source, Place) and not source.is_global and not source.fields:
                    for inner, value in parts.get(source.name, ()):
                        yield (*cell, *inner), value
            elif instr.dst.name.startswith("%") and steps:
                parts.setdefault(instr.dst.name, []).append((steps, source))

    def _cell(self, place: Place, near: str, steps: tuple[str, ...]) -> Cell:
        """The cell that a place of a file is; ``steps`` are its members."""
        whole = self.names.of_place(place, near)
        if whole is not None and whole[0].kind in ("variable", "constant"):
            # Also a variable of another file: ``settings.NUMBER = 5``.
            module = self.names.modules[whole[0].path]
            inner = tuple(step.name.strip("[]") for step in whole[1])
            return (f"{module.name}.{whole[0].local}", *inner)
        meaning = self.names.of_place(Place(place.root, place.name, (), place.unit), near)
        assert meaning is not None
        return (meaning[0].name, *(step.name for step in meaning[1]), *steps)
