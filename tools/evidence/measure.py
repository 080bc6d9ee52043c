"""Runs every case under every oracle there is, and holds what vmfdlint says of the program beside it."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tools.evidence import kernel, place
from tools.evidence.build import PLAY, build
from tools.evidence.cases import PROGRAMS, Case
from tools.evidence.played import Played
from tools.evidence.run import Oracle, run
from tools.evidence.shown import shows, told
from tools.trees import Unreadable
from vmfdlint.app import analyze, rule_docs
from vmfdlint.base import SourceText
from vmfdlint.config import Options

ORACLES = ("kvm", "fifo")
_AT_ONCE = 8
"""Runs side by side: most of the time of each is spent asleep."""


class Result(msgspec.Struct, frozen=True):
    """One program under one oracle. ``skipped`` says why it was not run, and then nothing was seen."""

    case: Case
    clean: bool
    oracle: str
    shown: bool = False
    observed: str = ""
    skipped: str = ""
    failed: str = ""

    @property
    def program(self) -> str:
        """The name of its file."""
        return self.case.twin if self.clean else self.case.program


def measure(
    cases: Sequence[Case], oracles: Sequence[str] = ORACLES, programs: Path = PROGRAMS
) -> list[Result]:
    """Every program of the cases, which lie in ``programs``, under the oracles, in their order. Raises
    Unreadable."""
    runs = [(case, clean, name) for case in cases for clean in (False, True) for name in oracles]
    with TemporaryDirectory(prefix="vmfdlint-evidence-") as folder, _kernel(oracles) as real:
        directory = Path(folder)
        sources = {programs / name for case in cases for name in (case.program, case.twin)}
        built = build(sorted({PLAY, *(path for path in sources if path.suffix == ".c")}), directory)

        def one(asked: tuple[Case, bool, str]) -> Result:
            case, clean, name = asked
            result = Result(case, clean, name)
            if reason := _skipped(case, name):
                return msgspec.structs.replace(result, skipped=reason)
            source = programs / result.program
            command = [str(built[source])] if source in built else [sys.executable, str(source)]
            program = Path(os.path.realpath(command[0])).name
            with TemporaryDirectory(dir=directory) as own:
                oracle: Oracle = real if name == "kvm" and real else Played(built[PLAY], Path(own))
                try:
                    with place.place(case.needs, command) as around:
                        seen = run(around, program, oracle)
                    if not seen.released:
                        return msgspec.structs.replace(result, failed="the VM outlived all its holders")
                    return msgspec.structs.replace(
                        result, shown=shows(case.shows, seen), observed=told(case.shows, seen)
                    )
                except Unreadable as error:
                    return msgspec.structs.replace(result, failed=str(error))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = list(pool.map(one, runs))
        # Once more and alone, for a machine that was busy.
        return [
            result if _expected(result) else one(asked) for asked, result in zip(runs, results, strict=True)
        ]


def _expected(result: Result) -> bool:
    return bool(result.skipped) or (not result.failed and result.shown != result.clean)


@contextmanager
def _kernel(oracles: Sequence[str]) -> Iterator[kernel.Kernel | None]:
    if "kvm" not in oracles or kernel.missing():
        yield None
        return
    real = kernel.Kernel()
    try:
        yield real
    finally:
        real.close()


def _skipped(case: Case, oracle: str) -> str:
    """Why a case is not run under an oracle; "" if it is."""
    if oracle == "fifo":
        return case.only
    if case.needs and shutil.which("unshare") is None:
        return "no unshare(1)"
    return kernel.missing() or place.missing(case.needs)


def findings(cases: Sequence[Case], programs: Path = PROGRAMS) -> dict[str, frozenset[str]]:
    """Program -> the rules that vmfdlint finds in it. Each is a program of its own, all are read at once."""
    names = sorted({name for case in cases for name in (case.program, case.twin)})
    sources = tuple(SourceText(name, (programs / name).read_bytes()) for name in names)
    every = frozenset(rule.id for rule in rule_docs())
    outcome = analyze(sources, Options(rules=every, jobs=1))
    return {name: frozenset(one.rule for one in outcome.findings if one.at.path == name) for name in names}
