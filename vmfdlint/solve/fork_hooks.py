"""What functions that run at the start of every forked child do to a reference (os.register_at_fork).

In: a program and a reference that a fork would copy. Out: whether the child lets go of it before anything
else. Each function is run by itself, on a copy.
"""

from functools import cached_property

import msgspec

from vmfdlint.base import LIMITS
from vmfdlint.ir import FuncRef, FunctionKey, Named
from vmfdlint.link import EdgeKind
from vmfdlint.models import Callback, Close, CloseAll, Duplicate, Exec, Unmap
from vmfdlint.solve.boundary import enter
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.observe import Happening
from vmfdlint.solve.process import copied
from vmfdlint.solve.tabulate import Tabulation
from vmfdlint.summary import Flow, is_cell

_ENDING = Close | CloseAll | Duplicate | Unmap | Exec


class ForkHooks:
    """The functions that a program registers for its children."""

    def __init__(self, tabulation: Tabulation) -> None:
        self._tabulation = tabulation
        self._known: dict[Fact, bool] = {}

    def release(self, fact: Fact) -> bool:
        """Whether one of them closes the child's copy of a reference, whatever way it takes."""
        if not self._keys:
            return False
        children = [msgspec.structs.replace(child, env=(), via=()) for child in copied(fact)]
        return bool(children) and any(self._releases(key, children[0]) for key in self._keys)

    @cached_property
    def _keys(self) -> tuple[FunctionKey, ...]:
        table, found = self._tabulation, dict[FunctionKey, None]()
        names = table.models.hook_names()
        for key in table.relevance.callers_of(names) if names else ():
            for call, modelled in table.behaviour.calls_with(key, Callback):
                for effect in modelled.effects:
                    if isinstance(effect, Callback) and effect.when == EdgeKind.FORK:
                        position = effect.function.arg or 0
                        given = call.args[position] if position < len(call.args) else None
                        if isinstance(given, FuncRef):
                            found |= dict.fromkeys(table.graph.program.resolve(given.name, key.path))
        return tuple(key for key in found if self._lets_go(key))

    def _lets_go(self, key: FunctionKey) -> bool:
        """Whether anything below a function can end a reference. Most begin a child for the threads' sake,
        and a trial for each reference costs more."""
        behaviour, program = self._tabulation.behaviour, self._tabulation.graph.program
        below = [key]
        for one in below:
            flow = behaviour.flow(one)
            if flow is not None and flow.counts_references:
                return True
            for call in flow.calls if flow is not None else ():
                modelled = behaviour.modelled(one, call)
                if not isinstance(call.target, Named) or len(below) > LIMITS.hook_callees:
                    return True
                if modelled is None:
                    below += [target for target in program.targets(one, call) if target not in below]
                if modelled is not None and any(isinstance(effect, _ENDING) for effect in modelled.effects):
                    return True
        return False

    def _releases(self, key: FunctionKey, child: Fact) -> bool:
        table = self._tabulation
        flow = table.behaviour.flow(key)
        if flow is None:
            return False
        inside = _of_object(enter(child, (), flow), flow)
        known = self._known.get(inside)
        if known is None:
            trial = Tabulation(table.graph, table.behaviour, table.relevance, table.models, table.interest)
            number = trial.seed(key, inside)
            trial.run()
            keeps = any(
                seen.what is Happening.LOST or (seen.what is Happening.LINGER and seen.fact.is_open)
                for seen in trial.observations.values()
            )
            left = any(one.is_open and one.object == inside.object for one in trial.exits(number))
            known = self._known[inside] = not keeps and not left
        return known


def _of_object(fact: Fact, flow: Flow) -> Fact:
    """The fact with what members hold held by the object that a method was registered for: each object of a
    class registers its own."""
    types = dict(flow.function.local_types)
    if not flow.params or flow.params[0] not in types:
        return fact
    me = flow.params[0]
    cells = {path for path in fact.places if is_cell(path) and path[0] == "*" + types[me]}
    return fact.with_places({*fact.places, *((me, *path[1:]) for path in cells)})
