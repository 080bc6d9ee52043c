"""Which programs of a tree a function belongs to: one tree holds many, and each begins in a main().

In: the call graph. Out: paths of the files with the main(), on demand.
"""

from collections.abc import Callable

from vmfdlint.ir import FunctionKey
from vmfdlint.link import CallGraph, Edge, common_directories
from vmfdlint.summary.climb import Climb


class Membership:
    """Memoised answers on single functions."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.program = graph.program
        self._mains: dict[FunctionKey, frozenset[str]] = {}
        self._sure: dict[FunctionKey, frozenset[str]] = {}
        self._all: dict[FunctionKey, frozenset[str]] = {}
        self._near: dict[str, frozenset[str]] = {}
        self._above: dict[tuple[FunctionKey, bool], frozenset[str]] = {}

    def mains(self, key: FunctionKey) -> frozenset[str]:
        """Paths of the files whose ``main`` is nearest above ``key``: the programs it most likely belongs to.

        A build that says what the file is linked into decides. Empty where the bounded climb meets none.
        """
        known = self._mains.get(key)
        if known is not None:
            return known
        lexicon = self.program.lexicon
        built = lexicon.build.programs(key.path, lexicon.defined("functions", "main"))
        if built:
            self._mains[key] = built
            return built
        mains = self._mains[key] = self._mains_above(key, lambda _edge: True)
        return mains

    def may_belong(self, key: FunctionKey) -> frozenset[str]:
        """As :meth:`mains`, but all whose calls by name lead there, not the nearest alone. Where there are
        none, those too that stand nearest: a table that a build generates may name the function."""
        if key.path in self.program.entries:
            return frozenset((key.path,))
        if self._by_name(key):
            known = self._all.get(key)
            if known is None:
                known = self._all[key] = self._mains_above(key, lambda _edge: False, nearest=False)
            return known
        return self.mains(key) | self._nearest(key.path)

    def _nearest(self, path: str) -> frozenset[str]:
        directory = path.rpartition("/")[0]
        known = self._near.get(directory)
        if known is None:
            entries = self.program.entries
            shared = [common_directories(entry, path) for entry in entries]
            most = max(shared, default=0)
            found = (entry for entry, count in zip(entries, shared, strict=True) if count == most)
            known = self._near[directory] = frozenset(found)
        return known

    def meets(self, key: FunctionKey, other: FunctionKey) -> bool:
        """Whether calls by name lead to a function, if not from a main(), from a file in which something
        stands that leads to another one: a file is linked as a whole."""
        if self._by_name(key):
            return False
        return not self._files_above(key, by_name=True).isdisjoint(self._files_above(other, by_name=False))

    def _files_above(self, key: FunctionKey, by_name: bool) -> frozenset[str]:
        known = self._above.get((key, by_name))
        if known is None:
            climb, _mains = self._climbed(key, lambda _edge: not by_name, nearest=True)
            known = self._above[(key, by_name)] = frozenset(one.path for one in climb.found)
        return known

    def is_linked(self, key: FunctionKey) -> bool:
        """Whether calls by name lead to a function from a main(), or it cannot be named elsewhere. So it is
        with alternative definitions, of which a call takes the nearest, where a build tells, and in a
        language that binds its names: no code of it is generated."""
        lexicon = self.program.lexicon
        if lexicon.build.is_known or len(lexicon.defined("functions", key.name)) > 1:
            return True
        if self.program.bound(key.path) is not None:
            return True
        hidden = "static" in self.program.attributes(key) and not self.graph.named_by(key)[1]
        return hidden or bool(self._by_name(key))

    def _by_name(self, key: FunctionKey) -> frozenset[str]:
        known = self._sure.get(key)
        if known is None:
            known = self._sure[key] = self._mains_above(key, lambda _edge: False)
        return known

    def _mains_above(
        self, key: FunctionKey, follows: Callable[[Edge], bool], nearest: bool = True
    ) -> frozenset[str]:
        return self._climbed(key, follows, nearest)[1]

    def _climbed(
        self, key: FunctionKey, follows: Callable[[Edge], bool], nearest: bool
    ) -> tuple[Climb, frozenset[str]]:
        climb = Climb(self.graph, (key,))
        mains: frozenset[str] = frozenset()
        while climb.frontier and not (mains and nearest) and not climb.is_wide:
            mains |= frozenset(one.path for one in climb.frontier if self.program.is_entry(one))
            if not (mains and nearest):
                climb.step(follows, whole=False)
        return climb, mains
