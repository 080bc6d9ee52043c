"""What a function does with the value it gets in a parameter: close it, keep it, free it, ask by it.

In: a function key and the position of a parameter, from 0. Out: memoised answers, found by looking down the
call graph with a bound.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from vmfdlint.ir import Address, Assign, Call, FunctionKey, Named, Place, Return, Unparsed
from vmfdlint.models import (
    Drop,
    Exec,
    Exit,
    Free,
    Grant,
    Inside,
    Linger,
    Map,
    Migrate,
    Resolved,
    Use,
    Worker,
    Write,
)
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.paths import operand_path, step_name

_DEPTH = 8
_NOTES_DEPTH = 3
"""How far down a function is asked what it notes in the objects that it is given."""

Answer = TypeVar("Answer")


class Descent(Generic[Answer]):
    """One question on parameters, asked down the call graph.

    ``find`` answers it for a function, the name of the parameter and the depth, and may ask the descent
    again. ``none`` is the answer where there is no such parameter, ``bound`` calls down, and to a question
    that is being asked.
    """

    def __init__(
        self, bodies: Bodies, bound: int, none: Answer, find: Callable[[Flow, str, int], Answer]
    ) -> None:
        self.bodies = bodies
        self.bound = bound
        self.none = none
        self.find = find
        self._known: dict[tuple[FunctionKey, int], Answer] = {}

    def ask(self, key: FunctionKey, position: int, depth: int = 0) -> Answer:
        """The answer, the same ever after, at whatever depth it was found."""
        known = self._known.get((key, position))
        if known is not None:
            return known
        self._known[(key, position)] = self.none
        flow = self.bodies.flow(key)
        answer = self.none
        if flow is not None and position < len(flow.params) and depth < self.bound:
            answer = self.find(flow, flow.params[position], depth)
        self._known[(key, position)] = answer
        return answer


class Parameters:
    """Memoised answers on parameters."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._uses: dict[tuple[FunctionKey, int], bool] = {}
        self._changes = Descent(bodies, _DEPTH, False, self._find_change)
        self._frees = Descent(bodies, _DEPTH, False, self._find_free)
        self._notes: Descent[frozenset[str]] = Descent(bodies, _NOTES_DEPTH, frozenset(), self._find_notes)
        self._deciders: Descent[frozenset[int]] = Descent(bodies, _DEPTH, frozenset(), self._find_deciders)

    def changed(self, key: FunctionKey, position: int) -> bool:
        """Whether a function closes, copies, stores or hands on the descriptor it gets in a parameter."""
        return self._changes.ask(key, position)

    def used(self, key: FunctionKey, position: int) -> bool:
        """Whether a function gives the parameter to any call at all."""
        known = self._uses.get((key, position))
        if known is None:
            flow = self.bodies.flow(key)
            known = False
            if flow is not None and position < len(flow.params):
                name = flow.params[position]
                known = any(
                    (path := operand_path(argument)) is not None and path[0] == name
                    for call in flow.calls
                    for argument in call.args
                )
            self._uses[(key, position)] = known
        return known

    def freed(self, key: FunctionKey, position: int) -> bool:
        """Whether a function releases the memory that a parameter points to, or lets go of an object in it,
        itself or in a callee."""
        return self._frees.ask(key, position)

    def returned(self, key: FunctionKey, position: int) -> bool:
        """Whether a function itself returns what it gets in a parameter: ``return self``."""
        flow = self.bodies.flow(key)
        if flow is None or position >= len(flow.params):
            return False
        return any(
            isinstance(instr, Return) and instr.value is not None and _is_variable(instr.value, name)
            for name in (flow.params[position],)
            for instr in flow.function.instrs
        )

    def notes(self, key: FunctionKey, position: int) -> frozenset[str]:
        """The members that a function puts something into, of the object that a parameter leads to: their
        names."""
        return self._notes.ask(key, position)

    def deciders(self, key: FunctionKey, position: int) -> frozenset[int]:
        """The parameters whose value decides what becomes of parameter ``position``: ``request`` in a wrapper
        of ioctl."""
        return self._deciders.ask(key, position)

    def _find_change(self, flow: Flow, name: str, depth: int) -> bool:
        for instr in flow.function.instrs:
            match instr:
                case Assign(src=src) if _is_variable(src, name):
                    return True
                case Return(value=value) if value is not None and _is_variable(value, name):
                    return True
                case Call() if self._call_changes(flow.key, instr, name, depth):
                    return True
                case Unparsed(names=names) if name in names:
                    return True
                case _:
                    pass
        return False

    def _call_changes(self, caller: FunctionKey, call: Call, name: str, depth: int) -> bool:
        """Whether a call does more with the variable ``name`` than use it."""
        positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
        taken = any(isinstance(a, Address) and a.place.is_variable(name) for a in call.args)
        if not positions and not taken:
            return False
        modelled = self.bodies.modelled(caller, call)
        if modelled is not None:
            return changes(modelled, own=True)
        if taken:
            return True
        targets = self.bodies.program.targets(caller, call)
        if not targets:
            # Nothing is known of it: it can close the descriptor or keep it.
            return isinstance(call.target, Named)
        return any(self._changes.ask(target, index, depth + 1) for target in targets for index in positions)

    def _find_notes(self, flow: Flow, name: str, depth: int) -> frozenset[str]:
        found = {step_name(path[-1]) for path in flow.written if path[0] == name and len(path) > 1}
        for call in flow.calls:
            positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
            if positions and self.bodies.modelled(flow.key, call) is None:
                for target in self.bodies.program.targets(flow.key, call):
                    found.update(*(self._notes.ask(target, index, depth + 1) for index in positions))
        return frozenset(found)

    def _find_free(self, flow: Flow, name: str, depth: int) -> bool:
        return any(self._call_frees(flow.key, call, name, depth) for call in flow.calls)

    def _call_frees(self, caller: FunctionKey, call: Call, name: str, depth: int) -> bool:
        if any(isinstance(one, Place) and one.fields and one.name == name for one in call.args):
            modelled = self.bodies.modelled(caller, call)
            if modelled is not None and lets_go(modelled):
                return True
        positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
        if not positions:
            return False
        modelled = self.bodies.modelled(caller, call)
        if modelled is not None:
            return any(
                isinstance(effect, Free) and effect.pointer.arg in positions and not effect.pointer.fields
                for effect in modelled.effects
            )
        return any(
            self._frees.ask(target, index, depth + 1)
            for target in self.bodies.program.targets(caller, call)
            for index in positions
        )

    def _find_deciders(self, flow: Flow, name: str, depth: int) -> frozenset[int]:
        return frozenset(
            decider
            for call in flow.calls
            if any(_is_variable(argument, name) for argument in call.args)
            for decider in self._deciding(flow, call, name, depth)
        )

    def _deciding(self, flow: Flow, call: Call, name: str, depth: int) -> list[int]:
        modelled = self.bodies.modelled(flow.key, call)
        if modelled is not None:
            wanted = set(modelled.wants)
        else:
            positions = [index for index, argument in enumerate(call.args) if _is_variable(argument, name)]
            wanted = {
                decider
                for target in self.bodies.program.targets(flow.key, call)
                for index in positions
                for decider in self._deciders.ask(target, index, depth + 1)
            }
        given = [call.args[index] for index in wanted if index < len(call.args)]
        names = [operand.name for operand in given if isinstance(operand, Place)]
        return [flow.params.index(name) for name in names if name in flow.params]


def changes(modelled: Resolved, own: bool) -> bool:
    """Whether an API does more to its descriptors than use them or wait; ``own`` counts a mapping as more."""
    harmless = Use | Linger | Exit | Exec | Inside | Migrate | Write | Grant | Drop | Worker
    if own:
        return any(not isinstance(effect, harmless) for effect in modelled.effects)
    return any(not isinstance(effect, harmless | Map) for effect in modelled.effects)


def lets_go(modelled: Resolved) -> bool:
    """Whether an API lets go of an object, of an element of a collection."""
    return any(isinstance(effect, Drop) for effect in modelled.effects)


def _is_variable(operand: object, name: str) -> bool:
    return isinstance(operand, Place) and operand.is_variable(name)
