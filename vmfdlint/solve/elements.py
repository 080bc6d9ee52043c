"""Functions that a call runs for each element of a collection: what they release is gone behind the call.

In: a fact and the edges of a call. Out: whether one of them releases the element that the reference is or is
in. An element that is a number itself (GINT_TO_POINTER) has no name in there; it was put into a collection,
and goes with one whose function closes such elements. What a thread keeps under a key goes to the function of
the key at its end.
"""

from collections.abc import Iterable, Iterator

import msgspec

from vmfdlint.ir import FuncRef, FunctionKey, Opaque, Operand, Place
from vmfdlint.link import CallGraph, Edge, EdgeKind
from vmfdlint.models import Callback, Defer, Entrust, Keep, Models, Resolved
from vmfdlint.solve.facts import Fact, match_path
from vmfdlint.solve.local import cells_like, hold
from vmfdlint.solve.ports import operand_at
from vmfdlint.summary import (
    ESCAPED,
    Behaviour,
    Flow,
    Path,
    Reach,
    Relevance,
    behind_argument,
    is_cell,
    port_path,
    same_cell,
)

_MOMENTS = ("each", "discard")


class Elements:
    """The references that are in collections, and what becomes of them there."""

    def __init__(self, graph: CallGraph, behaviour: Behaviour, relevance: Relevance, models: Models) -> None:
        self._graph = graph
        self._behaviour = behaviour
        self._relevance = relevance
        self._names = frozenset().union(*map(models.running_names, _MOMENTS))
        self._kept: set[object] = set()

    def note(self, before: Fact, after: Iterable[Fact], modelled: Resolved) -> None:
        """A modelled call may have put the number of a reference into a collection."""
        # What is kept for a callback goes to that.
        callback = any(isinstance(effect, Callback) for effect in modelled.effects)
        keeps = not callback and any(isinstance(effect, Keep) for effect in modelled.effects)
        if keeps and before.object is not None and any(ESCAPED in fact.places for fact in after):
            self._kept.add(before.object.site)

    def entrusted(self, fact: Fact, modelled: Resolved, args: tuple[Operand, ...], flow: Flow) -> Fact:
        """The fact behind a call that gives a value to a function that runs when the thread ends: what that
        releases goes with the last variable that holds it; that of an object's end is held by the object."""
        for effect in modelled.effects if fact.is_open else ():
            if isinstance(effect, Defer):
                fact = self._deferred(fact, effect, args, flow)
            value = operand_at(effect.value, args) if isinstance(effect, Entrust) else None
            to = operand_at(effect.to, args) if isinstance(effect, Entrust) else None
            if value is not None and isinstance(to, Place):
                for key in self._graph.given(flow.key, to):
                    fact = self._owned(fact, value, key)
        return fact

    def _deferred(self, fact: Fact, effect: Defer, args: tuple[Operand, ...], flow: Flow) -> Fact:
        """A fact whose reference the object has, too, that calls a function which releases it."""
        to, at = operand_at(effect.to, args), port_path(effect.at, args)
        keys = self._graph.program.resolve(to.name, flow.key.path) if isinstance(to, FuncRef) else ()
        for position, value in enumerate(args[effect.value.arg or 0 :]):
            released = {steps for key in keys for steps in self._behaviour.teardown.released(key, position)}
            paths = (behind_argument(value, steps) for steps in sorted(released))
            if at is not None and any(path in fact.places for path in paths):
                fact = hold(fact, at, None)
        return fact

    def _owned(self, fact: Fact, value: Operand, key: FunctionKey) -> Fact:
        """A fact whose reference is closed with its last variable, where ``key`` releases it of a value."""
        for steps, cell in self._behaviour.teardown.cells(key, 0).items():
            path = behind_argument(value, steps)
            if path is None or fact.object is None or match_path(fact, path, cell) is None:
                continue
            rest = set(fact.places) - (cells_like(fact, {cell}) if cell is not None else set())
            owned = msgspec.structs.replace(fact.object, self_closing=True)
            return msgspec.structs.replace(fact.with_places(rest), object=owned)
        return fact

    def is_kept(self, fact: Fact) -> bool:
        """Whether the number of a reference was put into a collection."""
        kept = fact.object is not None and fact.object.site in self._kept
        return kept and ESCAPED in fact.places and fact.is_open and not fact.is_mapping

    def releasing(self) -> Reach:
        """Functions below which one runs for each element of a collection, and closes a number."""
        return self._relevance.reaches("close the numbers in a collection", lambda: tuple(self._closing()))

    def _closing(self) -> Iterator[FunctionKey]:
        for key in self._relevance.callers_of(self._names):
            for call, modelled in self._behaviour.calls_with(key, Callback):
                for effect in modelled.effects:
                    given = operand_at(effect.function, call.args) if isinstance(effect, Callback) else None
                    if not isinstance(given, FuncRef):
                        continue
                    for target in self._behaviour.program.resolve(given.name, key.path):
                        if () in self._behaviour.teardown.elements(target, 0):
                            yield target

    def cells(self, edges: Iterable[Edge]) -> Iterator[Path]:
        """What the functions that run for each element release of it; () for a number."""
        for edge in edges:
            if edge.kind is EdgeKind.EACH:
                for position, operand in enumerate(edge.args):
                    if isinstance(operand, Opaque):
                        yield from self._behaviour.teardown.elements(edge.callee, position)

    def go_through(self, fact: Fact, edges: Iterable[Edge]) -> bool:
        """Whether a reference goes on behind a call out of those functions alone."""
        if fact.is_zero or not fact.is_open or fact.is_parent:
            return False
        held = [path for path in fact.places if is_cell(path)]
        return any(cell and any(same_cell(path, cell) for path in held) for cell in self.cells(edges))

    def closes(self, fact: Fact, edges: Iterable[Edge]) -> bool:
        """Whether they close a reference whose number is an element."""
        return self.is_kept(fact) and () in self.cells(edges)
