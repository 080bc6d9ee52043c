"""Operands of one function, bound. In: raw operands. Out: bound ones, and calls of properties.

The instructions that an operand needs before it (the call of a property) are put into ``out``.
"""

import msgspec

from vmfdlint.base import Span
from vmfdlint.frontends.python.constants import Constants
from vmfdlint.frontends.python.imports import Meaning
from vmfdlint.frontends.python.infer import Inference
from vmfdlint.frontends.python.shapes import FOREIGN, PART, REF, is_step, parted
from vmfdlint.ir import (
    Address,
    Call,
    Const,
    Field,
    Flags,
    FuncRef,
    Function,
    FunctionKey,
    Instr,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
)


class Places:
    """The operands of one function."""

    def __init__(self, inference: Inference, constants: Constants, key: FunctionKey) -> None:
        self.inference = inference
        self.constants = constants
        self.names = inference.names
        self.hierarchy = inference.hierarchy
        self.lookup = inference.lookup
        self.key = key
        self.out: list[Instr] = []
        self._temps = 0

    def types(self, operand: Operand) -> tuple[str, ...]:
        """The types of a raw operand."""
        return self.lookup.of_operand(self.key, operand)

    def temp(self) -> Place:
        """A fresh temporary; its name is none of the lowering's."""
        self._temps += 1
        return Place(Root.LOCAL, f"%b{self._temps - 1}")

    def operand(self, operand: Operand, at: Span) -> Operand:
        """An operand with its names bound."""
        match operand:
            case Place():
                return self._value(operand, at)
            case Address(place=place):
                return Address(self.place(place, at))
            case FuncRef(name=name):
                return self._named(self.names.meaning(name, self.key.path)) or operand
            case Flags(base=base, on=on, off=off):
                found = self._value(base, at)
                if isinstance(found, Const):
                    return Const(None, tuple(sorted({*found.names, *on} - {*off})))
                return Flags(found, on, off) if isinstance(found, Place) else Opaque("Flags")
            case _:
                return operand

    def _value(self, place: Place, at: Span) -> Operand:
        return self.constant(place) or self.function(place)[0] or self.place(place, at)

    def constant(self, place: Place) -> Operand | None:
        """The constant that a place is, also through an object: ``self.KVM_CREATE_VM``."""
        if place.is_global:
            found = self.names.of_place(place, self.key.path)
            if found is not None and found[0].kind == "api" and self.names.known(found[0].name):
                return None
            constant = self.constants.of_place(place, self.key.path)
            if constant is not None:
                return constant
        for count in range(len(place.fields)):
            types = self.types(Place(place.root, place.name, place.fields[:count], place.unit))
            owners = [one.removeprefix(REF) for one in types if not one.startswith("[")]
            if not owners or any(one not in self.hierarchy.classes for one in owners):
                continue
            members = [step.name for step in place.fields[count:]]
            values = {self.constants.attribute(one, members) for one in owners}
            value = values.pop()
            if not values and value is not None:
                return value
        return None

    def function(self, place: Place) -> tuple[FuncRef | None, tuple[Operand, ...]]:
        """The function that a place is, where the source says so itself, and the arguments given to it
        before: the object of a bound method."""
        found = self.names.of_place(place, self.key.path)
        if found is not None and (not found[1] or (found[0].kind == "class" and len(found[1]) == 1)):
            # A method that a class gives is a function: what it works on is its first argument.
            rest = tuple(step.name for step in found[1])
            named = self._named(msgspec.structs.replace(found[0], rest=rest) if rest else found[0])
            if named is not None:
                return named, ()
        types = [one for one in self.types(place) if one.startswith((REF, PART, FOREIGN))]
        if len(types) != 1 or len(self.types(place)) != 1:
            return None, ()
        if types[0].startswith(FOREIGN) and place.fields:
            return FuncRef(types[0].removeprefix(FOREIGN)), ()
        if types[0].startswith(PART) and place.fields and self._is_method(place):
            name, count, _ = parted(types[0])
            receiver = Place(place.root, place.name, place.fields[:-1], place.unit)
            bound = self._named(self.names.meaning(name, ""))
            if bound is None and not self.names.known(name):
                return None, ()  # a member of an object of the library that is no method: Popen.pid
            return (bound or FuncRef(name)), ((receiver,) if count else ())
        return None, ()

    def _is_method(self, place: Place) -> bool:
        """Whether the last member is a method of the class, no variable or element that holds one."""
        if is_step(place.fields[-1].name):
            return False
        base = Place(place.root, place.name, place.fields[:-1], place.unit)
        for one in self.types(base):
            if one in self.hierarchy.classes and self.hierarchy.find(one, place.fields[-1].name) is None:
                return not self.lookup.store.read(("attribute", one, place.fields[-1].name))
        return True

    def _named(self, meaning: Meaning) -> FuncRef | None:
        """A function, class or method as a value, by its bound name."""
        if meaning.kind in ("function", "class") and not meaning.rest:
            return FuncRef(meaning.name)
        if meaning.kind == "class" and len(meaning.rest) == 1:
            method = self.hierarchy.find(meaning.name, meaning.rest[0])
            return FuncRef(method.name) if method is not None and method.kind != "property" else None
        if meaning.kind == "api":
            name = self.inference.callees.contextual(meaning.name)
            return FuncRef(name) if self.names.known(name) or meaning.name.startswith("builtins.") else None
        return None

    def place(self, place: Place, at: Span, store: bool = False) -> Place:
        """A place with its file, its records, and properties called; ``store`` says that it is assigned to,
        so that its last member is no property that is read."""
        current, steps = self._root(place)
        types = self.types(Place(place.root, place.name, (), place.unit))
        if place.is_global and current.unit and len(steps) > len(place.fields):
            types = self.types(current)
        for index, step in enumerate(steps):
            last = store and index == len(steps) - 1
            current = self._step(current, types, step, last, at)
            types = self.lookup.through(types, step.name)
        return current

    def _behind(self, types: tuple[str, ...], name: str) -> Field | None:
        """The member that a property does nothing but hand out: ``return self._vcpus``; None for any
        other."""
        found = {self.hierarchy.find(one, name) for one in types if one in self.hierarchy.classes}
        getter = found.pop() if len(found) == 1 else None
        if getter is None or getter.kind != "property":
            return None
        function = self.names.modules[getter.key.path].functions[getter.key.name]
        instrs = tuple(function.instrs)
        value = instrs[0].value if len(instrs) == 1 and isinstance(instrs[0], Return) else None
        if not isinstance(value, Place) or value.root is not Root.LOCAL or len(value.fields) != 1:
            return None
        member = value.fields[0]
        inner = self.getters(types, member.name)
        return member if (value.name,) == function.params[:1] and member.deref and not inner else None

    def _root(self, place: Place) -> tuple[Place, tuple[Field, ...]]:
        found = self.names.of_place(place, self.key.path)
        if found is None:
            return Place(place.root, place.name), place.fields
        meaning, steps = found
        if meaning.path and meaning.local:
            members = tuple(Field(name, "", True) for name in meaning.rest)
            return Place(place.root, meaning.local, (), meaning.path), (*members, *steps)
        return Place(place.root, place.name, (), place.unit), place.fields

    def _step(self, base: Place, types: tuple[str, ...], step: Field, last: bool, at: Span) -> Place:
        if is_step(step.name) or step.name == "*" or not step.deref:
            fields = {self.hierarchy.field_at(one, step.name) for one in types}
            field = fields.pop() if len(fields) == 1 else ""
            return base.step(Field(field, self.record(types[0]), True) if field else step)
        if not last:
            step = self._behind(types, step.name) or step
        owners = [one for one in types if one in self.hierarchy.classes]
        getters = self.getters(types, step.name)
        if getters and not last:
            result = self.temp()
            self.out.append(Call(result, Named("|".join(getters)), (base,), at))
            return result
        classes = {self.constants.of_class(one.removeprefix(REF), step.name) for one in owners}
        if len(classes) == 1 and (owner := classes.pop()):
            path, defined = self.hierarchy.classes[owner]
            return Place(Root.GLOBAL, defined.name, (Field(step.name, self.record(owner), True),), path)
        tops = {self.hierarchy.top(one) for one in owners}
        tops |= {self.hierarchy.top(one.removeprefix(REF)) for one in types if one.startswith(REF)} - {""}
        if not owners and step.record:
            tops = {self.record(step.record)}
        return base.step(Field(step.name, tops.pop() if len(tops) == 1 else "", True))

    def record(self, name: str) -> str:
        """The record of a class's members: its topmost base's name."""
        return self.hierarchy.top(name) or name

    def getters(self, types: tuple[str, ...], name: str) -> tuple[str, ...]:
        """The functions that a member is, where it is a property."""
        found = [self.hierarchy.find(one, name) for one in types if one in self.hierarchy.classes]
        return tuple(sorted({one.name for one in found if one is not None and one.kind == "property"}))

    def in_file(self, operand: Operand | None, path: str) -> Operand:
        """A default of a parameter as it reads in the function's own file."""
        if operand is None:
            return Opaque("default")
        if isinstance(operand, Place):
            there = Places(self.inference, self.constants, FunctionKey(path, ""))
            return there._value(operand, Span(path, 1, 1, 1, 1)) if operand.is_global else Opaque("default")
        return operand

    def record_types(self, function: Function) -> tuple[tuple[str, str], ...]:
        """The records of the locals: what the lowering knew, and the inferred ones."""
        known = {name: self.record(record) for name, record in function.local_types}
        for instr in function.instrs:
            dst = getattr(instr, "dst", None)
            names = [*function.params] if dst is None or dst.is_global else [dst.name]
            for name in names:
                types = self.types(Place(Root.LOCAL, name))
                tops = {self.hierarchy.top(one) for one in types}
                if len(tops) == 1 and (top := tops.pop()):
                    known.setdefault(name, top)
        return tuple(sorted(known.items()))
