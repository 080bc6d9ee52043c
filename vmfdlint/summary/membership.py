"""Which programs of a tree a function belongs to: one tree holds many, and each begins in a main().

In: the call graph. Out: paths of the files with the main(), on demand.
"""

from typing import NamedTuple

from vmfdlint.ir import FunctionKey
from vmfdlint.link import CallGraph, common_directories
from vmfdlint.summary.climb import Climb


class _Above(NamedTuple):
    """What a climb from a function met: files with a main(), and the files of all that it went through."""

    mains: frozenset[str]
    files: frozenset[str]


class Membership:
    """Memoised answers on single functions."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.program = graph.program
        self._mains: dict[FunctionKey, frozenset[str]] = {}
        self._all: dict[FunctionKey, frozenset[str]] = {}
        self._near: dict[str, frozenset[str]] = {}
        self._climbs: dict[tuple[FunctionKey, bool], _Above] = {}

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
        mains = self._mains[key] = self._above(key, by_name=False).mains
        return mains

    def may_belong(self, key: FunctionKey) -> frozenset[str]:
        """As :meth:`mains`, but all whose calls by name lead there, not the nearest alone. Where there are
        none, those too that stand nearest: a table that a build generates may name the function."""
        if key.path in self.program.entries:
            return frozenset((key.path,))
        if self._by_name(key):
            known = self._all.get(key)
            if known is None:
                known = self._all[key] = self._climbed(key, by_name=True, nearest=False).mains
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
        return not self._above(key, by_name=True).files.isdisjoint(self._above(other, by_name=False).files)

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
        return self._above(key, by_name=True).mains

    def _above(self, key: FunctionKey, by_name: bool) -> _Above:
        known = self._climbs.get((key, by_name))
        if known is None:
            known = self._climbs[(key, by_name)] = self._climbed(key, by_name, nearest=True)
        return known

    def _climbed(self, key: FunctionKey, by_name: bool, nearest: bool) -> _Above:
        climb = Climb(self.graph, (key,))
        mains: frozenset[str] = frozenset()
        while climb.frontier and not (mains and nearest) and not climb.is_wide:
            mains |= frozenset(one.path for one in climb.frontier if self.program.is_entry(one))
            if not (mains and nearest):
                climb.step(lambda _edge: not by_name, whole=False)
        return _Above(mains, frozenset(one.path for one in climb.found))
