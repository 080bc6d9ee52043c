"""Which Python files are read. In: sources and hints. Out: those with a hint, and those that belong to them.

A file with a strong hint can make a holder: whoever imports it may get one from it, so its importers are
read, and theirs. What these import is read for its classes, constants and wrappers, some steps far. A file
with a weak hint alone gives nobody a VM: no importer, and only what it imports itself.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from vmfdlint.base import LIMITS, Problem, ProblemKind, SourceText
from vmfdlint.frontends.python.hints import Hints, Search
from vmfdlint.frontends.python.import_graph import ImportGraph


class Selection(msgspec.Struct, frozen=True):
    """``sources`` are to be read, in the order they were given; ``strong`` and ``weak`` are the paths with a
    hint (a strong file is in ``strong`` alone), ``pulled`` those that came by imports."""

    sources: tuple[SourceText, ...] = ()
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    pulled: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def select(sources: Sequence[SourceText], hints: Hints, limit: int = LIMITS.pulled_files) -> Selection:
    """The Python files among ``sources`` (which hold nothing else) that are worth a parse."""
    search = Search(hints)
    strong: dict[str, None] = {}
    weak: dict[str, None] = {}
    for source in sources:
        if search.strong(source.data):
            strong[source.path] = None
        elif search.weak(source.data):
            weak[source.path] = None
    if not strong and not weak:
        return Selection()
    graph = ImportGraph(sources)
    chosen = dict.fromkeys((*strong, *weak))
    most = len(chosen) + limit
    # Importers first: where the limit is reached, they are what a holder may be given to.
    users, complete = _follow(strong, graph.importers, chosen, most)
    for start, steps in ((users, LIMITS.import_steps), (weak, 1)):
        _used, all_of_them = _follow(start, graph.imports, chosen, most, steps)
        complete = complete and all_of_them
    return Selection(
        tuple(source for source in sources if source.path in chosen),
        frozenset(strong),
        frozenset(weak),
        frozenset(chosen) - strong.keys() - weak.keys(),
        () if complete else (_limit_reached(limit),),
    )


def _follow(
    start: Iterable[str],
    following: Callable[[str], Iterable[str]],
    chosen: dict[str, None],
    most: int,
    steps: int | None = None,
) -> tuple[list[str], bool]:
    """What follows from ``start`` in so many steps, the nearest first, put into ``chosen`` too. False where
    that would have become more than ``most``."""
    found = list(start)
    seen = set(found)
    new = found
    while new and steps != 0:
        steps = None if steps is None else steps - 1
        following_ones = sorted({other for path in new for other in following(path)} - seen)
        new = []
        for other in following_ones:
            if other not in chosen and len(chosen) >= most:
                return found + new, False
            chosen[other] = None
            new.append(other)
        seen.update(new)
        found = found + new
    return found, True


def _limit_reached(limit: int) -> Problem:
    return Problem(
        ProblemKind.LIMIT,
        f"{limit:,} Python files were read because they import, or are imported by, files that touch a VM;"
        " the others were not: name a smaller directory, or --exclude what does not belong to it",
    )
