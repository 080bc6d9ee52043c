"""A climb of the call graph from some functions to all that call them, now or later, with bounds.

In: the graph, function keys. Out: function keys, level by level.
"""

from collections.abc import Callable, Iterable

from vmfdlint.base import LIMITS
from vmfdlint.ir import FunctionKey
from vmfdlint.link import CallGraph, Edge


class Climb:
    """A bounded climb of the call graph, one level after the other: ``frontier`` is the level just reached,
    ``found`` all so far. Of the functions whose name is a value only the first few are looked into."""

    def __init__(self, graph: CallGraph, seeds: Iterable[FunctionKey]) -> None:
        self.graph = graph
        self.found = set(seeds)
        self.frontier = sorted(self.found)
        self.values_left = LIMITS.value_climbs

    @property
    def is_wide(self) -> bool:
        """Whether more was found than is climbed on from."""
        return len(self.found) > LIMITS.closure

    def step(self, follows: Callable[[Edge], bool], whole: bool = True) -> None:
        """Goes to those that call the frontier by name, and by the edges of values that ``follows`` accepts;
        where not the ``whole`` level is asked for, until the climb is wide."""
        following: set[FunctionKey] = set()
        for key in self.frontier:
            callers, values = self.graph.named_by(key)
            following |= callers - self.found
            if values and self.values_left > 0:
                self.values_left -= 1
                following.update(edge.site.function for edge in self.graph.value_edges(key) if follows(edge))
                following -= self.found
            if not whole and len(self.found) + len(following) > LIMITS.closure:
                break
        self.found |= following
        self.frontier = sorted(following)
