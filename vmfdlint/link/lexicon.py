"""Which files hold a name: the scans of all files as one inverted index.

In: one Scan a file. Out: paths for a token, paths for a definition. No file is parsed here.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from vmfdlint.base import SourceText, unpacked
from vmfdlint.frontends.contract import Scan
from vmfdlint.link.build import Build
from vmfdlint.link.postings import Postings
from vmfdlint.link.sight import Sight

KINDS = ("functions", "macros", "types", "variables")


class Reach(NamedTuple):
    """The files that a file may include directly; and all that it includes, with all that it may, directly or
    not."""

    direct: frozenset[str]
    all: tuple[frozenset[str], frozenset[str]]


class Lexicon:
    """The program as names. Implements the ``Index`` that front-ends ask.

    Two names with one number (``base.number_of``) make ``files_with`` name a file too many, which costs a
    parse and changes no answer. Of the files that define a name the text has the last word.
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
        self._scans = scans
        self._holding = Postings(scans[path].tokens for path in self.paths)
        self._defining = {kind: Postings(getattr(scans[path], kind) for path in self.paths) for kind in KINDS}
        self._defined: dict[tuple[str, str], tuple[str, ...]] = {}
        self._by_basename: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for path in self.paths:
            parts = tuple(part for part in path.split("/") if part not in ("", "."))
            self._by_basename[parts[-1] if parts else ""].append((path, parts))
        self._leading: dict[tuple[str, str], list[str]] = {}
        """By what is included, and the directory of the file that does: the files that it may be."""
        self._includes: dict[str, tuple[str, ...]] = {}
        self._may_include: dict[str, tuple[str, ...]] = {}
        self._sights: dict[tuple[str, str], Container[str]] = {}
        self._closure: dict[str, dict[str, int]] = {}
        self.sought: set[str] = set()
        """Every name of which was asked where it stands."""
        self.asked: set[str] = set()
        """Every name of which was asked where it is defined."""

    def source(self, path: str) -> SourceText:
        """The bytes of a file of the program; KeyError for a path outside it."""
        return self.sources[path]

    def functions_of(self, path: str) -> frozenset[int]:
        """The functions a file defines, as its scan guesses: the numbers of their names."""
        return unpacked(self._scans[path].functions)

    def written(self, path: str) -> tuple[str, ...]:
        """The names of what a file includes, as they stand there."""
        return self._scans[path].includes

    def files_with(self, token: str) -> tuple[str, ...]:
        """Paths of the files that hold the identifier (or path literal) ``token``, sorted."""
        self.sought.add(token)
        return tuple(self.paths[number] for number in self._holding.files(token))

    def defined(self, kind: str, name: str) -> tuple[str, ...]:
        """Paths of all files that define ``name``, sorted."""
        known = self._defined.get((kind, name))
        if known is None:
            self.asked.add(name)
            stretch = name.encode("utf-8", "surrogatepass")
            found = (self.paths[number] for number in self._defining[kind].files(name))
            known = tuple(path for path in found if stretch in self.sources[path].data)
            self._defined[(kind, name)] = known
        return known

    def some_defined(self, kind: str, names: Sequence[str]) -> list[str]:
        """Those of many names that a file defines, and perhaps a few more."""
        self.asked.update(names)
        return self._defining[kind].known(names)

    def defining(self, kind: str, name: str, near: str) -> tuple[str, ...]:
        """As :meth:`defined`, the likeliest first for code in ``near``."""
        paths = self.defined(kind, name)
        if len(paths) < 2:
            return paths
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
        if known is None:
            known = self._closure[path] = self._depths(path, self._direct_includes(path))
        return known

    def _depths(self, path: str, direct: tuple[str, ...]) -> dict[str, int]:
        """As :meth:`included`, for a file that includes ``direct``."""
        depth = {path: 0}
        frontier = [path]
        while frontier and len(depth) < 600:
            following: list[str] = []
            for current in frontier:
                for target in direct if current == path else self._direct_includes(current):
                    if target not in depth:
                        depth[target] = depth[current] + 1
                        following.append(target)
            frontier = following
        del depth[path]
        return depth

    def _direct_includes(self, path: str) -> tuple[str, ...]:
        known = self._includes.get(path)
        if known is None:
            known = self._includes[path] = self._likeliest(self.written(path), path)
        return known

    def _likeliest(self, names: Iterable[str], near: str) -> tuple[str, ...]:
        """The file that each include leads to, of those that lead to one."""
        found = (self._named(name, near) for name in names)
        return tuple(min(paths, key=len) for paths in found if paths)

    def reach(self, names: Sequence[str], near: str) -> Reach:
        """What a file with these includes would see."""
        direct = frozenset(path for name in names for path in self._named(name, near))
        sure = frozenset(self._depths(near, self._likeliest(names, near)))
        return Reach(direct, (sure, _closure(direct, self.may_include)))

    def including(self, paths: Iterable[str]) -> frozenset[str]:
        """Files that may include one of some, directly or not, and these themselves."""
        includers: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            for target in self.may_include(path):
                includers[target].append(path)
        return _closure(paths, lambda path: includers.get(path, ()))

    def may_include(self, path: str) -> tuple[str, ...]:
        """Every file that what a file includes may name."""
        known = self._may_include.get(path)
        if known is None:
            found = (target for name in self.written(path) for target in self._named(name, path))
            known = self._may_include[path] = tuple(found)
        return known

    def _named(self, name: str, near: str) -> list[str]:
        """The files that an include most likely names: of those whose path ends with it the nearest."""
        asked = name, near.rpartition("/")[0]
        found = self._leading.get(asked)
        if found is None:
            found = self._leading[asked] = self._find_named(name, near)
        return found

    def _find_named(self, name: str, near: str) -> list[str]:
        parts = tuple(part for part in name.split("/") if part not in ("", ".", ".."))
        known = self._by_basename.get(parts[-1], ()) if parts else ()
        found = [path for path, steps in known if steps[-len(parts) :] == parts]
        if len(found) < 2:
            return found
        shared = [common_directories(path, near) for path in found]
        most = max(shared)
        return [path for path, count in zip(found, shared, strict=True) if count == most]

    def sight(self, kind: str, name: str) -> Container[str]:
        """The files that see a declaration of a name, in a role as in :meth:`defined`; all where none is
        known."""
        if (kind, name) not in self._sights:
            declaring = self.defined(kind, name)
            self._sights[(kind, name)] = Sight(self.may_include, declaring) if declaring else self.sources
        return self._sights[(kind, name)]


def _closure(paths: Iterable[str], following: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Some paths, and all that follow from them."""
    found = set(paths)
    pending = list(found)
    while pending:
        fresh = set(following(pending.pop())) - found
        found |= fresh
        pending += fresh
    return frozenset(found)


def common_directories(left: str, right: str) -> int:
    """How many leading directories two paths share."""
    count = 0
    for one, other in zip(left.split("/")[:-1], right.split("/")[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count
