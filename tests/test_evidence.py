"""rules/evidence: every rule is proven, and what vmfdlint says of the programs is what was seen of them."""

import re
import tomllib
from pathlib import Path

import pytest
from literate import FIXTURES
from test_rules import CATALOGUE

from tools import cli as tools
from tools.evidence import kernel, place
from tools.evidence.cases import PROGRAMS, Case, read_cases
from tools.evidence.measure import ORACLES, Result, findings, measure
from tools.evidence.record import EVIDENCE, code, says
from tools.evidence.shown import Seen, shows, told
from tools.evidence.table import rows
from vmfdlint.rulebook import load_evidence

SHEET = read_cases()
RECORDED = load_evidence()
PROOFS = {proof.program: (rule, proof) for rule, each in RECORDED.items() for proof in each.programs}
SIDES = [(case, clean) for case in SHEET.case for clean in (False, True)]
NAMES = [case.twin if clean else case.program for case, clean in SIDES]
_MEASURED = 60
"""Of the measurements of the kernel so many are repeated by programs, at the least."""


def file_of(case: Case, clean: bool) -> str:
    return case.twin if clean else case.program


def first_of_each_rule() -> list[Case]:
    """The whole set takes half a minute: ``python -m tools evidence`` runs it, the tests one case a rule."""
    return list({case.rule: case for case in reversed(SHEET.case)}.values())


@pytest.fixture(scope="module")
def found() -> dict[str, frozenset[str]]:
    return findings(SHEET.case)


@pytest.fixture(scope="module")
def again() -> list[Result]:
    return measure(first_of_each_rule())


def test_every_rule_has_evidence() -> None:
    rules = {rule for rule in CATALOGUE if not rule.startswith("VMFD9")}
    assert {path.stem for path in EVIDENCE.iterdir()} == set(RECORDED) == rules
    for rule, evidence in RECORDED.items():
        unseen = not evidence.programs or any(not proof.measured for proof in evidence.programs)
        assert unseen == bool(evidence.lines) == bool(evidence.why), rule
        sides = {proof.clean for proof in evidence.programs}
        assert sides in (set(), {False, True}), f"{rule}: a program and a twin"


def test_every_program_is_named_once() -> None:
    named = [file_of(case, clean) for case, clean in SIDES]
    assert len(named) == len(set(named))
    assert {path.name for path in PROGRAMS.iterdir()} == {*named, "cases.toml"}


def test_rules_of_both_languages_have_programs_in_both() -> None:
    both = {path.stem[:7] for path in (FIXTURES / "python").glob("VMFD*.md")}
    python = {case.rule for case in SHEET.case if case.language == "Python"}
    assert both == python
    assert {case.rule for case in SHEET.case if case.language == "C"} >= both - {"VMFD105"}


def test_measurements_that_are_repeated_exist() -> None:
    known = set(tomllib.loads((FIXTURES / "truth.toml").read_text(encoding="utf-8")))
    names = {name for case in SHEET.case for name in (*case.flagged, *case.clean)}
    names |= {name for source in SHEET.source for name in source.truth}
    assert names <= known, sorted(names - known)
    assert len({name for name in names if not name.startswith("source.")}) >= _MEASURED


@pytest.mark.parametrize(("case", "clean"), SIDES, ids=NAMES)
def test_what_is_recorded_is_of_this_program(case: Case, clean: bool) -> None:
    name = file_of(case, clean)
    rule, proof = PROOFS[name]
    again = "python -m tools evidence --update"
    assert (rule, proof.clean) == (case.rule, clean), again
    assert proof.repeats == (case.clean if clean else case.flagged), again
    assert proof.says == says(name) and proof.says.endswith("."), again
    assert proof.text in ("", code(name)), again
    assert proof.known == (case.known_clean if clean else case.known), again
    oracles = [measured.oracle for measured in proof.measured]
    expected = [[], ["kvm"]] if case.needs == "sev" else [["kvm"]] if case.only else [list(ORACLES)]
    assert oracles in expected, again
    for measured in proof.measured:
        assert measured.shown != clean, f"{name} was measured to be otherwise: {measured.observed}"
    assert len({measured.observed for measured in proof.measured}) <= 1, "the oracles agree"


