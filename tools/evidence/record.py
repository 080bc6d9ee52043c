"""Results -> rules/evidence/*.json: what `vmfdlint rule` shows and the tests hold the rules to."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tools.evidence.cases import PROGRAMS, Case, Sheet
from tools.evidence.measure import Result
from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Evidence, Measured, Proof

EVIDENCE = rules_directory() / "evidence"
_INCLUDES = re.compile(r"^#include .*\n", re.MULTILINE)
_FIRST = re.compile(r'\A(?:/\*\s*(.*?)\s*\*/|"""(.*?)""")', re.DOTALL)


def kernel_release() -> str:
    """Of the running kernel, without what its distributor added."""
    found = re.match(r"[\d.]+\d", platform.release())
    return found[0] if found else platform.release()


def says(program: str) -> str:
    """The first comment of a program, on one line."""
    found = _FIRST.match((PROGRAMS / program).read_text(encoding="utf-8"))
    return " ".join((found[1] or found[2]).split()) if found else ""


def code(program: str) -> str:
    """A program without its first comment and what it includes."""
    text = _FIRST.sub("", (PROGRAMS / program).read_text(encoding="utf-8"))
    return _INCLUDES.sub("", text).strip() + "\n"


def evidence(
    sheet: Sheet,
    results: Sequence[Result],
    found: Mapping[str, frozenset[str]],
    before: Mapping[str, Evidence],
) -> dict[str, Evidence]:
    """By rule id. What an oracle could not be asked now stays as it was ``before``."""
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    new = {
        (one.program, one.oracle): Measured(one.oracle, kernel_release(), today, one.shown, one.observed)
        for one in results
        if not one.skipped and not one.failed
    }
    old = {
        (proof.program, measured.oracle): measured
        for each in before.values()
        for proof in each.programs
        for measured in proof.measured
    }
    # Seen again as it was: the day of the first time stays, and with it the file.
    kept = {key: old[key] for key in new if key in old and _same(old[key], new[key])}
    measured = {**old, **new, **kept}
    proofs: dict[str, list[Proof]] = {}
    examples: set[tuple[str, str]] = set()
    for case in sheet.case:
        first = (case.rule, case.language) not in examples
        examples.add((case.rule, case.language))
        for clean in (False, True):
            proof = _proof(case, clean, found, measured, first)
            proofs.setdefault(case.rule, []).append(proof)
    told = {rule: Evidence(tuple(each)) for rule, each in proofs.items()}
    for source in sheet.source:
        programs = told[source.rule].programs if source.rule in told else ()
        told[source.rule] = Evidence(programs, source.lines, source.why)
    return told


def _same(one: Measured, other: Measured) -> bool:
    return msgspec.structs.replace(one, date=other.date) == other


def _proof(
    case: Case,
    clean: bool,
    found: Mapping[str, frozenset[str]],
    measured: Mapping[tuple[str, str], Measured],
    example: bool,
) -> Proof:
    program = case.twin if clean else case.program
    return Proof(
        program=program,
        clean=clean,
        says=says(program),
        repeats=case.clean if clean else case.flagged,
        found=case.rule in found[program],
        measured=tuple(
            measured[program, oracle] for oracle in ("kvm", "fifo") if (program, oracle) in measured
        ),
        known=case.known_clean if clean else case.known,
        kernel_only=case.only,
        text=code(program) if example else "",
    )


def write(told: Mapping[str, Evidence], directory: Path = EVIDENCE) -> Iterable[str]:
    """Writes one file a rule; gives the names of those that were not as they are now."""
    directory.mkdir(exist_ok=True)
    changed = []
    for rule, each in sorted(told.items()):
        path = directory / f"{rule}.json"
        data = msgspec.json.format(msgspec.json.encode(each), indent=1) + b"\n"
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
            changed.append(path.name)
    for path in directory.glob("*.json"):
        if path.stem not in told:
            path.unlink()
            changed.append(path.name)
    return changed
