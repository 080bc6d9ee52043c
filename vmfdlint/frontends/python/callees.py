"""What a call runs, by the types found. In: a raw call. Out: functions of the project, classes, API names."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal

import msgspec

from vmfdlint.frontends.python import collections
from vmfdlint.frontends.python.hierarchy import Method
from vmfdlint.frontends.python.imports import Meaning
from vmfdlint.frontends.python.lookup import Lookup
from vmfdlint.frontends.python.module import Signature
from vmfdlint.frontends.python.shapes import (
    FOREIGN,
    PART,
    REF,
    SUPER,
    TEXT,
    attribute,
    bound,
    filled,
    parted,
    result,
)
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import (
    Call,
    Field,
    FuncRef,
    FunctionKey,
    Indirect,
    Instr,
    Member,
    Named,
    Operand,
    Place,
    Root,
    Text,
)


class Callee(msgspec.Struct, frozen=True):
    """One thing that a call may run.

    ``project``: the function ``key``; ``new``: an object of the class ``name`` is made; ``api``; ``c``: a
    function of a C library; ``unknown``: ``?.close``. ``first`` are arguments that stand before those of the
    call, ``named`` others that it is given by name.
    """

    kind: Literal["project", "new", "api", "c", "unknown"]
    name: str
    key: FunctionKey | None = None
    signature: Signature = Signature()
    first: tuple[Operand, ...] = ()
    named: tuple[tuple[str, Operand], ...] = ()


class Callees:
    """What calls run. The answers grow while types are being found out."""

    def __init__(self, lookup: Lookup, fork_default: bool) -> None:
        self.lookup = lookup
        self.names = lookup.names
        self.hierarchy = lookup.hierarchy
        self._fork_default = fork_default

    def of(self, key: FunctionKey, call: Call) -> tuple[Callee, ...]:
        """What a call in a function runs; () for a call of a variable of which nothing is known."""
        match call.target:
            case Named(name=name):
                found = self._named(self.names.meaning(name, key.path), key)
            case Member(field=name, base=base):
                receiver = Place(base.root, base.name, base.fields[:-1], base.unit)
                found = self._method(self.lookup.of_place(key, receiver), name, receiver, base, key)
            case Indirect(place=place):
                found = self._value(self.lookup.of_place(key, place), place, key)
        unique: dict[tuple[str, str], Callee] = {}
        for one in found:
            one = self._in_context(one, key, call) if one.kind == "api" else one
            unique.setdefault((one.kind, one.name), one)
        return tuple(unique.values())

    def as_method(self, key: FunctionKey, call: Call) -> Call:
        """A call whose name leads through a variable of a class or of another file, ``Vm.all.append(vm)``, as
        that of a method of its value; any other call as it is."""
        name = call.target.name if isinstance(call.target, Named) else ""
        meaning = self.names.meaning(name, key.path) if "." in name else None
        steps = {"class": 2, "variable": 1}.get(meaning.kind) if meaning is not None else None
        if meaning is None or steps is None or len(meaning.rest) < steps:
            return call
        base, _, last = name.rpartition(".")
        target = Member("", last, Place(Root.GLOBAL, base).step(Field(last, "", True)))
        return msgspec.structs.replace(call, target=target)

    def on_collection(self, call: Call, callee: Callee) -> list[Instr]:
        """What a method does to a collection's elements, where it is no function of the program or of an API
        that is known."""
        return [] if self.names.known(callee.name) else self.on_elements(call, callee)

    def on_elements(self, call: Call, callee: Callee) -> list[Instr]:
        """The same, also where a model says what the method does to descriptors: the types of the elements go
        the same way."""
        if not isinstance(call.target, Member) or callee.kind not in ("api", "unknown"):
            return []
        base, name = call.target.base, call.target.field
        if callee.kind == "api" and not callee.first:
            return []
        receiver = Place(base.root, base.name, base.fields[:-1], base.unit)
        return collections.expanded(name, receiver, call.args, call.dst, call.at)

    # Names

    def _named(self, meaning: Meaning, key: FunctionKey) -> Iterator[Callee]:
        match meaning.kind:
            case "function" if not meaning.rest:
                yield self._function(meaning)
            case "class" if not meaning.rest:
                yield Callee("new", meaning.name)
            case "class":
                yield from self._of_class(meaning, key)
            case "variable" if not meaning.rest:
                found = tuple(self._value(self.lookup.of_meaning(meaning), meaning.place, key))
                yield from found or (Callee("unknown", meaning.name),)
            case "variable":
                base = meaning.place
                receiver = Place(base.root, base.name, base.fields[:-1], base.unit)
                types = self.lookup.of_place(FunctionKey(meaning.path, ""), receiver)
                yield from self._method(types, meaning.rest[-1], receiver, base, key)
            case "api":
                package, _, last = meaning.name.rpartition(".")
                foreign = self.lookup.is_foreign(package, key.path)
                yield Callee("c", last) if foreign else Callee("api", meaning.name)
            case _:
                yield Callee("unknown", ".".join((meaning.name, *meaning.rest)))

    def _function(self, meaning: Meaning) -> Callee:
        signature = self.names.modules[meaning.path].signatures.get(meaning.local, Signature())
        return Callee("project", meaning.name, meaning.key, signature)

    def _of_class(self, meaning: Meaning, key: FunctionKey) -> Iterator[Callee]:
        """``Vm.create(...)``, ``Vm.libc.ioctl(...)``"""
        types: tuple[str, ...] = (REF + meaning.name,)
        for name in meaning.rest[:-1]:
            types = self.lookup.through(types, name)
        base = Place(Root.GLOBAL, ".".join((meaning.name, *meaning.rest)))
        receiver = Place(Root.GLOBAL, base.name.rpartition(".")[0])
        found = False
        for one in types:
            if one.removeprefix(REF) in self.hierarchy.classes and one.startswith(REF):
                for callee in self._class_member(one.removeprefix(REF), meaning.rest[-1], base, key):
                    found = True
                    yield callee
            else:
                for callee in self._method((one,), meaning.rest[-1], receiver, base, key):
                    found = True
                    yield callee
        if not found:
            yield Callee("unknown", base.name)

    def _class_member(self, owner: str, name: str, base: Place, key: FunctionKey) -> Iterator[Callee]:
        method = self.hierarchy.find(owner, name)
        if method is not None:
            yield self._call_of(method, FuncRef(owner) if method.kind == "class" else None)
            return
        found = tuple(self._value(self.lookup.member(REF + owner, name), base, key))
        yield from found
        if not found:
            for api in self._bases(owner, name):
                yield Callee("api", f"{api}.{name}")

    def _bases(self, owner: str, name: str) -> Iterator[str]:
        """The API base that has a method: one whose method is known, else the first."""
        apis = [api for api in self.hierarchy.apis(owner) if api not in TYPES.plain]
        known = [api for api in apis if self.names.known(f"{self.contextual(api)}.{name}")]
        yield from (known or apis)[:1]

    def _call_of(self, method: Method, first: Operand | None) -> Callee:
        given = () if first is None or method.kind == "static" else (first,)
        return Callee("project", method.name, method.key, method.signature, given)

    # Values

    def _value(self, types: Iterable[str], place: Place, key: FunctionKey) -> Iterator[Callee]:
        """A call of what a variable or member holds."""
        for one in types:
            if one.startswith(REF):
                yield from self._named(self.names.meaning(one.removeprefix(REF), ""), key)
            elif one.startswith(PART):
                yield from self._partial(one, place, key)
            elif one.startswith(FOREIGN):
                yield Callee("c", one.removeprefix(FOREIGN))
            elif one in self.hierarchy.classes:
                method = self.hierarchy.find(one, "__call__")
                if method is not None:
                    yield self._call_of(method, place)

    def _partial(self, type_: str, place: Place, key: FunctionKey) -> Iterator[Callee]:
        name, count, words = parted(type_)
        first: tuple[Operand, ...] = tuple(place.step(bound(index)) for index in range(count))
        named = tuple((word, place.step(bound(word))) for word in words)
        for one in self._named(self.names.meaning(name, ""), key):
            if one.first:
                # A class method: the class is known without the value.
                yield msgspec.structs.replace(one, first=(*one.first, *first[1:]), named=named)
            else:
                yield msgspec.structs.replace(one, first=first, named=named)

    # Methods

    def _method(
        self, types: tuple[str, ...], name: str, receiver: Place, base: Place, key: FunctionKey
    ) -> Iterator[Callee]:
        found = [one for type_ in types for one in self._of_type(type_, name, receiver, base, key)]
        if not found and not types and name not in TYPES.common:
            methods = self.hierarchy.defining.get(name, ())
            if len(methods) == 1 and methods[0].kind in ("method", "static"):
                found.append(self._call_of(methods[0], receiver))
        ours = [one for one in found if one.kind in ("project", "new", "c")]
        apis = {one.name: one for one in found if one.kind == "api"}
        known = [one for one in apis.values() if self.names.known(one.name)] or list(apis.values())
        if ours:
            yield from ours
        elif len(known) == 1:
            yield known[0]
        else:
            yield Callee("unknown", f"?.{name}", first=(receiver,))

    def _of_type(
        self, type_: str, name: str, receiver: Place, base: Place, key: FunctionKey
    ) -> Iterator[Callee]:
        if type_.startswith(SUPER):
            yield from self._of_super(type_.removeprefix(SUPER), name, key)
        elif type_.startswith(REF):
            owner = type_.removeprefix(REF)
            if owner in self.hierarchy.classes:
                yield from self._class_member(owner, name, base, key)
            else:
                inside = self.names.meaning(f"{owner}.{name}", "")
                if inside.kind != "class" or not inside.rest:
                    yield from self._named(inside, key)
        elif type_ in TYPES.foreign:
            yield Callee("c", name)
        elif type_ in self.hierarchy.classes:
            yield from self._of_object(type_, name, receiver, base, key)
        elif not type_.startswith(("[", PART, FOREIGN, TEXT)):
            found = tuple(self._filled(type_, name, base, key))
            yield from found or (Callee("api", f"{type_}.{name}", first=(receiver,)),)

    def _filled(self, owner: str, name: str, base: Place, key: FunctionKey) -> Iterator[Callee]:
        """The functions that the program gave to a member of a library's objects, those of the file first."""
        if owner in TYPES.structures:
            store = self.lookup.store
            yield from self._value(
                store.read(filled(owner, name, key.path)) or store.read(attribute(owner, name)), base, key
            )

    def _of_object(
        self, owner: str, name: str, receiver: Place, base: Place, key: FunctionKey
    ) -> Iterator[Callee]:
        method = self.hierarchy.find(owner, name)
        if method is not None and method.kind == "property":
            yield from self._value(self.lookup.store.read(result(method.key)), base, key)
        elif method is not None:
            yield self._call_of(method, FuncRef(owner) if method.kind == "class" else receiver)
        elif manager := self.hierarchy.manager(owner, name):
            yield Callee("new", manager, first=(receiver,))
        else:
            inherited = {f"{api}.{name}" for api in self.hierarchy.apis(owner)}
            found = [
                one
                for one in self._value(self.lookup.member(owner, name), base, key)
                if one.name not in inherited
            ]
            yield from found
            for api in () if found else self._bases(owner, name):
                yield Callee("api", f"{api}.{name}", first=(receiver,), named=self._run(owner, api, name))

    def _run(self, owner: str, api: str, name: str) -> tuple[tuple[str, Operand], ...]:
        """The method of the project that a library's object runs when it is started, or those."""
        wanted = TYPES.runs.get(api, "") if name in TYPES.starts else ""
        if wanted.endswith("*"):
            found = self.hierarchy.beginning(owner, wanted[:-1])
        else:
            found = tuple(filter(None, (self.hierarchy.find(owner, wanted),)))
        return (("run", FuncRef("|".join(method.name for method in found))),) if found else ()

    def _of_super(self, owner: str, name: str, key: FunctionKey) -> Iterator[Callee]:
        function = self.names.modules[key.path].functions[key.name]
        receiver = Place(Root.LOCAL, function.params[0]) if function.params else None
        found = False
        for concrete in self.hierarchy.subclasses(owner):
            after = self.hierarchy.after(concrete, owner, name)
            if isinstance(after, Method):
                found = True
                yield self._call_of(after, receiver)
            elif after is not None and receiver is not None:
                found = True
                yield Callee("api", after, first=(receiver,))
        if not found and receiver is not None:
            yield Callee("api", f"builtins.object.{name}", first=(receiver,))

    # Contexts of processes

    @cached_property
    def context(self) -> str:
        """How processes are made where nothing else is said."""
        chosen: set[str] = set()
        for path in sorted(self.names.modules):
            for function in self.names.modules[path].functions.values():
                for instr in function.instrs:
                    if isinstance(instr, Call) and isinstance(instr.target, Named):
                        name = self.names.meaning(instr.target.name, path).name
                        if name in TYPES.context_chooses and instr.args and isinstance(instr.args[0], Text):
                            chosen.add(instr.args[0].value)
        return self._likely(chosen)

    def chosen(self, key: FunctionKey, method: Operand | None) -> str:
        """The context that an argument chooses, which may be a parameter or a member with a text in it."""
        types = self.lookup.of_operand(key, method) if method is not None else ()
        chosen = {one.removeprefix(TEXT) for one in types if one.startswith(TEXT)}
        return self._likely(chosen) if chosen else self.context

    def _likely(self, chosen: set[str]) -> str:
        """One of several contexts: the default, where that is among them."""
        default = TYPES.context_fork if self._fork_default else TYPES.context_other
        known = sorted(chosen & TYPES.context_known)
        return default if not known or default in known else known[0]

    def contextual(self, name: str, context: str = "") -> str:
        """An API name with the context in it, also where it goes on: ``multiprocessing.Process.start``."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            prefix = ".".join(parts[:count])
            if prefix in TYPES.context_names:
                return ".".join((TYPES.contextual(prefix, context or self.context), *parts[count:]))
        return name

    def _in_context(self, callee: Callee, key: FunctionKey, call: Call) -> Callee:
        context = ""
        for word, argument in zip(
            call.keywords, call.args[len(call.args) - len(call.keywords) :], strict=True
        ):
            if word == TYPES.context_keyword:
                for one in self.lookup.of_operand(key, argument):
                    if one.startswith(REF + TYPES.context_type):
                        context = one.removeprefix(REF + TYPES.context_type)
        return msgspec.structs.replace(callee, name=self.contextual(callee.name, context))
