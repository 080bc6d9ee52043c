"""Which files hold a name: the scans of all files as one inverted index, held in two arrays.

In: one Scan a file. Out: paths for a token, paths for a definition. No file is parsed here.
"""

from collections import defaultdict
from collections.abc import Mapping
from zlib import crc32

import numpy

from vmfdlint.base import SourceText
from vmfdlint.frontends.contract import Scan
from vmfdlint.link.build import Build

KINDS = ("functions", "macros", "types", "variables")


class Lexicon:
    """The program as names. Implements the ``Index`` that front-ends ask.

    A CRC-32 collision makes ``files_with`` name a file too many, which costs a parse and changes no answer.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceText],
        scans: Mapping[str, Scan],
        targets: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.sources = dict(sorted(sources.items()))
        self.build = Build(targets or {})
        self.paths = tuple(self.sources)
        tokens: list[numpy.ndarray] = []
        owners: list[numpy.ndarray] = []
        self._defining: dict[str, dict[str, list[str]]] = {kind: defaultdict(list) for kind in KINDS}
        self._functions: dict[str, frozenset[str]] = {}
        self._written: dict[str, tuple[str, ...]] = {}
        for number, path in enumerate(self.paths):
            scan = scans[path]
            found = numpy.frombuffer(scan.tokens, dtype="<u4")
            tokens.append(found)
            owners.append(numpy.full(len(found), number, dtype=numpy.uint32))
            self._functions[path] = frozenset(scan.functions)
            if scan.includes:
                self._written[path] = scan.includes
            for kind in KINDS:
                table = self._defining[kind]
                for name in getattr(scan, kind):
                    table[name].append(path)
        every = numpy.concatenate(tokens) if tokens else numpy.empty(0, dtype="<u4")
        order = numpy.argsort(every, kind="stable")
        self._tokens = every[order]
        self._owners = numpy.concatenate(owners)[order] if owners else numpy.empty(0, dtype=numpy.uint32)
        self._by_basename: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for path in self.paths:
            parts = tuple(part for part in path.split("/") if part not in ("", "."))
            self._by_basename[parts[-1] if parts else ""].append((path, parts))
        self._includes: dict[str, tuple[str, ...]] = {}
        self._closure: dict[str, dict[str, int]] = {}
        self.asked: set[str] = set()
        """Every name that was asked for, as a token or as one that is defined."""

    def source(self, path: str) -> SourceText:
        """The bytes of a file of the program; KeyError for a path outside it."""
        return self.sources[path]

    def functions_of(self, path: str) -> frozenset[str]:
        """Names of the functions a file defines, as its scan guesses."""
        return self._functions[path]

    def written(self, path: str) -> tuple[str, ...]:
        """The names of what a file includes, as they stand there."""
        return self._written.get(path, ())

    def files_with(self, token: str) -> tuple[str, ...]:
        """Paths of the files that hold the identifier (or path literal) ``token``, sorted."""
        self.asked.add(token)
        wanted = numpy.uint32(crc32(token.encode()))  # a plain int would have numpy widen all tokens
        low = int(numpy.searchsorted(self._tokens, wanted, side="left"))
        high = int(numpy.searchsorted(self._tokens, wanted, side="right"))
        return tuple(self.paths[number] for number in sorted(self._owners[low:high].tolist()))

    def defined(self, kind: str, name: str) -> tuple[str, ...]:
        """Paths of all files that define ``name``, sorted."""
        self.asked.add(name)
        return tuple(self._defining[kind].get(name, ()))

    def defining(self, kind: str, name: str, near: str) -> tuple[str, ...]:
        """As :meth:`defined`, the likeliest first for code in ``near``."""
        self.asked.add(name)
        paths = self._defining[kind].get(name)
        if not paths:
            return ()
        if len(paths) == 1:
            return tuple(paths)
        included = self.included(near)
        return tuple(
            sorted(
                paths,
                key=lambda path: (
                    path != near,
                    included.get(path, 1_000),
                    -common_directories(path, near),
                    path,
                ),
            )
        )

    def included(self, path: str) -> dict[str, int]:
        """Files of the program that ``path`` includes, directly or not -> the depth (1 for a direct
        include)."""
        known = self._closure.get(path)
        if known is not None:
            return known
        depth = {path: 0}
        frontier = [path]
        while frontier and len(depth) < 600:
            following: list[str] = []
            for current in frontier:
                for target in self._direct_includes(current):
                    if target not in depth:
                        depth[target] = depth[current] + 1
                        following.append(target)
            frontier = following
        del depth[path]
        self._closure[path] = depth
        return depth

    def _direct_includes(self, path: str) -> tuple[str, ...]:
        known = self._includes.get(path)
        if known is not None:
            return known
        found = (self._find_include(name, path) for name in self.written(path))
        self._includes[path] = tuple(target for target in found if target)
        return self._includes[path]

    def _find_include(self, name: str, near: str) -> str:
        """The file an include most likely names: the one whose path ends with it, the nearest first."""
        parts = tuple(part for part in name.split("/") if part not in ("", ".", ".."))
        if not parts:
            return ""
        best = ""
        rank = (-1, 0)
        for path, steps in self._by_basename.get(parts[-1], ()):
            if steps[-len(parts) :] != parts:
                continue
            here = (common_directories(path, near), -len(path))
            if here > rank:
                best, rank = path, here
        return best


def common_directories(left: str, right: str) -> int:
    """How many leading directories two paths share."""
    count = 0
    for one, other in zip(left.split("/")[:-1], right.split("/")[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count
