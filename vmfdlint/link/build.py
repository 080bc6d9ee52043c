"""Build evidence: which files are linked together, where the tree's own build says so.

In: the targets of each file. Out: the programs of a file, and which of several definitions one calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping


class Build:
    """Targets by file, for the files that a build lists; empty where nothing is known of a build."""

    def __init__(self, targets: Mapping[str, tuple[str, ...]]) -> None:
        self._targets = targets
        self._members: dict[str, list[str]] = defaultdict(list)
        for path, names in targets.items():
            for name in names:
                self._members[name].append(path)

    @property
    def is_known(self) -> bool:
        """Whether a build says anything."""
        return bool(self._targets)

    def programs(self, path: str, mains: Iterable[str]) -> frozenset[str]:
        """Those of the files ``mains`` that are built into a target with ``path``; empty where the build does
        not say (a file it does not name, a static library that others link)."""
        together = {other for name in self._targets.get(path, ()) for other in self._members[name]}
        return frozenset(main for main in mains if main in together)

    def beside(self, path: str, others: Iterable[str]) -> frozenset[str]:
        """Those of ``others`` that share a target with ``path``; where the build names none, those it lists
        at all."""
        if path not in self._targets:
            return frozenset()
        own = set(self._targets[path])
        listed = [other for other in others if other in self._targets]
        shared = frozenset(other for other in listed if not own.isdisjoint(self._targets[other]))
        return shared or frozenset(listed)
