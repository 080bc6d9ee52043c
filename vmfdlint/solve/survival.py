"""Whether a fork leaves a child behind: one that waits, uses a VM, or comes back out of the forking function.

In: the key of a function that forks. Out: yes or no, by a run over that function alone with a VM in every
place where it may have one. What else the program does with a reference is the solver's.
"""

from collections.abc import Iterator
from functools import cached_property

from vmfdlint.ir import FunctionKey, Place
from vmfdlint.link import FILE, CallGraph, Site
from vmfdlint.models import Daemon, Fork, Kind, Models, Use
from vmfdlint.solve.boundary import outside
from vmfdlint.solve.facts import Fact, Object
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.observe import Happening, Node, Observation
from vmfdlint.solve.tables import Step
from vmfdlint.solve.tabulate import Tabulation
from vmfdlint.solve.typestate import State
from vmfdlint.summary import OUTER, Behaviour, Flow, Path, Relevance, is_global, port_path

_BELOW = 2
"""How far below a fork an ioctl is looked for that a child's object is asked."""
_IN_CHILD = (Happening.LINGER, Happening.CHILD_USE, Happening.UNSURE)


class Survival:
    """Judges single forking functions. A fork below the one that is judged is judged with it."""

    def __init__(self, graph: CallGraph, behaviour: Behaviour, models: Models) -> None:
        self._graph = graph
        self._behaviour = behaviour
        self._models = models
        self.staying: set[FunctionKey] = set()
        """Functions that were found to leave a child in themselves, which waits there or uses a VM."""
        self._leaving: dict[FunctionKey, bool] = {}

    @cached_property
    def _relevance(self) -> Relevance:
        """One of its own, whose topic of forks is empty."""
        return Relevance(self._graph, self._behaviour)

    def leaves_a_child(self, key: FunctionKey) -> bool:
        """Whether a fork in ``key`` leaves a child that waits, uses a VM or returns, or makes a daemon."""
        known = self._leaving.get(key)
        if known is None:
            known = self._leaving[key] = self._judge(key)
        return known

    def _judge(self, key: FunctionKey) -> bool:
        flow = self._behaviour.flow(key)
        if flow is None or key.name == FILE or not any(self._behaviour.calls_with(key, Fork | Daemon)):
            return False
        interest = Interest(
            self._graph, self._behaviour, self._relevance, self._models, lambda _key: False, has_main=True
        )
        interest.forks_in = lambda _key: False
        trial = _Trial(self._graph, self._behaviour, self._relevance, self._models, interest)
        asked = [(Kind.VM, path) for path in self._places(key, flow)]
        for kind, place in ((Kind.VM, OUTER), (Kind.RUN_MAPPING, OUTER), *asked):
            made = Object(kind, Site(key, 0, 0), flow.function.at, "")
            fact = Fact(made, (place,), State(inherit=kind is Kind.RUN_MAPPING))
            number = trial.seed(key, fact)
            trial.run()
            if trial.decided:
                self.staying.add(key)
                return True
            if any(at_exit.in_child for at_exit in trial.exits(number)):
                return True
        return False

    def _places(self, key: FunctionKey, flow: Flow) -> tuple[Path, ...]:
        """Where a function may have a VM other than in its caller's variables: what it is given, and the
        members and globals that its calls ask something of. In a child that gives EIO."""
        found: dict[Path, None] = {(name,): None for name in flow.params}
        found.update(dict.fromkeys(self._used(key, flow, _BELOW)))
        return tuple(found)

    def _used(self, key: FunctionKey, flow: Flow, depth: int) -> Iterator[Path]:
        """The members and globals that calls ask something of, also in functions that are given the same
        object."""
        for call, modelled in self._behaviour.calls_with(key, Use):
            for effect in modelled.effects:
                place = (
                    port_path(effect.fd, call.args) if isinstance(effect, Use) and effect.checked else None
                )
                if place is not None and (place[0] in flow.params or is_global(place)):
                    yield place
        for call in flow.calls if depth else ():
            if not any(isinstance(one, Place) and one.name in flow.params for one in call.args):
                continue
            for callee in self._behaviour.program.targets(key, call):
                below = self._behaviour.flow(callee)
                if below is None:
                    continue
                for place in self._used(callee, below, depth - 1):
                    outer = [place] if is_global(place) else outside(place, call.args, below)
                    yield from (one for one in outer if is_global(one) or one[0] in flow.params)


class _Trial(Tabulation):
    """A run that ends with the first proof of a child that stays. What becomes of the parent behind the fork
    tells nothing of its child, so the stand-in for it is not followed."""

    decided = False

    def _next(self) -> Node | None:
        return None if self.decided else super()._next()

    def push(self, node: Node, step: Step) -> None:
        """See :meth:`Tables.push`."""
        if node.fact.object is None or not node.fact.object.creator:
            super().push(node, step)

    def _record(self, seen: Observation) -> None:
        super()._record(seen)
        if seen.what is Happening.DAEMON or (seen.fact.in_child and seen.what in _IN_CHILD):
            self.decided = True
