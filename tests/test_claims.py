"""``vmfdlint: holds(vm) until=exit reason``: an intended lifetime, held to the program."""

import json
from pathlib import Path

import pytest
from commands import Run

from vmfdlint.base import SourceText
from vmfdlint.suppress import claims

HELPED_C = """\
static void stop(int vm)
{
    close(vm);
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (fork() == 0) COMMENT
        pause();
    sleep(1);
    END
    return 0;
}
"""
HELPED_PY = """\
import fcntl, os, signal

def main():
    kvm = os.open("/dev/kvm", os.O_RDWR)
    vm = fcntl.ioctl(kvm, 0xAE01, 0)
    # vmfdlint: holds(NAME) until=exit the helper is a part of the machine
    if os.fork() == 0:
        signal.pause()
    END

main()
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(run: Run, tree: Path, comment: str, end: str = ";", *arguments: str) -> list[str]:
    """The findings of the C program with a comment on the fork: rule, line, and the text of VMFD901."""
    (tree / "vm.c").write_text(HELPED_C.replace("COMMENT", comment).replace("END", end))
    return told(run, *arguments)


def told(run: Run, *arguments: str) -> list[str]:
    every = json.loads(run("check", "--output-format", "json", *arguments).out)["findings"]
    return [
        f"{one['rule']}:{one['at']['line']}" + (f" {one['message']}" if one["rule"] == "VMFD901" else "")
        for one in every
    ]


def test_a_true_claim_silences_what_is_said_of_that_holder(run: Run, tree: Path) -> None:
    assert found(run, tree, "") == ["VMFD101:10"]
    comment = "/* vmfdlint: holds(vm) until=exit the helper is a part of the machine */"
    assert found(run, tree, comment) == []
    assert "0 findings (1 suppressed by a comment)" in run("check").out
    assert found(run, tree, comment, ";", "--ignore-suppressions") == ["VMFD101:10"]
    (shown,) = json.loads(run("check", "--output-format", "json", "--show-suppressed").out)["suppressed"]
    assert (shown["reason"], shown["finding"]["rule"]) == ("the helper is a part of the machine", "VMFD101")


def test_a_claim_that_became_false(run: Run, tree: Path) -> None:
    comment = "/* vmfdlint: holds(vm) until=exit why */"
    assert found(run, tree, comment, "close(vm);") == [
        "VMFD101:10",
        "VMFD901:10 holds(vm) until=exit is not true: vm is released before the process exits, at vm.c:13:5",
    ]
    (tree / "vm.c").write_text(
        HELPED_C.replace("COMMENT", comment)
        .replace("END", ";")
        .replace("    if (fork", "    close(vm);\n    if (fork")
    )
    assert told(run) == ["VMFD901:11 holds(vm) until=exit is not true: vm holds no VM here"]


def test_until_a_function(run: Run, tree: Path) -> None:
    comment = "/* vmfdlint: holds(vm) until=stop why */"
    assert found(run, tree, comment, "stop(vm);") == []
    assert found(run, tree, comment, "close(vm);") == [
        "VMFD101:10",
        "VMFD901:10 holds(vm) until=stop is not true: vm is not released by stop()",
    ]


def test_another_name(run: Run, tree: Path) -> None:
    assert found(run, tree, "/* vmfdlint: holds(machine) until=exit why */") == [
        "VMFD101:10",
        "VMFD901:10 holds(machine) until=exit is not true: machine holds no VM here; held are vm",
    ]


def test_other_findings_on_the_line_stay(run: Run, tree: Path) -> None:
    """The copy is another reference than the one that is claimed."""
    text = HELPED_C.replace("COMMENT", "").replace("END", ";")
    text = text.replace("    if (fork", "    int other = ioctl(kvm, KVM_CREATE_VM, 0);\n    if (fork")
    (tree / "vm.c").write_text(
        text.replace("sleep(1);", "use(dup(vm), dup(other)); /* vmfdlint: holds(other) until=exit why */")
    )
    rules = [one for one in told(run) if one.endswith(":13")]
    (tree / "vm.c").write_text(text.replace("sleep(1);", "use(dup(vm), dup(other));"))
    assert len(rules) < len([one for one in told(run) if one.endswith(":13")])
    assert rules


@pytest.mark.parametrize(
    "comment", ["holds vm until=exit", "holds(vm)", "holds[vm] until=exit", "holds() until=x"]
)
def test_what_cannot_be_read(run: Run, tree: Path, comment: str) -> None:
    assert found(run, tree, f"/* vmfdlint: {comment} */") == [
        "VMFD101:10",
        "VMFD901:10 this comment cannot be followed: write holds(vm) until=exit, or until= with the function "
        "that releases it",
    ]


def test_a_reason_is_asked_for(run: Run, tree: Path) -> None:
    bare = "/* vmfdlint: holds(vm) until=exit */"
    assert found(run, tree, bare) == []
    assert found(run, tree, bare, ";", "--extend-select", "VMFD902") == ["VMFD902:10"]
    assert "holds(vm) gives no reason" in run("check", "--extend-select", "VMFD902").out


def test_a_part_of_a_program_is_no_proof(run: Run, tree: Path) -> None:
    comment = "/* vmfdlint: holds(machine) until=exit why */"
    assert found(run, tree, comment, ";", "vm.c") == ["VMFD101:10"]
    assert "VMFD901" in run("check", "vm.c", "--project", ".").out


def test_python(run: Run, tree: Path) -> None:
    (tree / "vm.py").write_text(HELPED_PY.replace("NAME", "vm").replace("END", "signal.pause()"))
    assert told(run) == []
    (tree / "vm.py").write_text(HELPED_PY.replace("NAME", "vm").replace("END", "os.close(vm)"))
    assert [one.split(" ")[0] for one in told(run)] == ["VMFD901:6", "VMFD104:7"]
    (tree / "vm.py").write_text(HELPED_PY.replace("NAME", "vm.fd").replace("END", "signal.pause()"))
    assert [one.split(" ")[0] for one in told(run)] == ["VMFD901:6", "VMFD101:7"]


def test_where_claims_stand() -> None:
    text = b"/* vmfdlint: holds(m->vmfd) until=exit: why */\n\nint x;\nint y; // vmfdlint: holds(y) until=f\n"
    found = claims({"a.c": SourceText("a.c", text)}, {"a.c": "c"})
    assert [(one.holder, one.until, one.reason, one.first) for one in found] == [
        ("m->vmfd", "exit", "why", 3),
        ("y", "f", "", 4),
    ]
