"""fixtures/pairs/*.md: one small machine monitor, in C and in Python, in which the same is found."""

from pathlib import Path

import pytest
from literate import FIXTURES, Program, differences, read
from test_fixtures import found_in

PAIRS = sorted((FIXTURES / "pairs").glob("*.md"))


def _marks(program: Program) -> list[tuple[str, str, str]]:
    return sorted((marker.what, marker.rule, marker.words) for marker in program.markers)


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_both_say_the_same(path: Path) -> None:
    in_c, in_python = read(path)
    assert set(in_c.files) == {"main.c"} and set(in_python.files) == {"main.py"}
    assert in_c.section == in_python.section and _marks(in_c) == _marks(in_python)
    assert bool(in_c.markers) == (in_c.section == "Flagged")
    outlines = []
    for program in (in_c, in_python):
        findings = found_in(program)
        told = differences(program, findings)
        assert not told, "\n" + "\n".join(told)
        outlines.append(sorted((one.rule, one.level, one.function.rpartition(".")[2]) for one in findings))
    assert outlines[0] == outlines[1]


def test_there_are_pairs() -> None:
    sections = [read(path)[0].section for path in PAIRS]
    assert sections.count("Flagged") >= 5 and "Clean" in sections
