"""Who calls a function: directly, through a slot, or as a callback; asked upwards, one function at a time.

In: a function. Out: the edges to it, by site. A function stored in a slot is reached by every call through it
(slot_calls); one passed as an argument is called NOW where a model or the callee's own body says so, else
LATER (callbacks).
"""

from collections import defaultdict
from operator import itemgetter

from vmfdlint.base import LIMITS
from vmfdlint.ir import (
    Assign,
    Call,
    Const,
    FuncRef,
    Function,
    FunctionKey,
    Indirect,
    Named,
    Operand,
    Place,
    places,
    reads,
)
from vmfdlint.link.callbacks import Callbacks
from vmfdlint.link.chains import Chains
from vmfdlint.link.edges import Edge, EdgeKind, Site, Slot, slot_of
from vmfdlint.link.members import Members
from vmfdlint.link.mentions import Mentions
from vmfdlint.link.program import Program
from vmfdlint.link.slot_calls import SlotCalls
from vmfdlint.models import Models

_Naming = tuple[Site, int, Call | Assign]
"""Where a function is named: as an argument by its position, -1 as what is called or stored."""


class CallGraph:
    """Callers of a function, found through the names in the program."""

    def __init__(self, program: Program, models: Models) -> None:
        self.program = program
        self.models = models
        self._named: dict[FunctionKey, dict[str, list[_Naming]]] = {}
        self._callers: dict[FunctionKey, tuple[Edge, ...]] = {}
        self.mentions = Mentions(program)
        self.slots = SlotCalls(program)
        self.members = Members(program)
        self._chains = Chains(program)
        self._callbacks = Callbacks(program, models, self.slots)

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
                f"{key.name}() in {key.path}: of {len(visible):,} functions that name it the first "
                f"{LIMITS.climb_callers} were followed"
            )
            visible = visible[: LIMITS.climb_callers]
        for mention in visible:
            function = self.program.function(mention)
            if function is None:
                continue
            for edge in self._edges_in(function, key):
                edges.setdefault((edge.site, edge.kind), edge)
        return tuple(edges[name] for name in sorted(edges))

    def given(self, caller: FunctionKey, place: Place) -> tuple[FunctionKey, ...]:
        """The functions that a collection, or a key of a thread's own values, was given for its elements."""
        function = self.program.function(caller)
        return tuple(self._callbacks.collections.given(function, place)) if function is not None else ()

    def named_by(self, key: FunctionKey) -> tuple[frozenset[FunctionKey], frozenset[FunctionKey]]:
        """The functions that call ``key`` by name, and those (or file levels) that use its name as a
        value."""
        return self.mentions.named_by(key)

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
        path = function.key.path
        named = self._naming(function)
        # Where a front-end bound the names, any may be that of the function.
        names = (key.name,) if self.program.bound(path) is None else tuple(named)
        found: list[Edge] = []
        meant = (name for name in names if self.mentions.means(name, path, key))
        places = (one for name in meant for one in named.get(name, ()))
        for site, position, instr in sorted(places, key=itemgetter(0, 1)):
            match instr:
                case Assign(dst=dst):
                    found += self._through_place(function, site, dst, key)
                case Call(args=args) if position < 0:
                    found.append(Edge(site, key, EdgeKind.DIRECT, args))
                case Call():
                    found += self._callbacks.edges(site, self.models.ordered(instr), position, key)
        return found

    def _naming(self, function: Function) -> dict[str, list[_Naming]]:
        """Where a function names others, by name."""
        known = self._named.get(function.key)
        if known is None:
            known = self._named[function.key] = defaultdict(list)
            for number, block in enumerate(function.blocks):
                for index, instr in enumerate(block.instrs):
                    site = Site(function.key, number, index)
                    match instr:
                        case Call(target=target):
                            if isinstance(target, Named):
                                known[target.name].append((site, -1, instr))
                            for position, argument in enumerate(self.models.ordered(instr).args):
                                if isinstance(argument, FuncRef):
                                    known[argument.name].append((site, position, instr))
                        case Assign(src=FuncRef(name=name)):
                            known[name].append((site, -1, instr))
                        case _:
                            pass
        return known

    def _through_place(self, function: Function, at: Site, dst: Place, key: FunctionKey) -> list[Edge]:
        """Edges of a function stored in ``dst`` at ``at``."""
        slot = slot_of(dst) if self.program.bound(function.key.path) is None else None
        if slot is not None:
            when = self.models.kept_callbacks.get(slot.field)
            if when is not None:
                return [Edge(at, key, EdgeKind(when), ())]
            found = [
                Edge(site, key, EdgeKind.SLOT, call.args)
                for site, call in self.slots.of(slot)
                if not self._would_crash(key, call.args)
                and not self._chains.apart(key, slot, site.function, call)
            ]
            return found + self._given_on(slot, key)
        edges: list[Edge] = []
        for number, block in enumerate(function.blocks):
            for index, instr in enumerate(block.instrs):
                site = Site(function.key, number, index)
                match instr:
                    case Call(target=Indirect(place=place)) if place == dst:
                        edges.append(Edge(site, key, EdgeKind.SLOT, instr.args))
                    case Call():
                        given = self.models.ordered(instr)
                        for position, argument in enumerate(given.args):
                            if argument == dst:
                                edges.extend(self._callbacks.edges(site, given, position, key))
                    case _:
                        pass
        return edges

    def _given_on(self, slot: Slot, key: FunctionKey) -> list[Edge]:
        """Edges of a function that calls are given out of a slot, where it is known what they do with it."""
        return [
            edge
            for site, call, position in self.slots.given(slot)
            for edge in self._callbacks.edges(site, self.models.ordered(call), position, key)
            if edge.kind is not EdgeKind.LATER or edge.args
        ]

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
