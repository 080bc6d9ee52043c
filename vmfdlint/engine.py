"""Sources to a solved program: scan, link, solve. Called by the app; knows the rooms up to solve.

Crashes in one file or one function become Problems with the file's name; the run goes on.
"""

from collections.abc import Callable, Mapping
from time import perf_counter

import msgspec

from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.frontends import c
from vmfdlint.frontends.contract import Scan
from vmfdlint.link import Lexicon, Program
from vmfdlint.models import Models
from vmfdlint.run import Crash, Pool
from vmfdlint.solve import Solver


class Solved(msgspec.Struct, frozen=True):
    """A solved program with the time each room took, in seconds, and what went wrong."""

    solver: Solver
    problems: tuple[Problem, ...]
    seconds: tuple[tuple[str, float], ...]


def solve(
    sources: tuple[SourceText, ...],
    models: Models,
    jobs: int,
    targets: Mapping[str, tuple[str, ...]] | None = None,
    tell: Callable[[str], None] = lambda _text: None,
) -> Solved:
    """Scans ``sources`` over the cores, then follows descriptors through them on demand.

    ``targets`` is what each file is built into, where that is known. ``tell`` hears often what is done.
    """
    started = perf_counter()
    tell(f"reading {len(sources):,} files")
    scans, problems = _scan(sources, jobs)
    scanned = perf_counter()
    lexicon = Lexicon({source.path: source for source in sources}, scans, targets)
    program = Program(
        lexicon, c.open_unit, lambda count: tell(f"following descriptors: {count:,} functions read")
    )
    linked = perf_counter()
    solver = Solver(program, models, c.aliases)
    solver.run()
    ended = perf_counter()
    seconds = (("scan", scanned - started), ("link", linked - scanned), ("solve", ended - linked))
    return Solved(solver, (*problems, *program.problems, *program.unread), seconds)


def load_program(sources: tuple[SourceText, ...], models: Models, jobs: int) -> Program:
    """The program by names, nothing followed."""
    scans, _problems = _scan(sources, jobs)
    return Program(Lexicon({source.path: source for source in sources}, scans), c.open_unit)


def _scan(sources: tuple[SourceText, ...], jobs: int) -> tuple[dict[str, Scan], list[Problem]]:
    scans: dict[str, Scan] = {}
    problems: list[Problem] = []
    with Pool(jobs) as pool:
        results = pool.map(_scan_one, sources, lambda source: source.path)
    for source, result in zip(sources, results, strict=True):
        if isinstance(result, Crash):
            scans[source.path] = Scan(b"")
            problems.append(Problem(ProblemKind.CRASH, f"{source.path}: {result.text}", source.path))
        else:
            scans[source.path] = result.value
    return scans, problems


def _scan_one(source: SourceText) -> Scan:
    return c.scan(source.data)
