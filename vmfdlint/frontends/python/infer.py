"""Types of variables, members and results over the whole program, without regard to the order of statements.

In: the raw modules. Out: a Lookup that knows the types, and the callees of every call. A function is read
again when a type that it has read has grown, until nothing grows.
"""

import re
from collections.abc import Iterator

from vmfdlint.frontends.python.arguments import place, split
from vmfdlint.frontends.python.callees import Callee, Callees
from vmfdlint.frontends.python.hierarchy import Hierarchy
from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.lookup import Lookup
from vmfdlint.frontends.python.module import BELOW, FORMAT, Module
from vmfdlint.frontends.python.shapes import (
    HELD,
    PART,
    REF,
    SUPER,
    Store,
    attribute,
    elements,
    filled,
    holding,
    local,
    parted,
    partial,
    result,
)
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import Assign, Call, Function, FunctionKey, Operand, Place, Return, Text

_RULE = re.compile(r"((?:\[\w*\])*)(self|arg|element|enter|ref:class)(?: (\d+))?")
_ROUNDS = 40
"""How often one function is read at most."""


class Inference:
    """The types of a program; ``lookup`` and ``callees`` answer when it is made."""

    def __init__(self, names: Names, fork_default: bool) -> None:
        self.names = names
        self.hierarchy = Hierarchy(names)
        self.store = Store()
        self.lookup = Lookup(names, self.hierarchy, self.store)
        self.callees = Callees(self.lookup, fork_default)
        functions: dict[FunctionKey, Function] = {}
        for path in sorted(names.modules):
            module = names.modules[path]
            self._annotated(module)
            functions.update({FunctionKey(path, name): body for name, body in module.functions.items()})
        rounds = dict.fromkeys(functions, 0)
        work = dict.fromkeys(functions)
        while work:
            key = next(iter(work))
            del work[key]
            rounds[key] += 1
            self.store.reader = key
            self._read(key, functions[key])
            again, self.store.again = self.store.again, {}
            work.update({one: None for one in again if rounds.get(one, _ROUNDS) < _ROUNDS})
        self.store.reader = None

    # What the declarations say

    def _annotated(self, module: Module) -> None:
        for name, signature in module.signatures.items():
            if name not in module.functions:
                continue
            key = FunctionKey(module.path, name)
            self.store.add(result(key), self._annotation(signature.returns, module.path))
            for parameter in signature.parameters:
                types = self._annotation(parameter.type, module.path)
                if parameter.kind == "*" or parameter.kind == "**":
                    types = holding("[]", types)
                self.store.add(local(key, parameter.name), types)
            owner = f"{module.name}.{signature.owner}"
            params = module.functions[name].params
            if signature.owner and owner in self.hierarchy.classes and params and signature.kind != "static":
                prefix = REF if signature.kind == "class" else ""
                types = tuple(prefix + one for one in self.hierarchy.subclasses(owner))
                self.store.add(local(key, params[0]), types)
        for qualified, defined in module.classes.items():
            for field, type_ in defined.fields:
                types = self._annotation(type_, module.path)
                for one in self.hierarchy.subclasses(f"{module.name}.{qualified}"):
                    self.store.add(attribute(one, field), types)

    def _annotation(self, text: str, path: str) -> tuple[str, ...]:
        """The types that an annotation allows."""
        if not text:
            return ()
        meaning = self.names.meaning(text, path)
        if meaning.kind == "class" and not meaning.rest:
            return self.hierarchy.subclasses(meaning.name)
        if meaning.kind != "api" or meaning.name in TYPES.vague:
            return ()
        name = TYPES.results.get(meaning.name, meaning.name)
        return (name,) if TYPES.is_class(name) and "." in name and "arg" not in name else ()

    # What the instructions say

    def _read(self, key: FunctionKey, function: Function) -> None:
        for instr in function.instrs:
            match instr:
                case Assign(dst=dst, src=src):
                    self.lookup.write(key, dst, self.lookup.of_operand(key, src))
                case Call():
                    types = tuple(dict.fromkeys(self._call(key, instr)))
                    if instr.dst is not None:
                        self.lookup.write(key, instr.dst, types)
                case Return(value=value) if value is not None:
                    self.store.add(result(key), self.lookup.of_operand(key, value))
                case _:
                    pass

    def _call(self, key: FunctionKey, call: Call) -> Iterator[str]:
        """Hands the types of the arguments on; the types of the result."""
        call = self.callees.as_method(key, call)
        plain, named = split(call.args, call.keywords)
        for callee in self.callees.of(key, call):
            given = ((*callee.first, *plain), (*callee.named, *named))
            match callee.kind:
                case "project" if callee.key is not None:
                    self._enter(key, callee, *given)
                    yield from self.store.read(result(callee.key))
                case "new":
                    yield callee.name
                    self._construct(key, callee.name, *given)
                case "api" | "unknown":
                    self._callbacks(key, given[0], dict(given[1]))
                    self._fill(key, callee.name.rpartition(".")[2], given[1])
                    yield from self._result(key, callee, *given)
                    for one in self.callees.on_elements(call, callee):
                        if isinstance(one, Assign):
                            self.lookup.write(key, one.dst, self.lookup.of_operand(key, one.src))
                case _:
                    pass

    def _enter(
        self,
        key: FunctionKey,
        callee: Callee,
        plain: tuple[Operand, ...],
        named: tuple[tuple[str, Operand], ...],
    ) -> None:
        assert callee.key is not None
        params = self.names.modules[callee.key.path].functions[callee.key.name].params
        own = callee.signature.owner and callee.signature.kind != "static"
        for index, placed in enumerate(place(callee.signature, params, plain, named)):
            if own and index == 0:
                continue
            node = local(callee.key, placed.parameter.name)
            if placed.value is not None and placed.value != placed.parameter.default:
                self.store.add(node, self.lookup.of_operand(key, placed.value))
            elif placed.value is not None:
                home = FunctionKey(callee.key.path, "")
                self.store.add(node, self.lookup.of_operand(home, placed.value))
            for step, operand in placed.elements:
                self.store.add(node, holding(step, self.lookup.of_operand(key, operand)))

    def _construct(
        self,
        key: FunctionKey,
        name: str,
        plain: tuple[Operand, ...],
        named: tuple[tuple[str, Operand], ...],
    ) -> None:
        init = self.hierarchy.find(name, "__init__")
        if init is not None:
            callee = Callee("project", init.name, init.key, init.signature)
            self._enter(key, callee, (Text("self"), *plain), named)
            return
        given = dict(named)
        if self.hierarchy.is_a(name, TYPES.records):
            given.update(zip((field for field, *_ in self.hierarchy.fields(name)), plain, strict=False))
        for field, operand in given.items():
            self.store.add(attribute(name, field), self.lookup.of_operand(key, operand))

    def _callbacks(self, key: FunctionKey, plain: tuple[Operand, ...], named: dict[str, Operand]) -> None:
        """A function given to an API gets the arguments that follow it, or those in ``args``."""
        for index, operand in enumerate((*plain, *named.values())):
            rest: tuple[Operand, ...] = plain[index + 1 :]
            args = named.get("args")
            for type_ in self.lookup.of_operand(key, operand):
                name, skip = (type_.removeprefix(REF), 0) if type_.startswith(REF) else ("", 0)
                if type_.startswith(PART):
                    name, skip, _ = parted(type_)
                meaning = self.names.meaning(name, "") if name else None
                if meaning is None or meaning.kind not in ("function", "class"):
                    continue
                target = self._function_of(meaning.name, meaning.rest)
                if target is None:
                    continue
                params = self.names.modules[target.path].functions[target.name].params[skip:]
                for number, param in enumerate(params):
                    types = self.lookup.of_operand(key, rest[number]) if number < len(rest) else ()
                    if isinstance(args, Place):
                        types += self.lookup.through(self.lookup.of_place(key, args), f"[{number}]")
                    self.store.add(local(target, param), types)

    def _fill(self, key: FunctionKey, method: str, named: tuple[tuple[str, Operand], ...]) -> None:
        """``parser.set_defaults(func=run)``: what parse_args() gives has that, above all in the same file."""
        owner = TYPES.fills.get(method)
        for word, operand in named if owner is not None else ():
            types = self.lookup.of_operand(key, operand)
            self.store.add(attribute(owner or "", word), types)
            self.store.add(filled(owner or "", word, key.path), types)

    def _function_of(self, name: str, rest: tuple[str, ...]) -> FunctionKey | None:
        if len(rest) == 1:
            method = self.hierarchy.find(name, rest[0])
            return method.key if method is not None else None
        meaning = self.names.meaning(name, "")
        return meaning.key if meaning.kind == "function" else None

    # What an API gives

    def _result(
        self,
        key: FunctionKey,
        callee: Callee,
        plain: tuple[Operand, ...],
        named: tuple[tuple[str, Operand], ...],
    ) -> Iterator[str]:
        name = callee.name
        last = name.rpartition(".")[2]
        if name in TYPES.partials and len(plain) > TYPES.partials[name]:
            yield from self._partial(key, plain[TYPES.partials[name] :], named)
            yield from (name,) if name in TYPES.once else ()
        elif name == "builtins.super":
            owner = self.names.modules[key.path].signatures[key.name].owner if self._is_method(key) else ""
            yield SUPER + f"{self.names.modules[key.path].name}.{owner}"
        elif name == FORMAT and plain[:1] == (Text(BELOW),):
            yield from (one for one in self.lookup.of_operand(key, plain[1]) if one in TYPES.paths)
        elif name in TYPES.results:
            yield from self._ruled(key, TYPES.results[name], plain)
        elif name in TYPES.wrappers and plain:
            yield name
            yield from holding(HELD, self.lookup.of_operand(key, plain[0]))
        elif last == "__enter__" and plain:
            types = self.lookup.of_operand(key, plain[0])
            held = name.removesuffix(".__enter__") in TYPES.wrappers
            yield from self.lookup.through(types, HELD) if held else types
        elif callee.kind == "api" and TYPES.is_class(name):
            yield name

    def _is_method(self, key: FunctionKey) -> bool:
        return key.name in self.names.modules[key.path].signatures

    def _ruled(self, key: FunctionKey, rule: str, plain: tuple[Operand, ...]) -> Iterator[str]:
        """The types that types.toml says a result has."""
        found = _RULE.fullmatch(rule)
        if found is None:
            if rule:
                yield rule.replace("{context}", self.callees.chosen(key, plain[0] if plain else None))
            return
        number = int(found[3] or 0)
        types = self.lookup.of_operand(key, plain[number]) if number < len(plain) else ()
        for one in types:
            match found[2]:
                case "self" | "arg":
                    yield found[1] + one
                case "ref:class":
                    if one in self.hierarchy.classes:
                        yield REF + one
                case "element":
                    inner = elements(one, "[]")
                    if inner is not None:
                        yield found[1] + inner
                case _ if one in TYPES.wrappers or one.startswith(HELD):
                    yield from self.lookup.through((one,), HELD)
                case _:
                    method = self.hierarchy.find(one, "__enter__")
                    yield from (one,) if method is None else self.store.read(result(method.key))

    def _partial(
        self, key: FunctionKey, plain: tuple[Operand, ...], named: tuple[tuple[str, Operand], ...]
    ) -> Iterator[str]:
        words = tuple(word for word, _ in named if word not in ("*", "**"))
        for one in self.lookup.of_operand(key, plain[0]):
            if one.startswith(REF):
                yield partial(one.removeprefix(REF), len(plain) - 1, words)
            elif one.startswith(PART):
                name, count, before = parted(one)
                yield partial(name, count + len(plain) - 1, (*before, *words))
