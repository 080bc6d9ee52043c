"""Who calls a function: directly, through a slot, or as a callback; asked upwards, one function at a time.

A slot is (record, field) or an element of a global array. A function stored there is reached by every call
through it. A function passed as an argument is called NOW where a model or the callee's own body says so,
else LATER.
"""

import re
from enum import StrEnum

import msgspec

from vmfdlint.base import LIMITS
from vmfdlint.ir import (
    Assign,
    Call,
    Const,
    FuncRef,
    Function,
    FunctionKey,
    Indirect,
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Root,
    places,
    reads,
)
from vmfdlint.link.program import FILE, Program, word
from vmfdlint.models import Callback, Models, resolve

_DECLARES = re.compile(rb"[A-Za-z_][\w \t*]*")
_CALLED = re.compile(rb"\s*\(")


class EdgeKind(StrEnum):
    """When the callee runs, seen from the call."""

    DIRECT = "direct"
    SLOT = "slot"
    NOW = "now"
    THREAD = "thread"
    LATER = "later"
    EXIT = "exit"
    SIGNAL = "signal"


class Site(msgspec.Struct, frozen=True, order=True):
    """One instruction: function, block index, index in the block."""

    function: FunctionKey
    block: int
    index: int


class Edge(msgspec.Struct, frozen=True):
    """``site`` calls ``callee`` with ``args``, operands of the caller (Opaque where unknown)."""

    site: Site
    callee: FunctionKey
    kind: EdgeKind
    args: tuple[Operand, ...]


class Slot(msgspec.Struct, frozen=True):
    """A place for functions: a member of a record, or an element of a global array (``record`` is its
    name)."""

    record: str
    field: str


def slot_of(place: Place) -> Slot | None:
    """The slot a place belongs to; None for a plain variable."""
    for field in reversed(place.fields):
        if field.name not in ("*",) and not field.name.startswith("["):
            return Slot(field.record, field.name)
    if place.is_global:
        return Slot("@" + place.name, "[]")
    return None


