"""Fixed programs of the evidence: under the oracles that saw the hazard, it is gone."""

import re

import pytest

from tools import cli as tools
from tools.evidence import kernel
from tools.evidence.cases import read_cases
from tools.evidence.fixed import measure_fixed
from tools.evidence.table import Row
from vmfdlint.fix import fixable

_TOGETHER = ("VMFD105", "VMFD301", "VMFD303", "VMFD304", "VMFD306", "VMFD402", "VMFD501")


@pytest.fixture(scope="module")
def seen() -> list[Row]:
    """The first program of each rule and language; ``python -m tools evidence --fixed`` takes all."""
    cases = {
        (case.rule, case.language): case for case in reversed(read_cases().case) if case.rule in fixable()
    }
    measured, done = measure_fixed([*cases.values()])
    assert len(done) >= 10
    return measured


def judged(seen: list[Row], oracle: str) -> set[str]:
    """The rules of the programs that were run; all of them came out as they should."""
    asked = [row for row in seen if row.oracle == oracle and row.agree != "-"]
    assert not [f"{row.program}: {row.observed}" for row in asked if row.agree != "yes"]
    for row in asked:
        assert (row.shown == "yes") == ("-fixed." not in row.program)
    return {row.rule for row in asked if "-fixed." in row.program}


def test_the_play_of_kvm_sees_the_hazard_gone(seen: list[Row]) -> None:
    assert judged(seen, "fifo") == set(_TOGETHER) - {"VMFD402"}  # it has no debugfs


@pytest.mark.skipif(bool(kernel.missing()), reason=f"the real oracle is not here: {kernel.missing()}")
def test_the_kernel_sees_the_hazard_gone(seen: list[Row]) -> None:
    assert judged(seen, "kvm") >= set(_TOGETHER) - {"VMFD402"}


def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert tools.run(["evidence", "--fixed", "VMFD303", "--oracle", "fifo"]) == 0
    out = capfd.readouterr().out
    assert "303-dup.c: Copy it by F_DUPFD_CLOEXEC\n" in out
    assert re.search(r"^VMFD303 +303-dup-fixed\.c +fifo +no +clean +yes +the VM was destroyed$", out, re.M)
    # Nothing that can be fixed proves nothing.
    assert tools.run(["evidence", "--fixed", "VMFD101", "--oracle", "fifo"]) == 1
    assert tools.run(["evidence", "--fixed", "--update"]) == 2
