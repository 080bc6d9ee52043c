"""The type of a place, step by step. In: places. Out: types, as far as they have been found."""

from vmfdlint.frontends.python.hierarchy import Hierarchy
from vmfdlint.frontends.python.imports import Meaning, Names
from vmfdlint.frontends.python.shapes import (
    FOREIGN,
    REF,
    TEXT,
    Store,
    attribute,
    elements,
    holding,
    is_step,
    local,
    partial,
    result,
    variable,
)
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Address, Field, FuncRef, FunctionKey, Operand, Place, Text


class Lookup:
    """Reads and writes the types of places."""

    def __init__(self, names: Names, hierarchy: Hierarchy, store: Store) -> None:
        self.names = names
        self.hierarchy = hierarchy
        self.store = store

    def of_operand(self, key: FunctionKey, operand: Operand) -> tuple[str, ...]:
        """The types of an operand of a function."""
        match operand:
            case Place():
                return self.of_place(key, operand)
            case Address(place=place):
                return self.of_place(key, place)
            case FuncRef(name=name):
                return self.of_meaning(self.names.meaning(name, key.path), key.path)
            case Text():
                return _of_text(operand)
            case _:
                return ()

    def of_place(self, key: FunctionKey, place: Place) -> tuple[str, ...]:
        """The types of what a place of a function holds."""
        types, steps = self._root(key, place)
        for step in steps:
            types = self.through(types, step.name)
        return types

    def _root(self, key: FunctionKey, place: Place) -> tuple[tuple[str, ...], tuple[Field, ...]]:
        found = self.names.of_place(place, key.path)
        if found is None:
            return self.store.read(local(key, place.name)), place.fields
        return self.of_meaning(found[0], key.path), found[1]

    def of_meaning(self, meaning: Meaning, near: str = "") -> tuple[str, ...]:
        """The types of what a name stands for."""
        match meaning.kind:
            case "constant":
                return () if meaning.rest else _of_text(meaning.value)
            case "function" if meaning.rest:
                return ()
            case "variable":
                types = self.store.read(variable(meaning.path, meaning.local))
            case "api" if self.is_foreign(meaning.name, near):
                types = (next(iter(sorted(TYPES.foreign))),)
            case _:
                types = (REF + meaning.name,)
        for name in meaning.rest:
            types = self.through(types, name)
        return types

    def is_foreign(self, name: str, near: str) -> bool:
        """Whether a name is the C library of a module that cffi has made: it is imported with its partner."""
        package, _, last = name.rpartition(".")
        module = self.names.modules.get(near)
        if last != TYPES.pair[1] or not package or module is None:
            return False
        return f"{package}.{TYPES.pair[0]}" in module.imports.values()

    def through(self, types: tuple[str, ...], step: str) -> tuple[str, ...]:
        """The types behind one step."""
        found: dict[str, None] = {}
        for one in types:
            found.update(dict.fromkeys(self.member(one, step)))
        return tuple(found)

    def member(self, type_: str, name: str) -> tuple[str, ...]:
        """The types of a member or element of a value of a type."""
        if name == "*":
            return (type_,)
        if type_.startswith("["):
            inner = elements(type_, name if is_step(name) else f"[{name}]")
            return () if inner is None else (inner,)
        if is_step(name):
            field = self.hierarchy.field_at(type_, name)
            if field:
                return self._of_object(type_, field)
            method = self.hierarchy.find(type_, "__getitem__")
            return self.store.read(result(method.key)) if method is not None else ()
        if type_.startswith(REF):
            return self._of_named(type_.removeprefix(REF), name)
        if type_ in TYPES.foreign:
            return (FOREIGN + name,)
        if type_ in self.hierarchy.classes:
            return self._of_object(type_, name)
        return self._of_api(type_, name)

    def _of_named(self, owner: str, name: str) -> tuple[str, ...]:
        """A member of a class, a module or something of an API."""
        if owner not in self.hierarchy.classes:
            inside = self.names.meaning(f"{owner}.{name}", "")
            return () if inside.kind == "class" and inside.rest else self.of_meaning(inside)
        method = self.hierarchy.find(owner, name)
        if method is not None:
            return (partial(method.name, 1, ()) if method.kind == "class" else REF + method.name,)
        nested = f"{owner}.{name}"
        if nested in self.hierarchy.classes:
            return (REF + nested,)
        constant = self.hierarchy.constant(owner, name)
        found = dict.fromkeys(_of_text(constant[0] if constant is not None else None))
        for one in self.hierarchy.mro(owner):
            found.update(dict.fromkeys(self.store.read(attribute(REF + one, name))))
        return tuple(found)

    def _of_object(self, owner: str, name: str) -> tuple[str, ...]:
        method = self.hierarchy.find(owner, name)
        if method is not None:
            if method.kind == "property":
                return self.store.read(result(method.key))
            return (REF + method.name if method.kind == "static" else partial(method.name, 1, ()),)
        found = dict.fromkeys(self.store.read(attribute(owner, name)))
        found.update(dict.fromkeys(self._of_named(owner, name)))
        own = found or self.hierarchy.assigns(owner, name)
        for api in () if own else self.hierarchy.apis(owner):
            found.update(dict.fromkeys(self._of_api(api, name)))
        return tuple(found)

    def _of_api(self, owner: str, name: str) -> tuple[str, ...]:
        dotted = f"{owner}.{name}"
        known = TYPES.attributes.get(dotted)
        if known is not None:
            return (known,)
        # What is read of a structure is one of its fields; what was given to a function before is no method.
        method = owner not in TYPES.structures | TYPES.once and self.names.known(dotted)
        return (partial(dotted, 1, ()),) if method else ()

    def write(self, key: FunctionKey, place: Place, types: tuple[str, ...]) -> None:
        """A place of a function gets a value of some types."""
        if not types:
            return
        found = self.names.of_place(place, key.path)
        steps = place.fields if found is None else found[1]
        if not steps:
            if found is None:
                self.store.add(local(key, place.name), types)
            elif found[0].kind == "variable":
                self.store.add(variable(found[0].path, found[0].local), types)
            elif found[0].kind == "class" and len(found[0].rest) == 1:
                self.store.add(attribute(REF + found[0].name, found[0].rest[0]), types)
            return
        last = steps[-1].name
        if found is None:
            base = Place(place.root, place.name, steps[:-1], place.unit)
            owners = self.of_place(key, base)
        else:
            base = Place(place.root, place.name, place.fields[:-1], place.unit)
            owners = self.of_meaning(found[0], key.path)
            for step in steps[:-1]:
                owners = self.through(owners, step.name)
        named = self._write_members(owners, last, types)
        if last == "*":
            self.write(key, base, types)
        elif not named and (found is None or place.fields):
            self.write(key, base, holding(last if is_step(last) else f"[{last}]", types))

    def _write_members(self, owners: tuple[str, ...], name: str, types: tuple[str, ...]) -> bool:
        """Members of objects and classes; whether there were any."""
        if is_step(name) or name == "*":
            return False
        found = False
        for owner in owners:
            if owner in self.hierarchy.classes or owner.removeprefix(REF) in self.hierarchy.classes:
                setter = self.hierarchy.setter(owner, name)
                if setter is not None:
                    params = self.names.modules[setter.key.path].functions[setter.key.name].params
                    self.store.add(local(setter.key, params[-1]), types)
                else:
                    self.store.add(attribute(owner, name), types)
                found = True
            elif owner.startswith(REF):
                meaning = self.names.meaning(f"{owner.removeprefix(REF)}.{name}", "")
                if meaning.kind == "variable" and not meaning.rest:
                    self.store.add(variable(meaning.path, meaning.local), types)
                found = True
        return found


def _of_text(operand: Operand | None) -> tuple[str, ...]:
    """The type of a text, which only those have that name a way to make processes."""
    if isinstance(operand, Text) and operand.value in TYPES.context_known:
        return (TEXT + operand.value,)
    return ()
