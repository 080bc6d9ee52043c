"""Every program of the fixtures, in C and Python, through the engine: what its markers say is found."""

from functools import cache
from pathlib import Path

import pytest
from literate import FIXTURES, Program, differences, read

from vmfdlint.base import ProblemKind
from vmfdlint.check import match
from vmfdlint.engine import Target, solve
from vmfdlint.finding import Finding, Outcome
from vmfdlint.frontends.languages import language_of
from vmfdlint.models import Models, default_models
from vmfdlint.rulebook import Rule, load_rules
from vmfdlint.suppress import Sources, suppress

FILES = sorted(FIXTURES.rglob("VMFD*.md"))
PROGRAMS = [program for path in FILES for program in read(path)]
_FINDINGS = ("error", "warning", "note")


@cache
def _knowledge() -> tuple[Models, tuple[Rule, ...], frozenset[str]]:
    rules = load_rules()
    return default_models(), rules, frozenset(rule.doc.id for rule in rules)


def found_in(program: Program) -> tuple[Finding, ...]:
    """The findings of all rules in one program."""
    models, rules, every = _knowledge()
    target = Target(python=program.target) if program.target is not None else Target()
    solved = solve(program.sources, models, 1, target)
    broken = [problem for problem in solved.problems if problem.kind is not ProblemKind.PARSE]
    assert not broken, broken
    outcome = Outcome(match(solved.solver, rules, every), tuple(rule.doc for rule in rules))
    texts = {source.path: source for source in program.sources}
    languages = {path: language_of(source) for path, source in texts.items()}
    return suppress(outcome, Sources(texts, languages), every).findings


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program(program: Program) -> None:
    told = differences(program, found_in(program))
    assert not told, "\n" + "\n".join(told)


def test_python_programs_are_python() -> None:
    for program in PROGRAMS:
        for path, text in program.files.items():
            if program.folder == "python" and (program.target is None or program.target >= (3, 0)):
                compile(text, program.where(path, 0), "exec")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_fixture_has_its_parts(path: Path) -> None:
    programs = read(path)
    rule = path.stem[:7]
    titles = [program.title for program in programs]
    assert len(titles) == len(set(titles)), "two programs with one title"
    for program in programs:
        said = {marker.what for marker in program.markers if marker.rule == rule}
        if program.section == "Flagged":
            assert said & {*_FINDINGS, "missing"}, f"{program.title}: nothing of {rule} is marked"
        elif program.section == "Clean":
            assert not said & {*_FINDINGS, "missing"}, f"{program.title}: flagged, but under Clean"
        else:
            wrong = {marker.what for marker in program.markers} & {"missing", "spurious"}
            assert wrong, f"{program.title}: no gap is marked"
    assert {program.section for program in programs} >= {"Flagged", "Clean"}
    if rule.startswith("VMFD9"):
        return  # about comments, which have no trace
    assert any(m.what == "step" and m.rule == rule for p in programs for m in p.markers), (
        "no trace is asserted"
    )
