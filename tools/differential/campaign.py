"""Plans -> results: the programs are built and run on every path, and checked, side by side."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tools.differential.observe import Run, build, files_of, observe
from tools.differential.plan import Plan
from tools.differential.verdict import Verdict, causes, check, compare
from tools.evidence import kernel
from tools.evidence.build import PLAY
from tools.evidence.build import build as build_play
from tools.evidence.played import Played
from tools.evidence.run import Oracle
from tools.trees import Unreadable
from vmfdlint.finding import Finding

_AT_ONCE = 8
"""Runs side by side: most of the time of each is spent asleep."""


class Result(msgspec.Struct, frozen=True):
    """One program. ``failed`` says why it could not be run, and then there is no verdict."""

    plan: Plan
    oracle: str
    verdict: Verdict | None = None
    runs: tuple[Run, ...] = ()
    failed: str = ""

    @property
    def agrees(self) -> bool:
        return self.verdict is not None and not self.verdict.wrong


class Campaign:
    """Where programs are run. ``oracle``: "fifo", or "kvm" for the real one."""

    def __init__(self, folder: Path, oracle: str) -> None:
        self._folder = folder
        self.oracle = oracle
        self._library = build_play([PLAY], folder)[PLAY]
        self._real = kernel.Kernel() if oracle == "kvm" else None

    def close(self) -> None:
        if self._real:
            self._real.close()

    def run(self, plan: Plan, findings: Sequence[Finding]) -> Result:
        """Builds and runs one program, and compares."""
        with TemporaryDirectory(dir=self._folder) as own:
            folder = Path(own)
            try:
                runs = observe(plan, build(plan, folder), lambda: self._asked(folder))
            except Unreadable as error:
                return Result(plan, self.oracle, failed=str(error))
        real = self.oracle == "kvm"
        seen = causes(runs, kernel=real, python=plan.language == "Python")
        return Result(plan, self.oracle, compare(seen, findings, kernel=real), runs)

    @contextmanager
    def _asked(self, folder: Path) -> Iterator[Oracle]:
        if self._real:
            yield self._real
            return
        with TemporaryDirectory(dir=folder) as own:
            yield Played(self._library, Path(own))


@contextmanager
def campaign(oracle: str) -> Iterator[Campaign]:
    """Raises Unreadable where the oracle cannot be asked."""
    if oracle == "kvm" and (why := kernel.missing()):
        raise Unreadable(why)
    with TemporaryDirectory(prefix="vmfdlint-differential-") as folder:
        one = Campaign(Path(folder), oracle)
        try:
            yield one
        finally:
            one.close()


def run_all(plans: Sequence[Plan], oracle: str) -> list[Result]:
    """All of them, in their order; what disagrees is run once more and alone, for a busy machine."""
    with campaign(oracle) as place:
        with ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn")) as pool:
            found = list(pool.map(_check, plans, chunksize=8))
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            results = list(threads.map(place.run, plans, found))
        return [
            one if one.agrees else place.run(one.plan, each) for one, each in zip(results, found, strict=True)
        ]


def _check(plan: Plan) -> tuple[Finding, ...]:
    return check(files_of(plan))
