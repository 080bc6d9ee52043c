"""Sources to a solved program: scan, link, solve. Called by the app; knows the rooms up to solve.

Crashes in one file or one function become Problems with the file's name; the run goes on.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import msgspec

from vmfdlint.base import Problem, SourceText
from vmfdlint.cache import NOTHING, Rows
from vmfdlint.engine.early import Since, early_run
from vmfdlint.engine.read import Files, Target, aliases, read_files
from vmfdlint.frontends import c
from vmfdlint.link import KeptUnits, Lexicon, Program, Told, WholeLexicon, WholeProgram
from vmfdlint.models import Models
from vmfdlint.run import Workers
from vmfdlint.solve import Solver


class Solved(msgspec.Struct, frozen=True):
    """A solved program with the time each room took, in seconds, and what went wrong. ``kept`` is what of it
    goes into the cache, None without one. The solver is an ``Early`` one where that was enough."""

    solver: Solver
    problems: tuple[Problem, ...]
    seconds: tuple[tuple[str, float], ...]
    kept: KeptUnits | None


class Before(Since, Protocol):
    """What an earlier analysis says of the files of this one."""

    @property
    def read(self) -> Files:
        """The files, as their front-ends read them."""

    @property
    def lexicon(self) -> Lexicon:
        """Which of them hold a name."""

    @property
    def told(self) -> Told:
        """What need not be asked again."""

    @property
    def follows_up(self) -> bool:
        """Whether little changed since."""

    @property
    def kept(self) -> KeptUnits:
        """Its files, as far as they are lowered."""


def solve(
    sources: tuple[SourceText, ...],
    models: Models,
    workers: Workers | int,
    target: Target | None = None,
    tell: Callable[[str], None] = lambda _text: None,
    rows: Rows = NOTHING,
    before: Before | None = None,
    enough: Callable[[Solved], bool] | None = None,
) -> Solved:
    """Scans ``sources`` over the cores, then follows descriptors through them on demand. ``tell`` hears often
    what is done; ``rows`` holds what was read of the same files before, ``before`` what of an earlier
    analysis still holds. ``enough`` is asked, once those descriptors are followed that meet what changed
    since, whether the others are wanted."""
    started = perf_counter()
    tell(f"reading {len(sources):,} files")
    target = target or Target()
    read = read_files(sources, models, workers, target, tell, rows) if before is None else before.read
    scanned = perf_counter()

    def watch(count: int) -> None:
        tell(f"following descriptors: {count:,} functions read")

    program, kept = linked(sources, target, read, rows, watch, before)
    joined = perf_counter()
    solver = Solver(program, models, aliases)

    def solved(by: Solver) -> Solved:
        seconds = (scanned - started, joined - scanned, perf_counter() - joined)
        problems = tuple(dict.fromkeys((*read.problems, *program.problems, *program.unread)))
        return Solved(by, problems, tuple(zip(("scan", "link", "solve"), seconds, strict=True)), kept)

    if before is not None and enough is not None and before.follows_up:
        early = early_run(solver, before)
        if early is not None and enough(found := solved(early)):
            return found
    solver.run()
    return solved(solver)


def linked(
    sources: tuple[SourceText, ...],
    target: Target,
    read: Files,
    rows: Rows,
    watch: Callable[[int], None],
    before: Before | None = None,
) -> tuple[Program, KeptUnits | None]:
    """The program of files that were read, and what of them is kept; nothing is followed yet."""
    joined = WholeProgram if target.exhaustive else Program
    lexicon = lexicon_of(sources, target, read) if before is None else before.lexicon
    kept = None
    if rows is not NOTHING:
        kept = before.kept if before is not None else kept_units(rows, lexicon)
    program = joined(lexicon, c.open_unit if kept is None else kept.open, watch, read.library)
    if kept is not None:
        program.told = Told() if before is None else before.told
    return program, kept


def kept_units(rows: Rows, lexicon: Lexicon, holds: Callable[[str], bytes] = lambda _path: b"") -> KeptUnits:
    """The C files of a program, as an earlier run lowered them; see there for ``holds``."""
    return KeptUnits(rows, lexicon, c.open_unit, c.seen_by_others, holds)


def lexicon_of(sources: tuple[SourceText, ...], target: Target, read: Files) -> Lexicon:
    """Which files hold a name."""
    indexed = WholeLexicon if target.exhaustive else Lexicon
    return indexed({source.path: source for source in sources}, read.scans, read.built)


def load_program(
    sources: tuple[SourceText, ...], models: Models, workers: Workers | int, target: Target | None = None
) -> Program:
    """The program by names, nothing followed."""
    target = target or Target()
    read = read_files(sources, models, workers, target, lambda _text: None, NOTHING)
    return linked(sources, target, read, NOTHING, lambda _count: None)[0]
