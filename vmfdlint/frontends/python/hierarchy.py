"""Classes of the project and their bases. In: the names. Out: who defines a method, who inherits from whom.

A class is named by its dotted name, ``tools.vm.Vm``; bases that are no project classes keep their API names.
"""

from functools import cached_property

import msgspec

from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.module import Class, Signature
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, FunctionKey, Operand

_INSTEAD = {
    "__enter__": ("__aenter__",),
    "__exit__": ("__aexit__",),
    "__throw__": ("__exit__", "__aexit__"),
}
"""What a context manager that has no method of a name has in its place: the lowering leaves every one by
``__exit__``, and by ``__throw__`` where an exception leaves it."""


class Method(msgspec.Struct, frozen=True):
    """A function of a class: ``name`` is its dotted name, ``owner`` the class that defines it."""

    name: str
    owner: str
    key: FunctionKey
    signature: Signature

    @property
    def kind(self) -> str:
        """As :attr:`Signature.kind`; what stands in a class and is not told is a method."""
        return "method" if self.signature.kind == "function" else self.signature.kind


class Hierarchy:
    """Memoised answers about classes."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.classes: dict[str, tuple[str, Class]] = {}
        for path in sorted(names.modules, key=lambda path: (path.endswith(".pyi"), path)):
            module = names.modules[path]
            for qualified, defined in module.classes.items():
                self.classes.setdefault(f"{module.name}.{qualified}", (path, defined))
        self._mro: dict[str, tuple[str, ...]] = {}
        self._methods: dict[tuple[str, str], Method | None] = {}

    def bases(self, name: str) -> tuple[str, ...]:
        """The direct bases of a class, dotted."""
        path, defined = self.classes[name]
        found = []
        for base in defined.bases:
            meaning = self.names.meaning(base, path)
            if (meaning.kind in ("class", "function") and not meaning.rest) or meaning.kind == "api":
                found.append(meaning.name)
        return tuple(base for base in found if base != name)

    def mro(self, name: str) -> tuple[str, ...]:
        """The order in which classes are asked for a method: the class first, API bases where they stand."""
        known = self._mro.get(name)
        if known is None:
            self._mro[name] = (name,)
            if name in self.classes:
                bases = self.bases(name)
                rows = [list(self.mro(base)) for base in bases] + [list(bases)]
                known = self._mro[name] = (name, *_merged(rows, name))
            else:
                known = (name,)
        return known

    def apis(self, name: str) -> tuple[str, ...]:
        """The bases that are no classes of the project, in order; names that are only decorated ones too."""
        return tuple(base for base in self.mro(name) if base not in self.classes)

    def is_a(self, name: str, words: frozenset[str]) -> bool:
        """Whether a class has a base or a decorator among API names."""
        for one in self.mro(name):
            if one in words:
                return True
            if one in self.classes:
                path, defined = self.classes[one]
                if any(self.names.meaning(word, path).name in words for word in defined.decorators):
                    return True
        return False

    def own(self, name: str, method: str) -> Method | None:
        """A method that the class itself defines."""
        if name not in self.classes:
            return None
        path, defined = self.classes[name]
        local = f"{defined.name}.{method}"
        module = self.names.modules[path]
        if local not in module.functions:
            return None
        return Method(
            f"{module.name}.{local}",
            name,
            FunctionKey(path, local),
            module.signatures.get(local, Signature()),
        )

    def find(self, name: str, method: str) -> Method | None:
        """The method that an object of a class has, its own or inherited."""
        key = (name, method)
        if key not in self._methods:
            order = self.mro(name)
            found = (self._along(order, one) for one in (method, *_INSTEAD.get(method, ())))
            self._methods[key] = next((one for one in found if one is not None), None)
        return self._methods[key]

    def beginning(self, name: str, prefix: str) -> tuple[Method, ...]:
        """The methods of an object of a class whose names begin so, each once."""
        own = (self.classes[one][1].methods for one in self.mro(name) if one in self.classes)
        words = sorted({word for methods in own for word in methods if word.startswith(prefix)})
        return tuple(method for word in words if (method := self.find(name, word)) is not None)

    def _along(self, order: tuple[str, ...], method: str) -> Method | None:
        return next((found for one in order if (found := self.own(one, method)) is not None), None)

    def after(self, name: str, owner: str, method: str) -> Method | str | None:
        """What ``super().method`` in class ``owner`` is for an object of class ``name``: a method, or the
        name of an API's."""
        order = self.mro(name)
        rest = order[order.index(owner) + 1 :] if owner in order else order[1:]
        for one in rest:
            found = self.own(one, method)
            if found is not None:
                return found
            if one not in self.classes and one not in TYPES.plain:
                return f"{one}.{method}"
        return None

    def manager(self, name: str, method: str) -> str:
        """The class that stands for a method which is a generator made a context manager; "" for others."""
        for one in self.mro(name):
            nested = f"{one}.{method}"
            if nested in self.classes and "__throw__" in self.classes[nested][1].methods:
                return nested
        return ""

    def setter(self, name: str, member: str) -> Method | None:
        """The function that an assignment to a property runs."""
        return self.find(name, f"{member}.setter")

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name in sorted(self.classes):
            for base in self.mro(name):
                found.setdefault(base, []).append(name)
        return {base: tuple(sorted(names, key=lambda one: one != base)) for base, names in found.items()}

    def subclasses(self, name: str) -> tuple[str, ...]:
        """A class and all project classes that inherit from it, itself first."""
        return self._below.get(name, (name,))

    @cached_property
    def _tops(self) -> dict[str, str]:
        """One class for each set of classes joined by inheritance: the first without a project base."""
        parent = {name: name for name in self.classes}

        def root(name: str) -> str:
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        for name in self.classes:
            for base in self.mro(name):
                if base in parent:
                    parent[root(name)] = root(base)
        tops: dict[str, str] = {}
        for name in sorted(self.classes):
            if not any(base in self.classes for base in self.mro(name)[1:]):
                tops.setdefault(root(name), name)
        return {name: tops.get(root(name), root(name)) for name in self.classes}

    def top(self, name: str) -> str:
        """The topmost project base of a class; "" for what is no project class."""
        return self._tops.get(name, "")

    def constant(self, name: str, member: str) -> tuple[Operand, str] | None:
        """A constant that a class or a base gives to a name, and the file it stands in."""
        for one in self.mro(name):
            if one in self.classes:
                path, defined = self.classes[one]
                if member in defined.constants:
                    return defined.constants[member], path
                if self.own(one, member) is not None:
                    return None
        return None

    def assigns(self, name: str, member: str) -> bool:
        """Whether a method of a class or of a base puts something into a member of its object."""
        return any((one, member) in self._assigned for one in self.mro(name))

    @cached_property
    def _assigned(self) -> frozenset[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for module in self.names.modules.values():
            for function in module.functions.values():
                for instr in function.instrs:
                    last = instr.dst.fields[-1:] if isinstance(instr, Assign) else ()
                    found.update((step.record, step.name) for step in last if step.record)
        return frozenset(found)

    def fields(self, name: str) -> tuple[tuple[str, str, str], ...]:
        """The annotated names of a class and its bases in the order a constructor takes them: name,
        annotation, file."""
        found: dict[str, tuple[str, str]] = {}
        for one in reversed(self.mro(name)):
            if one in self.classes:
                path, defined = self.classes[one]
                found.update({field: (type_, path) for field, type_ in defined.fields})
        return tuple((field, *rest) for field, rest in found.items())

    def field_at(self, name: str, step: str) -> str:
        """The field of a named tuple that a step like ``[1]`` leads to; "" for any other class or step."""
        if not step[1:-1].isdigit() or name not in self.classes or not self.is_a(name, TYPES.tuples):
            return ""
        return next((field for field, *_ in self.fields(name)[int(step[1:-1]) :]), "")

    @cached_property
    def defining(self) -> dict[str, tuple[Method, ...]]:
        """The methods of a name, over all classes."""
        found: dict[str, list[Method]] = {}
        for name in sorted(self.classes):
            path, defined = self.classes[name]
            prefix = f"{defined.name}."
            for local in self.names.modules[path].functions:
                method = local.removeprefix(prefix)
                if local.startswith(prefix) and "." not in method:
                    own = self.own(name, method)
                    if own is not None:
                        found.setdefault(method, []).append(own)
        return {method: tuple(all_) for method, all_ in found.items()}


def _merged(rows: list[list[str]], name: str) -> list[str]:
    """The C3 linearisation of the bases' orders; depth first where they contradict each other."""
    flat = [one for row in rows for one in row]
    rows = [row for row in rows if row]
    found: list[str] = []
    while rows:
        for row in rows:
            head = row[0]
            if all(head not in other[1:] for other in rows):
                break
        else:
            return list(dict.fromkeys(one for one in flat if one != name))
        found.append(head)
        rows = [rest for row in rows if (rest := [one for one in row if one != head])]
    return [one for one in found if one != name]
