"""In which processes a place of a function runs, and with what of a reference that the function cannot name.

In: a function, a place in it, a kind of reference. Out: the processes, seen from the start of the function.
It is found by letting a reference flow through the function that only some caller can name.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.models import Kind
from vmfdlint.solve import Fact, Object, Solver, State
from vmfdlint.summary import OUTER


class Course(msgspec.Struct, frozen=True):
    """What became of a reference on the way to a place: ``fork`` made the process that has it now, None where
    that is the one that came in. ``in_child`` without a fork: a child whose story is not told."""

    in_child: bool = False
    fork: Site | None = None

    def after(self, before: "Course") -> "Course":
        """This course behind another one: the first fork counts."""
        return before if before.in_child else self


class Kept(StrEnum):
    """What a reference is kept by, as far as the way of a process changes it."""

    NUMBER = "number"
    MAPPING = "mapping"
    PROCESS = "process"
    """By nothing that the process could let go of: tells who runs a place."""


class Probes:
    """Memoised courses."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self._known: dict[tuple[FunctionKey, Kept], dict[tuple[int, int], frozenset[Course]]] = {}

    def courses(self, key: FunctionKey, places: Iterable[tuple[int, int]], kept: Kept) -> frozenset[Course]:
        """Those on which the reference is still open at one of some places: none where it never is."""
        known = self._known.get((key, kept))
        if known is None:
            known = self._known[(key, kept)] = self._run(key, kept)
        return frozenset().union(*(known.get(place, frozenset()) for place in places))

    def _run(self, key: FunctionKey, kept: Kept) -> dict[tuple[int, int], frozenset[Course]]:
        flow = self.solver.behaviour.flow(key)
        if flow is None:
            return {}
        mapping, numbered = kept is not Kept.NUMBER, kept is Kept.PROCESS
        kind = Kind.RUN_MAPPING if mapping else Kind.VM
        # A child that shares the memory gets no mapping of its own, but the number behind one.
        made = Object(kind, Site(key, 0, 0), flow.function.at, "", numbered=numbered)
        tabulation = self.solver.trial()
        tabulation.seed(key, Fact(made, (OUTER,), State(inherit=mapping)))
        tabulation.run()
        return {
            (block, index): frozenset(
                Course(fact.in_child, fact.fork)
                for fact in tabulation.at.get((key, block, index), {})
                if fact.object == made and fact.is_open
            )
            for block, instrs in enumerate(one.instrs for one in flow.function.blocks)
            for index in range(len(instrs) + 1)
        }