class CallGraph:
    """Callers of a function, found through the names in the program."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self._callers: dict[FunctionKey, tuple[Edge, ...]] = {}
        self._named_by: dict[FunctionKey, tuple[frozenset[FunctionKey], frozenset[FunctionKey]]] = {}
        self._slot_calls: dict[Slot, tuple[tuple[Site, Call], ...]] = {}

    def callers(self, key: FunctionKey) -> tuple[Edge, ...]:
        """Every edge to ``key``, by site."""
        known = self._callers.get(key)
        if known is None:
            known = self._callers[key] = self._find_callers(key)
        return known

    def _find_callers(self, key: FunctionKey) -> tuple[Edge, ...]:
        edges: dict[tuple[Site, EdgeKind], Edge] = {}
        callers, values = self.named_by(key)
        visible = sorted(callers | values)
        if len(visible) > LIMITS.climb_callers:
            self.program.limit(
                f"{key.name}: more than {LIMITS.climb_callers} functions name it; callers left out"
            )
            visible = visible[: LIMITS.climb_callers]
        for mention in visible:
            function = self.program.function(mention)
            if function is None:
                continue
            for edge in self._edges_in(function, key):
                edges.setdefault((edge.site, edge.kind), edge)
        return tuple(edges[name] for name in sorted(edges))

    def named_by(self, key: FunctionKey) -> tuple[frozenset[FunctionKey], frozenset[FunctionKey]]:
        """The functions that call ``key`` by name, and those (or file levels) that use its name as a value.

        Read off the bytes without a parse: a call is ``name(`` in the text of a function. A comment that
        looks like one adds a caller too many.
        """
        known = self._named_by.get(key)
        if known is not None:
            return known
        callers: set[FunctionKey] = set()
        values: set[FunctionKey] = set()
        paths = self.program.lexicon.files_with(key.name)
        if "static" in self.program.attributes(key) and not key.path.endswith(".h"):
            included = self.program.lexicon.included
            paths = tuple(path for path in paths if path == key.path or key.path in included(path))
        pattern = word(key.name)
        for path in paths:
            if not self._means(key.name, path, key):
                continue
            data = self.program.lexicon.source(path).data
            for match in pattern.finditer(data):
                if _DECLARES.fullmatch(data, data.rfind(b"\n", 0, match.start()) + 1, match.start()):
                    continue
                here = self.program.enclosing(path, match.start())
                if _CALLED.match(data, match.end()):
                    if here is not None:
                        callers.add(here)
                else:
                    values.update({here or FunctionKey(path, FILE), FunctionKey(path, FILE)})
                    values.update(self.program.around(path, match.start()))
        self._named_by[key] = frozenset(callers), frozenset(values)
        return self._named_by[key]

    def value_edges(self, key: FunctionKey) -> tuple[Edge, ...]:
        """The edges to ``key`` through slots and callbacks; the functions that use its name as a value are
        lowered."""
        edges: dict[tuple[Site, EdgeKind], Edge] = {}
        for holder in sorted(self.named_by(key)[1]):
            function = self.program.function(holder)
            if function is not None:
                for edge in self._edges_in(function, key):
                    if edge.kind is not EdgeKind.DIRECT:
                        edges.setdefault((edge.site, edge.kind), edge)
        return tuple(edges[name] for name in sorted(edges))

    def _edges_in(self, function: Function, key: FunctionKey) -> list[Edge]:
        found: list[Edge] = []
        for number, block in enumerate(function.blocks):
            for index, instr in enumerate(block.instrs):
                site = Site(function.key, number, index)
                match instr:
                    case Call(target=Named(name=name)) if name == key.name:
                        if key in self.program.resolve(name, function.key.path):
                            found.append(Edge(site, key, EdgeKind.DIRECT, instr.args))
                    case Call():
                        pass
                    case Assign(dst=dst, src=FuncRef(name=name)) if name == key.name:
                        if self._means(name, function.key.path, key):
                            found.extend(self._through_place(function, dst, key))
                    case _:
                        pass
                if isinstance(instr, Call):
                    for position, argument in enumerate(instr.args):
                        if (
                            isinstance(argument, FuncRef)
                            and argument.name == key.name
                            and self._means(argument.name, function.key.path, key)
                        ):
                            found.extend(self._as_argument(site, instr, position, key))
        return found

    def _means(self, name: str, path: str, key: FunctionKey) -> bool:
        return key in self.program.resolve(name, path)

    def _through_place(self, function: Function, dst: Place, key: FunctionKey) -> list[Edge]:
        """Edges of a function stored in ``dst``."""
        slot = slot_of(dst)
        if slot is not None:
            return [
                Edge(site, key, EdgeKind.SLOT, call.args)
                for site, call in self.slot_calls(slot)
                if not self._would_crash(key, call.args)
            ]
        edges: list[Edge] = []
        for number, block in enumerate(function.blocks):
            for index, instr in enumerate(block.instrs):
                site = Site(function.key, number, index)
                match instr:
                    case Call(target=Indirect(place=place)) if place == dst:
                        edges.append(Edge(site, key, EdgeKind.SLOT, instr.args))
                    case Call():
                        for position, argument in enumerate(instr.args):
                            if argument == dst:
                                edges.extend(self._as_argument(site, instr, position, key))
                    case _:
                        pass
        return edges

    def _would_crash(self, key: FunctionKey, args: tuple[Operand, ...]) -> bool:
        """Whether a call passes a null pointer that the callee uses before it tests anything.

        Such a call through a slot can only mean the slot's other targets: one tree holds many programs.
        """
        null = [i for i, argument in enumerate(args) if isinstance(argument, Const) and argument.value == 0]
        function = self.program.function(key) if null else None
        if function is None:
            return False
        names = {function.params[index] for index in null if index < len(function.params)}
        number = 0
        for _block in function.blocks:
            block = function.blocks[number]
            for instr in block.instrs:
                for operand in reads(instr):
                    for place in places(operand):
                        if place.name in names and place.fields and place.fields[0].deref:
                            return True
            if len(block.successors) != 1:
                return False
            number = block.successors[0]
        return False

    def slot_calls(self, slot: Slot) -> tuple[tuple[Site, Call], ...]:
        """Every call through a slot. A record that is not known on either side matches any."""
        known = self._slot_calls.get(slot)
        if known is None:
            known = self._slot_calls[slot] = self._find_slot_calls(slot)
        return known

    def _find_slot_calls(self, slot: Slot) -> tuple[tuple[Site, Call], ...]:
        calls: list[tuple[Site, Call]] = []
        for key in self._slot_mentions(slot):
            function = self.program.function(key)
            if function is not None:
                calls.extend(_calls_through(function, slot))
        if len(calls) > LIMITS.climb_callers:
            self.program.limit(
                f"{slot.record}.{slot.field}: called at {len(calls)} places; the rest left out"
            )
        return tuple(calls[: LIMITS.climb_callers])

    def _slot_mentions(self, slot: Slot) -> tuple[FunctionKey, ...]:
        """Functions whose text calls through the slot's member, or copies it into a variable."""
        if slot.record.startswith("@"):
            return tuple(key for key in self.program.mentioning(slot.record[1:]) if key.name != FILE)
        name = re.escape(slot.field.encode())
        pattern = re.compile(rb"(?:->|\.)\s*" + name + rb"\s*(?:\)\s*)?[(;,]")
        found: dict[FunctionKey, None] = {}
        for path in self.program.lexicon.files_with(slot.field):
            for match in pattern.finditer(self.program.lexicon.source(path).data):
                here = self.program.enclosing(path, match.start())
                if here is not None:
                    found[here] = None
        return tuple(found)

    def _as_argument(self, site: Site, call: Call, position: int, key: FunctionKey) -> list[Edge]:
        """Edges of a function given to a call as argument ``position``."""
        if isinstance(call.target, Named):
            modelled = resolve(self.models, call.target.name, call.args)
            if modelled is not None:
                return [
                    Edge(site, key, EdgeKind(effect.when), _callback_args(effect, call))
                    for effect in modelled.effects
                    if isinstance(effect, Callback) and effect.function.arg == position
                ] or [Edge(site, key, EdgeKind.LATER, ())]
        edges: list[Edge] = []
        for target in self.program.targets(site.function, call):
            edges.extend(self._parameter_runs(site, call, target, position, key, depth=0))
        return edges or [Edge(site, key, EdgeKind.LATER, ())]

    def _parameter_runs(
        self, site: Site, call: Call, target: FunctionKey, position: int, key: FunctionKey, depth: int
    ) -> list[Edge]:
        """What ``target`` does with the function it gets in parameter ``position``."""
        function = self.program.function(target)
        if function is None or position >= len(function.params) or depth > 4:
            return []
        parameter = Place(Root.LOCAL, function.params[position])
        holders = {parameter}
        edges: list[Edge] = []
        for block in function.blocks:
            for instr in block.instrs:
                match instr:
                    case Assign(dst=dst, src=src) if src in holders:
                        slot = slot_of(dst)
                        if slot is None:
                            holders.add(dst)
                        else:
                            edges.extend(
                                Edge(where, key, EdgeKind.SLOT, through.args)
                                for where, through in self.slot_calls(slot)
                            )
                    case Call(target=Indirect(place=place)) if place in holders:
                        args = tuple(_caller_operand(argument, function, call) for argument in instr.args)
                        edges.append(Edge(site, key, EdgeKind.NOW, args))
                    case Call(target=Named(name=name)):
                        for index, argument in enumerate(instr.args):
                            if argument in holders:
                                edges.extend(
                                    self._passed_on(site, call, function, instr, name, index, key, depth)
                                )
                    case _:
                        pass
        return edges

    def _passed_on(
        self,
        site: Site,
        call: Call,
        function: Function,
        inner: Call,
        name: str,
        index: int,
        key: FunctionKey,
        depth: int,
    ) -> list[Edge]:
        translated = tuple(_caller_operand(argument, function, call) for argument in inner.args)
        modelled = resolve(self.models, name, inner.args)
        if modelled is not None:
            lifted = msgspec.structs.replace(inner, args=translated)
            return [
                Edge(site, key, EdgeKind(effect.when), _callback_args(effect, lifted))
                for effect in modelled.effects
                if isinstance(effect, Callback) and effect.function.arg == index
            ]
        edges: list[Edge] = []
        for target in self.program.resolve(name, function.key.path):
            lifted = msgspec.structs.replace(inner, args=translated)
            edges.extend(self._parameter_runs(site, lifted, target, index, key, depth + 1))
        return edges


def _calls_through(function: Function, slot: Slot) -> list[tuple[Site, Call]]:
    """The calls in one function that go through ``slot``, also by way of a local."""
    copies: set[Place] = set()
    found: list[tuple[Site, Call]] = []
    for number, block in enumerate(function.blocks):
        for index, instr in enumerate(block.instrs):
            match instr:
                case Assign(dst=dst, src=Place() as src) if not dst.fields and _belongs(slot_of(src), slot):
                    copies.add(dst)
                case Call(target=Member(record=record, field=field)):
                    if _belongs(Slot(record, field), slot):
                        found.append((Site(function.key, number, index), instr))
                case Call(target=Indirect(place=place)):
                    if place in copies or (place.fields and _belongs(slot_of(place), slot)):
                        found.append((Site(function.key, number, index), instr))
                case _:
                    pass
    return found


def _belongs(one: Slot | None, other: Slot) -> bool:
    if one is None or one.field != other.field:
        return False
    if one.record.startswith("@") or other.record.startswith("@"):
        return one.record == other.record
    return one.record == other.record or not one.record or not other.record


def _callback_args(effect: Callback, call: Call) -> tuple[Operand, ...]:
    """The arguments a callback gets: what the model says of its data pointer, the rest unknown."""
    data = effect.data.arg if effect.data is not None else None
    if data is None or data >= len(call.args):
        return ()
    return (*(Opaque() for _ in range(effect.position)), call.args[data])


def _caller_operand(argument: Operand, function: Function, call: Call) -> Operand:
    """An operand of a callee in terms of its caller, where it is a bare parameter or a constant."""
    if isinstance(argument, Place):
        if not argument.fields and argument.root is Root.LOCAL and argument.name in function.params:
            position = function.params.index(argument.name)
            if position < len(call.args):
                return call.args[position]
        return Opaque()
    return argument
