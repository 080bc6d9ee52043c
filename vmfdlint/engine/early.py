"""What a change may have done, followed before all else. In: a solver, and what changed since the analysis
before. Out: a run over the descriptors that meet it.
"""

from collections.abc import Iterable
from typing import Protocol

from vmfdlint.base import LIMITS
from vmfdlint.ir import FunctionKey
from vmfdlint.link import FILE, CallGraph, Program
from vmfdlint.solve import Early, Solver


class Since(Protocol):
    """What changed since an analysis, and where descriptors were in it."""

    def changed(self, key: FunctionKey) -> bool:
        """Whether a function is not surely what it was."""

    def suspects(self, program: Program) -> Iterable[FunctionKey]:
        """The functions that may do something else to a descriptor now."""

    def sources(self, key: FunctionKey) -> tuple[FunctionKey, ...]:
        """The functions that the descriptors came out of which passed one (:attr:`Solver.passed`); () where
        none did."""


def early_run(solver: Solver, since: Since) -> Early | None:
    """The run; None where no descriptor is known to meet the change."""
    sources: dict[FunctionKey, None] = {}
    for key in since.suspects(solver.program):
        sources |= dict.fromkeys(_above(solver.graph, key, since))
    early = Early(solver, since.changed, lambda key: key in sources or since.changed(key))
    seeds = frozenset(early.seeds)
    pending = [key for key in sources if key not in seeds]
    while pending:  # what was made of another reference comes out of where that came out of
        fresh = [key for key in since.sources(pending.pop()) if key not in sources]
        sources |= dict.fromkeys(fresh)
        pending += [key for key in fresh if key not in seeds]
    if not early.starts:
        return None
    early.run()
    return early


def _above(graph: CallGraph, key: FunctionKey, since: Since) -> tuple[FunctionKey, ...]:
    """The sources of a function, or of the nearest ones above it that have some: nothing enters a function
    that does nothing to it."""
    seen = {key}
    level = [key]
    while level and len(seen) <= LIMITS.early_callers:
        found = dict.fromkeys(source for one in level for source in since.sources(one))
        if found:
            return tuple(found)
        callers = [edge.site.function for one in level for edge in graph.callers(one)]
        level = [one for one in dict.fromkeys(callers) if one not in seen and one.name != FILE]
        seen.update(level)
    return ()
