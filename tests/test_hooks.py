"""What pre-commit, GitHub and GitLab run: the lines in their files, run here."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Run
from test_baseline import LEAKY, MAIN

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program whose finding in vm.c is reached from main.c, and a file that has nothing to do with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vm.c").write_text(LEAKY.replace("O_RDWR", "O_RDWR | O_CLOEXEC"))
    (tmp_path / "main.c").write_text(MAIN)
    (tmp_path / "other.c").write_text("int g(void) { return 0; }\n")
    return tmp_path


def hooks() -> dict[str, dict[str, str]]:
    """The hooks by id, with their keys as they are written."""
    text = (REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    found = {}
    for block in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
        keys = dict(re.findall(r"^\s*([\w]+): (.*)$", block, flags=re.MULTILINE))
        found[keys["id"]] = keys
    return found


def test_the_hook_of_changed_files(run: Run, tree: Path) -> None:
    program, *given = shlex.split(hooks()["vmfdlint"]["entry"])
    assert program == "vmfdlint"
    assert run(*given, "vm.c").code == 1
    assert run(*given, "other.c").code == 0
    (tree / "vmfdlint.toml").write_text('exclude = ["vm.c"]\n')
    assert run(*given, "vm.c").code == 0
    (tree / "vmfdlint.toml").write_text("nonsense = 1\n")
    assert run(*given, "other.c").code == 2


def test_the_hook_of_the_project(run: Run, tree: Path) -> None:
    _, *given = shlex.split(hooks()["vmfdlint-project"]["entry"])
    assert run(*given).code == 1
    assert hooks()["vmfdlint-project"]["pass_filenames"] == "false"


@pytest.mark.parametrize("hook", hooks().values(), ids=lambda hook: hook["id"])
def test_a_hook_runs_once_on_both_languages(hook: dict[str, str]) -> None:
    assert hook["language"] == "python" and hook["types_or"] == "[c, python]"
    assert hook["require_serial"] == "true"


def script(name: str) -> str:
    """The shell script of a step of the action."""
    text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    step = text.partition(f"- name: {name}\n")[2].partition("\n    - name: ")[0]
    lines = step.partition("run: |\n")[2].splitlines()
    assert lines and all(not line or line.startswith(" " * 8) for line in lines)
    # What a workflow puts into a script could be code; here everything comes in as a variable.
    assert "${{" not in step.partition("run: |\n")[2]
    return "\n".join(line[8:] for line in lines)


def action(tree: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Runs the check of the action as GitHub does."""
    temp = tree / "runner"
    program = temp / "vmfdlint" / "bin" / "vmfdlint"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vmfdlint "$@"\n')
    program.chmod(0o755)
    about = {"PATHS": ".", "ARGS": "", "BASELINE": "", "SARIF": "out.sarif"} | given
    environment = os.environ | about | {"RUNNER_TEMP": str(temp), "PYTHONPATH": str(REPOSITORY)}
    environment["GITHUB_STEP_SUMMARY"] = str(tree / "summary.md")
    return subprocess.run(
        ["bash", "-c", script("Check")],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action(tree: Path) -> None:
    done = action(tree)
    assert done.returncode == 1 and done.stdout.startswith("::error file=vm.c,"), done.stderr
    assert (tree / "out.sarif").exists() and "VMFD101" in (tree / "summary.md").read_text()
    assert action(tree, PATHS="other.c").returncode == 0
    assert action(tree, PATHS="other.c vm.c", ARGS="--select VMFD101 --fail-level error").returncode == 1
    assert action(tree, ARGS="--select VMFD301").returncode == 0
    # A path is no option, and a wrong option is no success.
    assert "does not exist" in action(tree, PATHS="--version").stderr
    assert action(tree, ARGS="--nonsense").returncode == 2
    (tree / "known.json").write_text('{"schema": 1, "tool": "vmfdlint", "findings": []}')
    assert action(tree, BASELINE="known.json").returncode == 1
    assert action(tree, BASELINE="gone.json").returncode == 2


def test_the_gitlab_job(run: Run, tree: Path) -> None:
    text = (REPOSITORY / "templates" / "gitlab-ci.yml").read_text(encoding="utf-8")
    line = re.search(r"- (vmfdlint check .*\n +.*)", text)
    assert line is not None
    words = shlex.split(line[1].replace("$VMFDLINT_ARGS", "").replace("$VMFDLINT_PATHS", "."))
    assert run(*words[1:]).code == 1
    for report in ("gl-code-quality-report.json", "vmfdlint-junit.xml"):
        assert (tree / report).exists() and text.count(report) >= 2
    assert "VMFDLINT_SOURCE:?" in text