@pytest.mark.parametrize(("case", "clean"), SIDES, ids=NAMES)
def test_vmfdlint_says_what_was_measured(case: Case, clean: bool, found: dict[str, frozenset[str]]) -> None:
    name = file_of(case, clean)
    measured = PROOFS[name][1].measured
    shown = all(each.shown for each in measured) if measured else not clean
    result = Result(case, clean, "kvm", shown, "as recorded")
    (row,) = rows([result], found)
    assert row.agree == ("known" if PROOFS[name][1].known else "yes"), row.observed
    assert (case.rule in found[name]) == PROOFS[name][1].found, "python -m tools evidence --update"


def test_the_play_of_kvm_shows_it_again(again: list[Result]) -> None:
    seen = [one for one in again if one.oracle == "fifo" and not one.skipped]
    assert len(seen) >= 2 * 20
    agrees(seen)


@pytest.mark.skipif(bool(kernel.missing()), reason=f"the real oracle is not here: {kernel.missing()}")
def test_the_kernel_shows_it_again(again: list[Result]) -> None:
    asked = [one for one in again if one.oracle == "kvm"]
    seen = [one for one in asked if not one.skipped]
    assert [one.program for one in asked if one.skipped] == [
        one.program for one in asked if place.missing(one.case.needs)
    ]
    agrees(seen)


def agrees(seen: list[Result]) -> None:
    assert not [f"{one.program}: {one.failed}" for one in seen if one.failed]
    assert not [f"{one.program}: {one.observed}" for one in seen if one.shown == one.clean]


def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert tools.run(["evidence", "VMFD301", "--oracle", "fifo"]) == 0
    out = capfd.readouterr().out
    assert re.search(
        r"^VMFD301 +301-exec\.c +fifo +yes +flagged +yes +.*sleep: /dev/kvm, inheritable$", out, re.M
    )
    assert re.search(r"^VMFD301 +301-exec-clean\.c +fifo +no +clean +yes ", out, re.M)
    assert "4 runs: 4 agree" in out and "rules shown by programs: 1" in out
    assert tools.run(["evidence", "VMFD999"]) == 2
    assert tools.run(["evidence", "VMFD301", "--update"]) == 2
    assert "it writes what is known of each" in capfd.readouterr().err


def test_what_shows_a_hazard() -> None:
    lives = Seen(made=1, left=1, holders=(), released=True)
    dead = Seen(made=1, left=0, holders=(), released=True, status=5)
    assert shows("lives", lives) and not shows("lives", dead)
    assert shows("gone", dead) and not shows("gone", lives)
    assert not shows("gone", Seen(made=0, left=0, holders=(), released=True))
    assert shows("ends EIO", dead) and not shows("ends EIO", lives) and not shows("ends EBADF", dead)
    assert told("lives", lives).endswith("no mapping of any process shows it")
    assert told("ends EIO", dead) == "ended with EIO"


def test_a_row_that_disagrees() -> None:
    case = Case(rule="VMFD101", program="a.c", twin="b.c", shows="lives")
    seen = Result(case, False, "kvm", True, "the VM lives on")
    assert [row.agree for row in rows([seen], {"a.c": frozenset({"VMFD101"})})] == ["yes"]
    assert [row.agree for row in rows([seen], {"a.c": frozenset()})] == ["no"]
    assert [row.agree for row in rows([seen], {"a.c": frozenset({"VMFD101", "VMFD501"})})] == ["no"]
    other = Result(case, False, "fifo", False, "the VM was destroyed")
    assert [row.agree for row in rows([seen, other], {"a.c": frozenset({"VMFD101"})})] == ["no", "no"]


def test_nothing_of_this_machine_is_recorded() -> None:
    for path in (*EVIDENCE.iterdir(), *PROGRAMS.iterdir()):
        text = path.read_text(encoding="utf-8")
        assert "/tmp" not in text and str(Path.home()) not in text, path.name
