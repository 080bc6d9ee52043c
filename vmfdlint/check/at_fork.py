"""What functions that run in each child right after its fork give up there.

In: a solved program. Out: its observations without those of children, and of workers, that hold a reference
only until such a function has run.
"""

from collections.abc import Iterator
from functools import cached_property

from vmfdlint.ir import FuncRef, FunctionKey
from vmfdlint.models import AtFork, Close, Unmap
from vmfdlint.solve import Fact, Happening, Observation, Solver
from vmfdlint.summary import Path, Teardown, is_global, port_path

_OF_CHILDREN = frozenset({Happening.LINGER, Happening.UNSURE})


class AfterFork:
    """The functions of a program that are registered for its children."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self._teardown = Teardown(solver.behaviour)

    @cached_property
    def observations(self) -> tuple[Observation, ...]:
        """What is left of the solver's."""
        seen = self.solver.observations
        return seen if not self._functions else tuple(one for one in seen if not self._undone(one))

    @cached_property
    def _functions(self) -> tuple[FunctionKey, ...]:
        solver = self.solver
        found: dict[FunctionKey, None] = {}
        for key in solver.relevance.callers_of(solver.models.names_with(AtFork)):
            for call, modelled in solver.behaviour.calls_with(key, AtFork):
                for effect in modelled.effects:
                    index = effect.function.arg if isinstance(effect, AtFork) else None
                    given = call.args[index] if index is not None and index < len(call.args) else None
                    if isinstance(given, FuncRef):
                        found.update(dict.fromkeys(solver.program.resolve(given.name, key.path)))
        return tuple(sorted(found))

    def _undone(self, seen: Observation) -> bool:
        of_child = seen.what in _OF_CHILDREN and seen.fact.in_child
        return (of_child or seen.what is Happening.WORKER) and self._gives_up(seen.fact)

    def _gives_up(self, fact: Fact) -> bool:
        """Whether one of the functions closes what a fact is about: every descriptor, a member that holds it
        or a global."""
        below = self.solver.behaviour.below
        if not fact.is_mapping and any(below.closes_all(key) for key in self._functions):
            return True
        return any(path in self._globals or path[-1] in self._members for path in fact.places)

    @cached_property
    def _members(self) -> frozenset[str]:
        return frozenset(
            steps[-1] for key in self._functions for steps in self._teardown.released(key, 0) if steps
        )

    @cached_property
    def _globals(self) -> frozenset[Path]:
        return frozenset(path for key in self._functions for path in self._closed_by(key) if is_global(path))

    def _closed_by(self, key: FunctionKey) -> Iterator[Path]:
        for call, modelled in self.solver.behaviour.calls_with(key, Close | Unmap):
            for effect in modelled.effects:
                if isinstance(effect, Close | Unmap):
                    port = effect.fd if isinstance(effect, Close) else effect.at
                    path = port_path(port, call.args)
                    if path is not None:
                        yield path
