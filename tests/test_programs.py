"""The small machine monitors in fixtures/programs: both compile, and one of them forks too late."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vmfdlint import cli

PROGRAMS = Path(__file__).parent.parent / "fixtures" / "programs"


def findings(program: str, capture: pytest.CaptureFixture[bytes]) -> tuple[int, list[dict[str, Any]]]:
    code = cli.run(["check", "--output-format", "json", "-j", "1", str(PROGRAMS / program)])
    return code, json.loads(capture.readouterr().out)["findings"]


def test_the_late_fork_is_found(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, found = findings("minivmm", capsysbinary)
    assert code == 1 and [one["rule"] for one in found] == ["VMFD101"]
    helper = (PROGRAMS / "minivmm" / "helper.c").read_text().splitlines()
    assert found[0]["at"]["path"].endswith("helper.c") and "fork()" in helper[found[0]["at"]["line"] - 1]
    trace = found[0]["trace"]
    roles = [step["role"] for step in trace]
    assert roles.index("create") < roles.index("event") < roles.index("survive")
    assert "KVM_CREATE_VM" in trace[roles.index("create")]["text"] and trace[-1]["child"]


def test_the_early_fork_is_not(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert findings("minivmm-clean", capsysbinary) == (0, [])


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize("program", ["minivmm", "minivmm-clean"])
def test_it_compiles(program: str) -> None:
    sources = sorted(str(path) for path in (PROGRAMS / program).glob("*.c"))
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *sources], check=True)
