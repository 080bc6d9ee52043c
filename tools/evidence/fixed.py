"""Programs of the evidence with their fixes in them: the hazard must be gone under the same oracles."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tools.evidence.cases import PROGRAMS, Case
from tools.evidence.measure import ORACLES, findings, measure
from tools.evidence.table import Row, rows
from vmfdlint.app import analyze, rule_docs
from vmfdlint.base import SourceText
from vmfdlint.config import Options
from vmfdlint.finding import Outcome
from vmfdlint.fix import applied, fixable, offer


def measure_fixed(cases: Sequence[Case], oracles: Sequence[str] = ORACLES) -> tuple[list[Row], list[str]]:
    """The programs that fixes are offered for, as they are and fixed, under the oracles; and a line for each
    that says what was done. Raises Unreadable."""
    with TemporaryDirectory(prefix="vmfdlint-fixed-") as folder:
        directory = Path(folder)
        fixed = write_fixed(cases, directory)
        found: dict[str, frozenset[str]] = {}
        for one in fixed:
            # Each alone: what one program says of its workers is not for its other form.
            for name in (one.case.program, one.case.twin):
                alone = msgspec.structs.replace(one.case, program=name, twin=name)
                found |= findings([alone], directory)
        results = measure([one.case for one in fixed], oracles, directory)
    return rows(results, found), [f"{one.case.program}: {', '.join(one.titles)}" for one in fixed]


class Fixed(msgspec.Struct, frozen=True):
    """``case`` with the fixed program as its twin, and ``titles``, what was done to it."""

    case: Case
    titles: tuple[str, ...]


def write_fixed(cases: Sequence[Case], directory: Path) -> list[Fixed]:
    """The programs of the cases that fixes are offered for, into ``directory``: as they are, and fixed.

    Safe fixes and unsafe ones, each for the rule of its case alone.
    """
    options = Options(rules=frozenset(rule.id for rule in rule_docs()), jobs=1, diff=True)

    def analysis(sources: tuple[SourceText, ...]) -> Outcome:
        return analyze(sources, options)

    found = []
    for case in cases:
        if case.rule not in fixable():
            continue
        source = SourceText(case.program, (PROGRAMS / case.program).read_bytes())
        every = analysis((source,))
        wanted = [finding for finding in every.findings if finding.rule == case.rule]
        fixes = [
            fix for finding in offer(wanted, every, {source.path: source}, analysis) for fix in finding.fixes
        ]
        if not fixes:
            continue
        stem, _, suffix = case.program.rpartition(".")
        name = f"{stem}-fixed.{suffix}"
        made = applied({source.path: source}, fixes)
        (directory / case.program).write_bytes(source.data)
        (directory / name).write_bytes(made.sources[source.path].data)
        fixed = msgspec.structs.replace(case, twin=name, clean=(), known_clean="")
        found.append(Fixed(fixed, tuple(dict.fromkeys(fix.title for fix in fixes))))
    return found
