"""Which variables are the only holders of their object, so that it dies when they let go of it.

In: a place of a raw function. Out: whether everything that is assigned to it was made for it: an object just
constructed, or what a function returns that keeps none. Without regard to the order of statements.
"""

from collections.abc import Iterator

from vmfdlint.frontends.python.collections import INSERTS, MERGES, TAKES
from vmfdlint.frontends.python.infer import Inference
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.ir import (
    ELEMENT,
    Assign,
    Call,
    Const,
    FuncRef,
    Function,
    FunctionKey,
    Member,
    Operand,
    Place,
    Return,
    Root,
    Text,
)

_DEPTH = 4
"""Variables and functions that hand an object on."""
INIT = ".__init__"


class Freshness:
    """Memoised answers for a program."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.modules = inference.names.modules
        self._definitions: dict[FunctionKey, dict[Place, list[Operand | Call]]] = {}
        self._results: dict[FunctionKey, bool] = {}
        self._members: dict[tuple[str, str], bool] = {}
        self._elements: dict[str, bool] = {}
        self._written: dict[str, list[tuple[FunctionKey, str, Operand]]] | None = None

    def alone(self, key: FunctionKey, place: Place, depth: int = 0) -> bool:
        """Whether a place of a function holds an object that nothing else holds."""
        if place.fields:
            last = place.fields[-1]
            if last.name[0] == "[":
                return self._element_alone(place)
            return last.deref and last.name[0] not in "[*" and self.member_alone(last.name, last.record)
        if place.is_global or depth > _DEPTH:
            return False
        function = self._function(key)
        if place.name in function.params:
            return key.name.endswith(INIT) and place.name == function.params[0]
        sources = self._sources(key).get(place, [])
        return bool(sources) and all(self._made_for(key, one, place, depth) for one in sources)

    def holds_nothing(self, key: FunctionKey, place: Place) -> bool:
        """Whether a local is only ever given constants, so that no object goes with it."""
        local = not place.is_global and not place.fields and place.name not in self._function(key).params
        sources = self._sources(key).get(place, [])
        return local and bool(sources) and all(isinstance(one, Const | Text | FuncRef) for one in sources)

    def structures(self, key: FunctionKey) -> tuple[Place, ...]:
        """The locals that only ever hold memory that this function makes for calls of C to fill."""
        found = []
        for place, sources in self._sources(key).items():
            if place.root is not Root.LOCAL or place.fields or place.name.startswith("%"):
                continue
            if place.name not in self._function(key).params and all(
                self._makes_memory(key, self._single(key, one)) for one in sources
            ):
                found.append(place)
        return tuple(sorted(found))

    def _single(self, key: FunctionKey, source: Operand | Call) -> Operand | Call:
        """What a temporary stands for."""
        given = self._sources(key).get(source, []) if isinstance(source, Place) else []
        return given[0] if len(given) == 1 else source

    def _makes_memory(self, key: FunctionKey, source: Operand | Call) -> bool:
        callees = self.inference.callees.of(key, source) if isinstance(source, Call) else ()
        return bool(callees) and all(
            one.name in TYPES.memory
            if one.kind == "api"
            else one.kind == "new" and self.inference.hierarchy.is_a(one.name, TYPES.structures)
            for one in callees
        )

    def _function(self, key: FunctionKey) -> Function:
        return self.modules[key.path].functions[key.name]

    def _sources(self, key: FunctionKey) -> dict[Place, list[Operand | Call]]:
        """What is assigned to each local of a function."""
        found = self._definitions.get(key)
        if found is None:
            found = self._definitions[key] = {}
            for instr in self._function(key).instrs:
                if isinstance(instr, Assign):
                    found.setdefault(instr.dst, []).append(instr.src)
                elif isinstance(instr, Call) and instr.dst is not None:
                    found.setdefault(instr.dst, []).append(instr)
        return found

    def _made_for(self, key: FunctionKey, source: Operand | Call, holder: Place, depth: int) -> bool:
        if isinstance(source, Call):
            if isinstance(source.target, Member) and source.target.field in TAKES:
                return self._element_alone(source.target.base)
            callees = self.inference.callees.of(key, source)
            return bool(callees) and all(self._gives_new(one.kind, one.name, one.key) for one in callees)
        if not isinstance(source, Place):
            return True
        if source.is_global or source.fields or self._held_twice(key, source, holder):
            return False
        return self.alone(key, source, depth + 1)

    def _held_twice(self, key: FunctionKey, place: Place, holder: Place) -> bool:
        return any(dst != holder and place in sources for dst, sources in self._sources(key).items())

    def _gives_new(self, kind: str, name: str, key: FunctionKey | None) -> bool:
        if kind == "project" and key is not None:
            return self._result(key)
        rule = TYPES.results.get(name, name)
        return kind == "new" or (kind == "api" and TYPES.is_class(rule))

    def _result(self, key: FunctionKey) -> bool:
        """Whether a function returns an object that it does not keep."""
        known = self._results.get(key)
        if known is None:
            self._results[key] = False
            returned = [
                instr.value
                for instr in self._function(key).instrs
                if isinstance(instr, Return) and isinstance(instr.value, Place)
            ]
            known = bool(returned) and all(self._given_up(key, one) for one in returned)
            self._results[key] = known
        return known

    def _given_up(self, key: FunctionKey, place: Place) -> bool:
        stored = any(
            place in sources and (dst.fields or dst.is_global) for dst, sources in self._sources(key).items()
        )
        return place.root is Root.LOCAL and not place.fields and not stored and self.alone(key, place)

    def member_alone(self, name: str, record: str) -> bool:
        """Whether every object that is assigned to a member of that name was made for it; those of other
        classes than ``record`` are told apart, where it is known what is assigned to."""
        top = self._top(record)
        known = self._members.get((name, top))
        if known is None:
            self._members[name, top] = False
            writes = (
                (key, source)
                for key, owner, source in self._writes().get(name, ())
                if not top or self._top(owner) in ("", top)
            )
            known = self._members[name, top] = all(self._moved_in(key, source) for key, source in writes)
        return known

    def _top(self, record: str) -> str:
        """What tells a class from those that have no base or subclass with it in common; "" for all."""
        return self.inference.hierarchy.top(record)

    def _element_alone(self, element: Place) -> bool:
        """Whether every object that is put into a collection which is a member was made for it; the last
        step of ``element`` is one behind the member."""
        if len(element.fields) < 2:
            return False
        member = element.fields[-2].name
        known = self._elements.get(member)
        if known is None:
            self._elements[member] = False
            known = all(self._moved_in(key, source) for key, source in self._inserted(member))
            self._elements[member] = known
        return known

    def _inserted(self, member: str) -> Iterator[tuple[FunctionKey, Operand]]:
        """What is put into the collections that are members of that name; Opaque for all of another one."""
        for path, module in self.modules.items():
            for name, function in module.functions.items():
                key = FunctionKey(path, name)
                for instr in function.instrs:
                    if isinstance(instr, Assign) and _is_element(instr.dst, member):
                        yield key, instr.src
                    elif isinstance(instr, Call) and isinstance(instr.target, Member):
                        method, base = instr.target.field, instr.target.base
                        if method in INSERTS | MERGES and instr.args and _is_element(base, member, ""):
                            given = instr.args[-1]
                            yield key, given if method in INSERTS else _all_of(given)

    def _moved_in(self, key: FunctionKey, source: Operand) -> bool:
        if not isinstance(source, Place):
            return True
        return not source.fields and self.alone(key, source)

    def _writes(self) -> dict[str, list[tuple[FunctionKey, str, Operand]]]:
        if self._written is None:
            self._written = {}
            for path, module in self.modules.items():
                for name, function in module.functions.items():
                    for instr in function.instrs:
                        if isinstance(instr, Assign) and instr.dst.fields:
                            member = instr.dst.fields[-1]
                            write = (FunctionKey(path, name), member.record, instr.src)
                            self._written.setdefault(member.name, []).append(write)
        return self._written


def _is_element(place: Place, member: str, step: str = "[") -> bool:
    """Whether a place is one step behind a member: an element of it, or a method."""
    return (
        len(place.fields) > 1 and place.fields[-2].name == member and place.fields[-1].name.startswith(step)
    )


def _all_of(given: Operand) -> Operand:
    """The elements of what a collection is filled with."""
    return given.step(ELEMENT) if isinstance(given, Place) else given
