"""Fixes on the command line: what is written, shown, refused, and with which exit code."""

import json
import subprocess
from pathlib import Path

import pytest
from commands import Run

HEAD = "#include <fcntl.h>\n#include <linux/kvm.h>\n#include <sys/ioctl.h>\n#include <unistd.h>\n\n"
OPENS = (
    HEAD
    + """int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    dup2(vm, 100);
    execlp("sleep", "sleep", "60", NULL);
    return 0;
}
"""
)
SAFE = OPENS.replace("O_RDWR)", "O_RDWR | O_CLOEXEC)")
BOTH = SAFE.replace("dup2(vm, 100)", "dup3(vm, 100, O_CLOEXEC)")
CLEAN = "int main(void)\n{\n    return 0;\n}\n"


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    return Run(capsysbinary)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "vm.c").write_text(OPENS)
    (tmp_path / "clean.c").write_text(CLEAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_safe_fixes_are_written(run: Run, tree: Path) -> None:
    result = run("check", "--fix", "--output-format", "concise")
    assert (tree / "vm.c").read_text() == SAFE
    assert (tree / "clean.c").read_text() == CLEAN
    # What is left is reported, where it stands now.
    assert result.code == 1
    assert "vm.c:11:5: VMFD303" in result.out and "VMFD301" not in result.out
    assert "Fixed 1 finding (1 more with --unsafe-fixes)." in result.out


def test_what_the_settings_ask_for_can_be_refused(run: Run, tree: Path) -> None:
    (tree / "vmfdlint.toml").write_text("fix = true\nunsafe-fixes = true\n")
    assert run("check", "--no-fix").code == 1
    assert (tree / "vm.c").read_text() == OPENS
    assert "Fixed 1 finding" in run("check", "--no-unsafe-fixes").out
    assert (tree / "vm.c").read_text() == SAFE


def test_findings_are_fixed_or_kept(run: Run, tree: Path) -> None:
    refused = run("check", "--fix", "--add-ignore", "known")
    assert refused.code == 2 and "one after the other" in refused.err
    assert (tree / "vm.c").read_text() == OPENS


def test_unsafe_fixes_are_asked_for(run: Run, tree: Path) -> None:
    result = run("check", "--fix", "--unsafe-fixes")
    assert (tree / "vm.c").read_text() == BOTH
    assert (result.code, "Fixed 2 findings.") == (0, result.out.splitlines()[0])
    again = run("check", "--fix", "--unsafe-fixes")
    assert again.code == 0 and "Fixed" not in again.out


def test_only_what_counts_is_fixed(run: Run, tree: Path) -> None:
    assert run("check", "--fix", "--unsafe-fixes", "--select", "VMFD303").code == 0
    assert (tree / "vm.c").read_text() == OPENS.replace("dup2(vm, 100)", "dup3(vm, 100, O_CLOEXEC)")
    (tree / "vm.c").write_text(OPENS.replace("O_RDWR);", "O_RDWR); /* vmfdlint: ignore[VMFD301] known */"))
    assert run("check", "--diff").out == ""
    assert run("baseline", "create").code == 0
    (tree / "vm.c").write_text(OPENS)
    assert "O_CLOEXEC" in run("check", "--diff").out
    assert "dup3" not in run("check", "--diff", "--unsafe-fixes", "--baseline", "vmfdlint-baseline.json").out


def test_fixes_stay_in_the_files_asked_about(run: Run, tree: Path) -> None:
    (tree / "main.c").write_text(
        HEAD
        + "int opened(void);\nint main(void)\n{\n    int kvm = opened();\n    ioctl(kvm, KVM_CREATE_VM, 0);\n"
        '    execlp("sleep", "sleep", "60", NULL);\n    return 0;\n}\n'
    )
    (tree / "vm.c").write_text(HEAD + 'int opened(void)\n{\n    return open("/dev/kvm", O_RDWR);\n}\n')
    inside = run("check", "--project", ".", "vm.c", "--diff")
    assert (inside.code, inside.out.count("+++ vm.c")) == (1, 1)
    assert run("check", "--project", ".", "main.c", "--diff").out == ""


def test_the_diff(run: Run, tree: Path) -> None:
    result = run("check", "--diff")
    assert result.code == 1
    assert result.out.splitlines()[:2] == ["--- vm.c", "+++ vm.c"]
    assert '-    int kvm = open("/dev/kvm", O_RDWR);\n' in result.out
    assert '+    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);\n' in result.out
    assert result.err == "Would fix 1 finding (1 more with --unsafe-fixes)\n"
    assert (tree / "vm.c").read_text() == OPENS
    assert run("check", "--diff", "--exit-zero").code == 0
    (tree / "vm.c").write_text(SAFE)
    nothing = run("check", "--diff", "-q")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "")


def test_a_diff_that_could_not_see_it_all(run: Run, tree: Path) -> None:
    (tree / "bad.c").write_bytes(b"\0\0")
    result = run("check", "--diff", ".", "bad.c")
    assert result.code == 2 and "bad.c" in result.err and "+++ vm.c" in result.out


def test_line_ends_and_a_missing_one_are_kept(run: Run, tree: Path) -> None:
    data = OPENS.rstrip("\n").replace("\n", "\r\n").encode()
    (tree / "vm.c").write_bytes(data)
    assert "\\ No newline at end of file" not in run("check", "--diff").out
    assert run("check", "--fix").code == 1
    assert (tree / "vm.c").read_bytes() == data.replace(b"O_RDWR)", b"O_RDWR | O_CLOEXEC)")


