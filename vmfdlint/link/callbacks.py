"""What becomes of a function that is given to a call: run now where a model or the callee's body says so.

In: a call and the position of the argument. Out: the edges to the function, LATER where nothing is known of
it; a parameter is followed through the callees with a bound.
"""

from collections.abc import Iterator

import msgspec

from vmfdlint.ir import (
    Assign,
    Call,
    Field,
    Function,
    FunctionKey,
    Indirect,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
)
from vmfdlint.link.collections import Collections
from vmfdlint.link.edges import Edge, EdgeKind, Site, slot_of
from vmfdlint.link.lists import Lists
from vmfdlint.link.program import Program
from vmfdlint.link.slot_calls import SlotCalls
from vmfdlint.models import REST, Callback, Effect, Fork, Models, Truth, resolve

_DEPTH = 4
"""Callees that hand the parameter on."""
_SPREAD = 8
"""Arguments that are taken out of a sequence."""


class Callbacks:
    """Edges of functions that stand as arguments."""

    def __init__(self, program: Program, models: Models, slots: SlotCalls) -> None:
        self.program = program
        self.models = models
        self._slots = slots
        self._lists = Lists(program)
        self.collections = Collections(program, models)

    def edges(self, site: Site, call: Call, position: int, key: FunctionKey) -> list[Edge]:
        """Edges of a function given to a call as argument ``position``."""
        if isinstance(call.target, Named):
            modelled = resolve(self.models, call.target.name, call.args)
            if modelled is not None:
                if any(_starts(effect, position) for effect in modelled.effects):
                    return [Edge(site, key, EdgeKind.PROCESS, ())]
                return [
                    edge
                    for effect in modelled.effects
                    if isinstance(effect, Callback) and effect.function.arg == position
                    for edge in self._run(effect, site, call, key)
                ] or [Edge(site, key, EdgeKind.LATER, ())]
        edges: list[Edge] = []
        for target in self.program.targets(site.function, call):
            edges.extend(self._parameter_runs(site, call, target, position, key, depth=0))
            if not edges and self._calls_by_name(target, key):
                return []
        return edges or [Edge(site, key, EdgeKind.LATER, ())]

    def _run(self, effect: Callback, site: Site, call: Call, key: FunctionKey) -> Iterator[Edge]:
        """The edges to a function that the modelled ``call`` gets for ``effect``."""
        if effect.of is None:
            yield Edge(site, key, EdgeKind(effect.when), callback_args(effect, call))
            return
        function = self.program.function(site.function)
        position = effect.of.arg
        of = call.dst if position is None else call.args[position] if position < len(call.args) else None
        if function is not None and isinstance(of, Place):
            for where in self.collections.discards(function, of):
                yield Edge(where, key, EdgeKind.EACH, (Opaque(),))

    def _calls_by_name(self, target: FunctionKey, key: FunctionKey) -> bool:
        """Whether a front-end that knew what a parameter stands for has put its name into the call."""
        function = self.program.function(target) if self.program.bound(target.path) is not None else None
        return function is not None and any(
            isinstance(instr, Call)
            and isinstance(instr.target, Named)
            and key in self.program.resolve(instr.target.name, target.path)
            for instr in function.instrs
        )

    def _parameter_runs(
        self, site: Site, call: Call, target: FunctionKey, position: int, key: FunctionKey, depth: int
    ) -> list[Edge]:
        """What ``target`` does with the function it gets in parameter ``position``."""
        function = self.program.function(target)
        if function is None or position >= len(function.params) or depth > _DEPTH:
            return []
        parameter = Place(Root.LOCAL, function.params[position])
        holders = {parameter}
        edges: list[Edge] = []
        for instr in function.instrs:
            match instr:
                case Assign(dst=dst, src=src) if src in holders:
                    slot = slot_of(dst)
                    if slot is None:
                        holders.add(dst)
                    else:
                        edges.extend(
                            Edge(where, key, EdgeKind.SLOT, through.args)
                            for where, through in self._slots.of(slot)
                            if not self._lists.differ(function, slot, where.function)
                        )
                case Call(target=Indirect(place=place)) if place in holders:
                    args = tuple(_caller_operand(argument, function, call) for argument in instr.args)
                    edges.append(Edge(site, key, EdgeKind.NOW, args, _returns(function, instr)))
                case Call(target=Named(name=name)):
                    inner = self.models.ordered(instr)
                    for index, argument in enumerate(inner.args):
                        if argument in holders:
                            edges.extend(
                                self._passed_on(site, call, function, inner, name, index, key, depth)
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
                edge
                for effect in modelled.effects
                if isinstance(effect, Callback) and effect.function.arg == index
                for edge in self._run(effect, site, lifted, key)
            ]
        edges: list[Edge] = []
        for target in self.program.resolve(name, function.key.path):
            lifted = msgspec.structs.replace(inner, args=translated)
            edges.extend(self._parameter_runs(site, lifted, target, index, key, depth + 1))
        if not _returns(function, inner):
            edges = [msgspec.structs.replace(edge, answers=False) for edge in edges]
        return edges


def _starts(effect: Effect, position: int) -> bool:
    """Whether a child begins with the function in argument ``position`` (clone), and what it opened goes when
    it ends: not where another task surely has the same descriptor table."""
    return (
        isinstance(effect, Fork)
        and effect.entry is not None
        and effect.entry.arg == position
        and effect.shares_files is not Truth.YES
    )


def _returns(function: Function, call: Call) -> bool:
    """Whether a function returns the result of a call in it."""
    names = {call.dst} - {None}
    for instr in function.instrs:
        if isinstance(instr, Assign) and instr.src in names:
            names.add(instr.dst)
    return any(isinstance(instr, Return) and instr.value in names for instr in function.instrs)


def callback_args(effect: Callback, call: Call) -> tuple[Operand, ...]:
    """The arguments a callback gets: what the model says of its data pointer, the rest unknown."""
    data = effect.data.arg if effect.data is not None else None
    if effect.data is None or data is None or data >= len(call.args):
        element = (Opaque(),) if effect.when == EdgeKind.EACH else ()
        return (*_object(effect, call), *element)
    given: tuple[Operand, ...] = (call.args[data],)
    if effect.data.fields == (REST,):
        given = call.args[data:]
    elif effect.spread:
        given = tuple(_element(call.args[data], number) for number in range(_SPREAD))
    return (*_object(effect, call), *(Opaque() for _ in range(effect.position)), *given)


def _object(effect: Callback, call: Call) -> tuple[Operand, ...]:
    """What a bound method is bound to."""
    index = effect.bound.arg if effect.bound is not None else None
    given = call.args[index] if index is not None and index < len(call.args) else None
    return (given,) if isinstance(given, Place) else ()


def _element(sequence: Operand, number: int) -> Operand:
    return sequence.step(Field(f"[{number}]", deref=True)) if isinstance(sequence, Place) else Opaque()


def _caller_operand(argument: Operand, function: Function, call: Call) -> Operand:
    """An operand of a callee in terms of its caller, where it is a bare parameter or a constant."""
    if isinstance(argument, Place):
        if not argument.fields and argument.root is Root.LOCAL and argument.name in function.params:
            position = function.params.index(argument.name)
            if position < len(call.args):
                return call.args[position]
        return Opaque()
    return argument
