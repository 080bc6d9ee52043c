"""``vmfdlint diff REV``: what a change adds and takes away."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from test_vcs import git

BEFORE = """\
int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    pause();
    close(vcpu);
    close(vm);
    pause();
    return 0;
}
"""
AFTER = (
    BEFORE.replace("    pause();\n    close(vcpu);\n", "    helper();\n    pause();\n")
    .replace("    close(vm);\n", "    int copy = dup(vm);\n    close(copy);\n    close(vm);\n")
    .replace("int main", "static void helper(void)\n{\n    if (fork() == 0)\n        pause();\n}\n\nint main")
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the program as it was."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vm.c").write_text(BEFORE)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def change(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("diff", *(arguments or ("HEAD",)), "--output-format", "json")
    assert (result.code, result.err) == (0, "")
    told: dict[str, Any] = json.loads(result.out)
    return told


def told(items: list[dict[str, Any]]) -> list[str]:
    return [f"{one['matter']}: {one['text']} :{one['at']['line']}" for one in items]


def test_a_change(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(AFTER)
    found = change(run)
    assert told(found["added"]) == [
        "fork: fork() :3",
        "copy: copy of the VM descriptor by dup() :14",
        "release: release of the copy of the VM descriptor :15",
    ]
    assert told(found["removed"]) == ["release: release of the vCPU descriptor :7"]
    assert [one["rule"] for one in found["found"]] == ["VMFD101", "VMFD502"]
    assert found["gone"] == []
    # And the other way round.
    git(tree, "commit", "-q", "-a", "-m", "second")
    (tree / "vm.c").write_text(BEFORE)
    back = change(run)
    assert (back["added"], back["removed"]) == (found["removed"], found["added"])
    assert [one["rule"] for one in back["gone"]] == ["VMFD101", "VMFD502"] and not back["found"]


MARKDOWN = """\
## vmfdlint: what changes since HEAD

**1 copy, 1 fork point and 1 release more, 1 release less; 2 findings more.**

| | | what | where |
|---|---|---|---|
| + | copy | copy of the VM descriptor by dup() | vm.c:14 in main |
| + | fork point | fork() | vm.c:3 in helper |
| - | release | release of the vCPU descriptor | was vm.c:7 in main |
| + | release | release of the copy of the VM descriptor | vm.c:15 in main |

### Findings

| | | rule | what | where |
|---|---|---|---|---|
"""


def test_markdown(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(AFTER)
    text = run("diff", "HEAD").out
    assert text.startswith(MARKDOWN)
    assert text.count("\n| + | error | VMFD101 | fork() with the ") == 1
    assert len(text.removeprefix(MARKDOWN).splitlines()) == 2


def test_moved_lines_and_renamed_files_are_no_change(run: Run, tree: Path) -> None:
    nothing = "## vmfdlint: what changes since HEAD\n\nNo holder, fork point or finding more or less.\n"
    assert run("diff", "HEAD").out == nothing
    (tree / "vm.c").unlink()
    (tree / "machine.c").write_text("\n\n/* a word */\n" + BEFORE)
    assert run("diff", "HEAD").out == nothing


def test_users_of_a_creating_wrapper_count(run: Run, tree: Path) -> None:
    wrapped = "static int make(int kvm) { return ioctl(kvm, KVM_CREATE_VM, 0); }\n" + BEFORE.replace(
        "ioctl(kvm, KVM_CREATE_VM, 0)", "make(kvm)"
    )
    (tree / "vm.c").write_text(wrapped)
    git(tree, "commit", "-q", "-a", "-m", "wrapper")
    (tree / "vm.c").write_text(
        wrapped.replace(
            "    pause();\n    close(vcpu)", "    int b = make(kvm);\n    use(b);\n    close(vcpu)"
        )
    )
    assert told(change(run)["added"]) == ["creation: VM descriptor by ioctl(KVM_CREATE_VM) :7"]


def test_python(run: Run, tree: Path) -> None:
    (tree / "w.py").write_text("import fcntl, os\nkvm = os.open('/dev/kvm', os.O_RDWR)\n")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "python")
    with (tree / "w.py").open("a") as out:
        out.write("vm = fcntl.ioctl(kvm, 0xAE01, 0)\nif os.fork() == 0:\n    os._exit(0)\nos.close(vm)\n")
    assert told(change(run)["added"]) == [
        "creation: VM descriptor by fcntl.ioctl(KVM_CREATE_VM) :3",
        "fork: os.fork() :4",
        "release: release of the VM descriptor :6",
    ]


def test_a_branch_is_compared_with_where_it_left(run: Run, tree: Path) -> None:
    """What the other branch did since is no part of the change."""
    git(tree, "checkout", "-q", "-b", "topic")
    git(tree, "checkout", "-q", "-")
    (tree / "vm.c").write_text(AFTER)
    git(tree, "commit", "-q", "-a", "-m", "elsewhere")
    git(tree, "branch", "-q", "other")
    git(tree, "checkout", "-q", "topic")
    assert change(run, "other")["removed"] == []


def test_only_what_was_asked_about(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(AFTER)
    (tree / "sub").mkdir()
    (tree / "sub" / "b.c").write_text("int g(void) { return fork(); }\n")
    assert told(change(run, "HEAD", "sub")["added"]) == ["fork: fork() :1"]


def test_the_tree_is_not_touched(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(AFTER)
    change(run)
    assert (tree / "vm.c").read_text() == AFTER
    assert sorted(path.name for path in tree.iterdir()) == [".git", "vm.c"]


def test_what_cannot_be_compared(run: Run, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    failed = run("diff", "nothing")
    assert failed.code == 2 and "git knows no commit 'nothing'" in failed.err
    failed = run("diff", "HEAD", "gone")
    assert (failed.code, failed.out) == (2, "") and "gone" in failed.err


def test_outside_of_git(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed = run("diff", "HEAD")
    assert failed.code == 2 and "is in no git work tree" in failed.err