def test_patches_for_git(run: Run, tree: Path) -> None:
    sub = tree / "sub dir"
    sub.mkdir()
    (tree / "vm.c").unlink()
    (sub / "vm.c").write_text("/* é */\n" + OPENS.rstrip("\n"))
    git(tree, "init", "-q")
    git(tree, "config", "user.name", "Zoë Öz")
    git(tree, "config", "user.email", "zoe@example.org")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "before")
    result = run("check", "sub dir", "--format-patch", "--unsafe-fixes")
    assert result.code == 1
    assert result.out.count("\nSubject: [PATCH ") == 2
    (tree / "series").write_text(result.out, encoding="utf-8")
    git(tree, "am", "-q", "series")
    assert (sub / "vm.c").read_text() == "/* é */\n" + BOTH.rstrip("\n")
    log = git(tree, "log", "-2", "--format=%an <%ae>%n%B")
    assert log.count("Zoë Öz <zoe@example.org>") == 2
    assert "vm.c: Open it with O_CLOEXEC" in log and "vm.c: Copy it by dup3() with O_CLOEXEC" in log
    # Why: what was found, and what the rule says of it.
    assert "vm.c in main(): dup2() makes an inheritable copy" in " ".join(log.split())
    assert "every program that is executed from here on holds the VM" in " ".join(log.split())
    assert "Found by vmfdlint: VMFD303 duplicate-inheritable" in log


def git(directory: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fix", "--diff"), "one of --fix, --diff and --format-patch"),
        (("--diff", "--format-patch"), "one of --fix, --diff and --format-patch"),
        (("-", "--stdin-filename", "vm.c", "--fix"), "name them in the place of -"),
    ],
)
def test_what_cannot_be_asked(run: Run, tree: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run("check", *arguments)
    assert result.code == 2 and words in result.err
    assert (tree / "vm.c").read_text() == OPENS


def test_settings(run: Run, tree: Path) -> None:
    (tree / "vmfdlint.toml").write_text("fix = true\nunsafe-fixes = true\n")
    assert run("check", "--diff").code == 1
    assert (tree / "vm.c").read_text() == OPENS
    assert run("check").code == 0
    assert (tree / "vm.c").read_text() == BOTH


def test_reports_hold_the_fixes(run: Run, tree: Path) -> None:
    document = json.loads(run("check", "--output-format", "json").out)
    fixes = {one["rule"]: one.get("fixes", []) for one in document["findings"]}
    assert [fix["safe"] for fix in fixes["VMFD301"]] == [True]
    assert [edit["text"] for edit in fixes["VMFD301"][0]["edits"]] == [" | O_CLOEXEC"]
    assert [fix["safe"] for fix in fixes["VMFD303"]] == [False]
    (result,) = json.loads(run("check", "--select", "VMFD301", "--output-format", "sarif").out)["runs"][0][
        "results"
    ]
    (change,) = result["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"]["text"] == " | O_CLOEXEC"
    assert replacement["deletedRegion"]["startColumn"] == replacement["deletedRegion"]["endColumn"] == 38
    (found,) = json.loads(run("check", "--select", "VMFD303", "--output-format", "rdjson").out)["diagnostics"]
    assert [one["text"] for one in found["suggestions"]] == ["dup3(vm, 100, O_CLOEXEC"]


OLD_AND_NEW = """\
import fcntl
import os

kvm = os.open("/dev/kvm", os.O_RDWR)
vm = fcntl.ioctl(kvm, 0xAE01, 0)
memory = fcntl.ioctl(vm, 0xC040AED4, bytearray(64))
other = fcntl.fcntl(vm, fcntl.F_DUPFD, 100)
os.execv("/bin/sleep", ["sleep", "60"])
"""


@pytest.mark.parametrize(
    ("version", "added"),
    [
        (
            "2.7",
            [
                "fcntl.fcntl(kvm, fcntl.F_SETFD, fcntl.FD_CLOEXEC)",
                "fcntl.fcntl(memory, fcntl.F_SETFD, fcntl.FD_CLOEXEC)",
            ],
        ),
        (
            "3.3",
            [
                'kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)',
                "fcntl.fcntl(memory, fcntl.F_SETFD, fcntl.FD_CLOEXEC)",
            ],
        ),
        (
            "3.4",
            ["os.set_inheritable(memory, False)", "other = fcntl.fcntl(vm, fcntl.F_DUPFD_CLOEXEC, 100)"],
        ),
    ],
)
def test_a_fix_is_written_in_the_python_of_the_program(
    run: Run, tree: Path, version: str, added: list[str]
) -> None:
    """os.O_CLOEXEC came with Python 3.3, os.set_inheritable() and the rest of PEP 446 with 3.4."""
    (tree / "vm.c").unlink()
    (tree / "vm.py").write_text(OLD_AND_NEW)
    shown = run("check", "--diff", "--target-python", version)
    assert [line[1:] for line in shown.out.splitlines() if line.startswith("+") and line[1] != "+"] == added
    run("check", "--fix", "--target-python", version)
    left = run("check", "--target-python", version, "--output-format", "concise").out
    assert "VMFD301" not in left and "VMFD306" not in left
