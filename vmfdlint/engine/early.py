"""What a change may have done, followed before all else. In: a solver, and what changed since the analysis
before. Out: a run over the descriptors that meet it.
"""

from collections.abc import Iterable
from typing import Protocol

from vmfdlint.base import LIMITS
from vmfdlint.ir import FunctionKey
from vmfdlint.link import FILE, CallGraph, Program
from vmfdlint.solve import Early, Passage, Solver


class Since(Protocol):
    """What changed since an analysis, and where descriptors were in it."""

    def changed(self, key: FunctionKey) -> bool:
        """Whether a function is not surely what it was."""

    def suspects(self, program: Program) -> Iterable[FunctionKey]:
        """The functions that may do something else to a descriptor now."""

    def passage(self, key: FunctionKey) -> Passage | None:
        """Where the descriptors came from which passed a function; None where none did."""


def early_run(solver: Solver, since: Since) -> Early | None:
    """The run; None where no descriptor is known to meet the change."""
    way: dict[FunctionKey, Passage | None] = {}
    for key in since.suspects(solver.program):
        way |= _above(solver.graph, key, since)
    met = [passage for passage in way.values() if passage is not None]
    sources = dict.fromkeys(source for passage in met for source in passage.sources)
    for passage in met:
        _climb(passage, since, way)
    early = Early(solver, since.changed, lambda key: key in sources or since.changed(key), frozenset(way))
    seeds = frozenset(early.seeds)
    pending = [key for key in sources if key not in seeds]
    while pending:  # what was made of another reference comes out of where that came out of
        above = since.passage(pending.pop())
        fresh = [key for key in above.sources if key not in sources] if above else []
        sources |= dict.fromkeys(fresh)
        pending += [key for key in fresh if key not in seeds]
    if not early.starts:
        return None
    early.run()
    return early


def _above(graph: CallGraph, key: FunctionKey, since: Since) -> dict[FunctionKey, Passage | None]:
    """The calls up to the nearest functions that descriptors passed, with these; empty where there are none
    near. Nothing enters a function that does nothing to it."""
    found: dict[FunctionKey, Passage | None] = {}
    level = [key]
    while level and len(found) <= LIMITS.early_callers:
        found |= {one: since.passage(one) for one in level}
        if any(found[one] for one in level):
            return found
        callers = [edge.site.function for one in level for edge in graph.callers(one)]
        level = [one for one in dict.fromkeys(callers) if one not in found and one.name != FILE]
    return {}


def _climb(passage: Passage, since: Since, way: dict[FunctionKey, Passage | None]) -> None:
    """Adds to ``way`` the functions over which descriptors came, as far as they are near."""
    pending = list(passage.callers)
    for key in pending:
        if key not in way and len(way) <= LIMITS.early_way:
            way[key] = above = since.passage(key)
            pending += above.callers if above else ()
