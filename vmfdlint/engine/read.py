"""Sources to what their front-ends make of each file alone, over the cores; Python files are joined at once.

Crashes in one file become Problems with the file's name; the run goes on.
"""

from collections.abc import Callable, Mapping

import msgspec

from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.cache import NOTHING, Coding, Rows, digest, identity
from vmfdlint.frontends import c, python
from vmfdlint.frontends.contract import Scan
from vmfdlint.frontends.languages import PYTHON, language_of
from vmfdlint.models import Kind, Models
from vmfdlint.run import Crash, Done, Pool, Workers


class Target(msgspec.Struct, frozen=True):
    """What the sources are for. ``built`` is what each file is built into, where that is known; ``python``
    the version that Python files run on, on which some defaults hang. ``exhaustive`` reads all there is, for
    the same answers."""

    built: Mapping[str, tuple[str, ...]] = {}
    python: tuple[int, int] = python.DEFAULT_VERSION
    exhaustive: bool = False


class Files(msgspec.Struct):
    """Sources as their front-ends read them: scans of all, and the Python files among them joined."""

    scans: dict[str, Scan]
    library: python.Library
    built: Mapping[str, tuple[str, ...]]
    problems: list[Problem]


def read_files(
    sources: tuple[SourceText, ...],
    models: Models,
    workers: Workers | int,
    target: Target,
    tell: Callable[[str], None],
    rows: Rows,
) -> Files:
    """Scans of C files, IR of the Python files that matter; from the cache where ``rows`` has them."""
    scripts = tuple(source for source in sources if language_of(source) == PYTHON)
    others = {source.path for source in scripts}
    chosen = python.select(scripts, _hints(models))
    problems = list(chosen.problems)
    scans: dict[str, Scan] = {source.path: Scan(b"") for source in scripts}
    modules: dict[str, python.Module] = {}
    # Of files that only an exhaustive run reads nothing is said.
    told = {source.path for source in chosen.sources}
    taken = scripts if target.exhaustive else chosen.sources
    tasks = (*(source for source in sources if source.path not in others), *taken)
    for source, result in zip(tasks, _read_all(tasks, workers, tell, rows), strict=True):
        if isinstance(result, Crash):
            scans[source.path] = Scan(b"")
            problems.append(Problem(ProblemKind.CRASH, f"{source.path}: {result.text}", source.path))
        elif isinstance(result.value, Scan):
            scans[source.path] = result.value
        else:
            modules[source.path] = result.value
            # Said of every such file: what it makes of descriptors may be just what could not be read.
            if source.path in told:
                problems.extend(problem for problem in result.value.problems if problem.rough)
    library = python.Library(
        modules,
        lambda name: name in models.apis or models.is_neutral(name),
        {source.path: source for source in taken},
        fork_default=target.python < python.NO_FORK_BY_DEFAULT,
        python2=target.python < python.CLOSE_ON_EXEC_BY_DEFAULT,
        numbers={name: number for name, number in models.constants.items() if "." in name},
    )
    scans.update((path, library.scan(path)) for path in modules)
    return Files(scans, library, target.built, problems)


class _Kept(msgspec.Struct, frozen=True):
    """What the front-end of its language made of one file alone."""

    scan: Scan | None = None
    module: python.Module | None = None


_KEPT = Coding(_Kept)


def _key(path: str, content: str) -> bytes:
    return digest((identity(), b"read", path.encode(), content.encode()))


def scan_of(rows: Rows, path: str, content: str, source: SourceText | None = None) -> Scan | None:
    """The scan of a C file whose content has a hash; made where it is not kept and ``source`` is given."""
    kept = _KEPT.decode(rows.get((_key(path, content),)).get(_key(path, content)))
    if kept is not None:
        return kept.scan
    return c.scan(source.data) if source is not None else None


def _read_all(
    tasks: tuple[SourceText, ...], workers: Workers | int, tell: Callable[[str], None], rows: Rows
) -> "list[Done[Scan | python.Module] | Crash]":
    """What the front-ends make of each file alone: as it was kept, or read over the cores."""
    if rows is NOTHING:
        return _read_over_cores(tasks, workers, tell)
    keys = [_key(task.path, task.content_hash) for task in tasks]
    found = rows.get(keys)
    kept = [_KEPT.decode(found.get(key)) for key in keys]
    missing = tuple(task for task, one in zip(tasks, kept, strict=True) if one is None)
    made = iter(_read_over_cores(missing, workers, tell))
    results: list[Done[Scan | python.Module] | Crash] = []
    fresh: dict[bytes, bytes] = {}
    for key, one in zip(keys, kept, strict=True):
        value = None if one is None else one.scan or one.module
        result = next(made) if value is None else Done(value)
        results.append(result)
        if value is None and isinstance(result, Done):
            read = result.value
            row = _KEPT.encode(_Kept(scan=read) if isinstance(read, Scan) else _Kept(module=read))
            if row is not None:
                fresh[key] = row
    rows.put(fresh)
    return results


def _read_over_cores(
    tasks: tuple[SourceText, ...], workers: Workers | int, tell: Callable[[str], None]
) -> "list[Done[Scan | python.Module] | Crash]":
    def watch(done: int) -> None:
        tell(f"reading: {done:,} of {len(tasks):,} files")

    with Pool(workers, tell=tell) as pool:
        return pool.map(_read_one, tasks, lambda source: source.path, watch)


def _hints(models: Models) -> python.Hints:
    """What tells the Python files that are worth a parse. A file that moves processes alone is not: one that
    makes a VM has to import it."""
    paths = {hint for rule in models.paths if rule.kind is not Kind.CGROUP for hint in rule.hints}
    texts = {rule.stretch for rule in models.texts}
    links = {hint for rule in models.links for hint in rule.hints}
    names = models.interesting_names()
    return python.Hints(
        strong=tuple(sorted(text.encode() for text in {*texts, *links})),
        weak=tuple(sorted(path.encode() for path in paths)),
        requests={name: value for name, value in models.requests().items() if name in names},
        uses=models.telling_names(),
        used=models.telling_values(),
    )


def _read_one(source: SourceText) -> Scan | python.Module:
    return python.read(source) if language_of(source) == PYTHON else c.scan(source.data)


def aliases(source: SourceText, names: frozenset[str]) -> frozenset[str]:
    """Names that a file gives to constants: see :data:`vmfdlint.solve.solver.Aliases`."""
    return frozenset() if language_of(source) == PYTHON else c.aliases(source, names)
