"""What a dotted name means in a file: something of the project, found through imports, or an API.

In: the modules. Out: meanings. A project module is found by the end of its path, the nearest to the importing
file first: a script's own directory is on its path, others have their root in ``src`` or in a directory that
the tree does not tell.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python.module import Module
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Const, Field, FunctionKey, Operand, Place, Root

_DEPTH = 12
"""Modules that hand a name on."""


class Meaning(msgspec.Struct, frozen=True):
    """What a name stands for, and the attributes that follow it.

    ``name`` is its dotted name, the same from wherever it is named: ``tools.vm.Vm``. For a thing of the
    project ``path`` is its file and ``local`` its name there; for an API both are "".
    """

    kind: Literal["module", "function", "class", "constant", "variable", "api"]
    name: str
    path: str = ""
    local: str = ""
    rest: tuple[str, ...] = ()
    value: Operand | None = None

    @property
    def key(self) -> FunctionKey:
        """The function of that name in its file."""
        return FunctionKey(self.path, self.local)

    @property
    def place(self) -> Place:
        """The variable, with the attributes that follow as members."""
        steps = tuple(Field(name, "", True) for name in self.rest)
        return Place(Root.GLOBAL, self.local, steps, self.path)


class Names:
    """Memoised meanings."""

    def __init__(self, modules: Mapping[str, Module], known: Callable[[str], bool]) -> None:
        self.modules = modules
        self.known = known
        self._memo: dict[tuple[str, str], Meaning] = {}
        self._variables: dict[str, frozenset[str]] = {}

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.modules):
            found.setdefault(self.modules[path].name.rpartition(".")[2], []).append(path)
        return found

    def module(self, dotted: str, near: str) -> str | None:
        """The path of the project module that ``dotted`` means in the file ``near`` ("" for a name that is
        complete); None where it is none of the project's."""
        parts = dotted.split(".")
        here = tuple(near.split("/")[:-1])
        standard = parts[0] in sys.stdlib_module_names
        best: tuple[tuple[bool, int, int, bool, str], str] | None = None
        for path in self._by_last.get(parts[-1], ()):
            name = self.modules[path].name.split(".")
            if name[-len(parts) :] != parts:
                continue
            root = tuple(name[: len(name) - len(parts)])
            if standard and near and not self._shadows(path, near, root, here, parts):
                continue
            common = _common(root, here)
            own = path == near and not root
            rank = (not own, -common, len(root) - common, path.endswith(".pyi"), path)
            if best is None or rank < best[0]:
                best = (rank, path)
        return best[1] if best is not None else None

    def _shadows(
        self, path: str, near: str, root: tuple[str, ...], here: tuple[str, ...], parts: list[str]
    ) -> bool:
        """Whether a file stands before a module of the standard library: it lies beside a script, in a
        directory that is no package, or the whole of its name is given."""
        if path == near or (not root and len(parts) > 1):
            return True
        return root == here and "/".join((*here, "__init__.py")) not in self.modules

    def meaning(self, dotted: str, near: str) -> Meaning:
        """What a dotted name means in a file; ``near`` is "" for a name that is complete."""
        key = (dotted, near)
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._meaning(dotted, near, 0)
        return found

    def _meaning(self, dotted: str, near: str, depth: int) -> Meaning:
        if dotted.startswith("*."):
            return self._starred(dotted[2:], near, depth)
        parts = tuple(dotted.split("."))
        own = parts[0] == "python" and len(parts) == 2 and self.module(dotted, near) is None
        if parts[0] != "builtins" and not own and depth < _DEPTH:
            for count in range(len(parts), 0, -1):
                path = self.module(".".join(parts[:count]), near)
                if path is None:
                    continue
                if count == len(parts):
                    return self._module(parts, path, near, depth)
                return self._inside(path, parts[count:], depth) or self._left(path, parts[count:])
        return Meaning("api", TYPES.canonical(dotted))

    def _module(self, parts: tuple[str, ...], path: str, near: str, depth: int) -> Meaning:
        """A module, or what its package gives under the same name: ``from .run import run``."""
        package = self.module(".".join(parts[:-1]), near) if len(parts) > 1 else None
        if package is not None:
            target = self.modules[package].imports.get(parts[-1])
            if target is not None and target != self.modules[path].name and package != near:
                found = self._meaning(target, package, depth + 1)
                if found.kind != "api":
                    return found
        return Meaning("module", self.modules[path].name, path)

    def _left(self, path: str, rest: tuple[str, ...]) -> Meaning:
        """A name that its module does not show: it may be made in a way that is not followed."""
        return Meaning("variable", f"{self.modules[path].name}.{rest[0]}", path, rest[0], rest[1:])

    def _inside(self, path: str, parts: tuple[str, ...], depth: int) -> Meaning | None:
        """What a file gives under a name, own or imported."""
        if depth > _DEPTH:
            return None
        module = self.modules[path]
        for kind, table in (("class", module.classes), ("function", module.functions)):
            for count in range(len(parts), 0, -1):
                local = ".".join(parts[:count])
                if local in table and local != BODY:
                    if len(parts) > count + 1 and ".".join(parts) in module.functions:
                        break  # a function inside a method
                    name = f"{module.name}.{local}"
                    return Meaning(kind, name, path, local, parts[count:])  # type: ignore[arg-type]
        if parts[0] in module.constants and len(parts) == 1:
            name = f"{module.name}.{parts[0]}"
            return Meaning("constant", name, path, parts[0], (), module.constants[parts[0]])
        if parts[0] in module.imports:
            target = ".".join((module.imports[parts[0]], *parts[1:]))
            return self._meaning(target, path, depth + 1)
        if parts[0] in self.variables(path):
            return self._left(path, parts)
        return self._from_stars(path, parts, depth)

    def _from_stars(self, path: str, parts: tuple[str, ...], depth: int) -> Meaning | None:
        apis: list[str] = []
        for star in self.modules[path].stars:
            found = self.module(star, path)
            if found is None:
                apis.append(star)
            elif found != path:
                meaning = self._inside(found, parts, depth + 1)
                if meaning is not None:
                    return meaning
        for api in apis:
            name = TYPES.canonical(".".join((api, *parts)))
            if self.known(name):
                return Meaning("api", name)
        return None

    def _starred(self, rest: str, near: str, depth: int) -> Meaning:
        found = self._from_stars(near, tuple(rest.split(".")), depth) if near in self.modules else None
        return found or Meaning("api", TYPES.canonical(f"builtins.{rest}"))

    def variables(self, path: str) -> frozenset[str]:
        """The names that functions of a file assign at file level."""
        found = self._variables.get(path)
        if found is None:
            names = {
                instr.dst.name
                for function in self.modules[path].functions.values()
                for instr in function.instrs
                if isinstance(instr, Assign | Call) and instr.dst is not None
                if instr.dst.is_global and instr.dst.unit == path and not instr.dst.fields
            }
            found = self._variables[path] = frozenset(names)
        return found

    def of_place(self, place: Place, near: str) -> tuple[Meaning, tuple[Field, ...]] | None:
        """What a global place means and the steps that stay; None for a local."""
        if not place.is_global:
            return None
        if place.unit:
            found = self._inside(place.unit, (place.name,), 0) if place.unit in self.modules else None
            if found is None or (found.kind == "variable" and found.path == place.unit):
                return Meaning("variable", place.name, place.unit, place.name), place.fields
            return found, place.fields
        parts = [place.name]
        steps = list(place.fields)
        while steps and steps[0].deref and steps[0].name[0] not in "[*":
            parts.append(steps.pop(0).name)
        meaning = self.meaning(".".join(parts), near)
        members = tuple(Field(name, "", True) for name in meaning.rest)
        return msgspec.structs.replace(meaning, rest=()), (*members, *steps)


def constant_name(constant: Operand, name: str) -> Operand:
    """A constant under the name it has, where that is written as constants are."""
    if isinstance(constant, Const) and name.isupper():
        return Const(constant.value, tuple(sorted({*constant.names, name})))
    return constant


def _common(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
