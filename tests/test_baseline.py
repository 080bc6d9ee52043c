"""Known findings stay known when lines move and files are renamed, and new ones are told."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from commands import Run
from test_vcs import git

from tools.benign import KINDS
from tools.stability import hold, text
from vmfdlint.baseline import BaselineError, Entry, decoded, encoded, match_known

LEAKY = """\
static int open_kvm(void)
{
    return open("/dev/kvm", O_RDWR);
}

int start(void)
{
    int vm = ioctl(open_kvm(), KVM_CREATE_VM, 0);

    if (fork() == 0)
        pause();
    pause();
    return vm;
}
"""
MAIN = "int main(void)\n{\n    return start();\n}\n"
PROGRAMS = Path(__file__).parent.parent / "fixtures" / "programs"

ONE = Entry("a.c", "VMFD101", "f", "fork()", "1")


def changed(**fields: str) -> Entry:
    return Entry(**{name: getattr(ONE, name) for name in ONE.__struct_fields__} | fields)


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (ONE, True),
        (changed(path="b.c"), True),  # the file was renamed
        (changed(path="b.c", text="vfork()"), True),
        (changed(function="g", fingerprint="2"), True),  # the function was renamed
        (changed(fingerprint="2"), True),  # another way to the same code
        (changed(path="b.c", fingerprint="2"), True),
        (changed(path="b.c", function="g", fingerprint="2"), False),
        (changed(text="vfork()", fingerprint="2"), False),
        (changed(rule="VMFD102", fingerprint="2"), False),
    ],
)
def test_the_same_finding(now: Entry, same: bool) -> None:
    matched = match_known([now], [ONE])
    assert matched.known == (same,) and matched.gone == (() if same else (ONE,))


def test_each_known_finding_is_met_once_by_the_closest() -> None:
    other = changed(path="b.c")
    assert match_known([ONE, ONE], [ONE]).known == (True, False)
    assert match_known([other, ONE], [ONE]).known == (False, True)
    assert match_known([ONE, other], [other, ONE]).known == (True, True)
    assert match_known([], [ONE]).gone == (ONE,)


def test_without_fingerprint_and_text_nothing_is_the_same() -> None:
    bare = changed(fingerprint="", text="")
    assert match_known([bare], [bare]).known == (False,)


def test_the_file() -> None:
    known = (changed(path="b.c", text='größer "x"'), ONE, ONE)
    data = encoded(known)
    assert decoded(data) == tuple(sorted(known)) and encoded(reversed(known)) == data  # type: ignore[arg-type]
    assert json.loads(data)["schema"] == 1 and data.count(b"\n") == 9
    assert decoded(encoded(())) == ()
    for wrong in (b"", b"[]", b'{"schema": 1}', data.replace(b'"schema": 1', b'"schema": 2')):
        with pytest.raises(BaselineError, match="create"):
            decoded(wrong)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with two findings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vm.c").write_text(LEAKY)
    (tmp_path / "main.c").write_text(MAIN)
    return tmp_path


def test_create_update_show(run: Run, tree: Path) -> None:
    assert run("check").code == 1
    made = run("baseline", "create")
    assert made == (0, "vmfdlint-baseline.json: 2 findings\n", "")
    assert run("baseline", "create").code == 2
    assert run("check", "--baseline", "vmfdlint-baseline.json").out.endswith("0 findings (2 known before)\n")
    shown = run("baseline", "show").out.splitlines()
    assert shown[0] == "vm.c: VMFD101 in start: fork()" and shown[-1] == "1 VMFD101, 1 VMFD301"

    (tree / "vm.c").write_text(LEAKY.replace("O_RDWR", "O_RDWR | O_CLOEXEC"))
    (tree / "b.c").write_text('int g(void) { return open("/dev/kvm", O_RDONLY); }\n')
    now = run("check", "--baseline", "vmfdlint-baseline.json")
    assert now.code == 1 and "1 finding (1 known before)" in now.out
    assert "1 finding of the baseline is gone: `vmfdlint baseline update --prune`" in now.out
    # Of files that were not read, nothing is known to be gone.
    assert "gone" not in run("check", "b.c", "--baseline", "vmfdlint-baseline.json").out
    pruned = run("baseline", "update", "--prune").out
    assert pruned == "vmfdlint-baseline.json: 1 finding (1 new finding not added, 1 gone)\n"
    updated = run("baseline", "update").out
    assert updated == "vmfdlint-baseline.json: 2 findings (1 new finding added, 0 gone)\n"
    assert run("check", "--baseline", "vmfdlint-baseline.json").code == 0


def test_what_was_not_read_is_not_gone(run: Run, tree: Path) -> None:
    given = ("--baseline", "vmfdlint-baseline.json")
    (tree / "part").mkdir()
    (tree / "part" / "b.c").write_text('int g(void) { return open("/dev/kvm", O_RDONLY); }\n')
    run("baseline", "create")
    assert "gone" not in run("check", "part", *given).out
    for prune in ((), ("--prune",)):
        assert run("baseline", "update", *prune, "part").out.endswith(
            "3 findings (0 new findings added, 0 gone)\n"
            if not prune
            else "3 findings (0 new findings not added, 0 gone)\n"
        )
    assert run("check", *given).code == 0
    (tree / "part" / "b.c").unlink()
    assert "1 finding of the baseline is gone" in run("check", *given).out
    assert "1 gone" in run("baseline", "update", "--prune").out


def test_a_file_and_a_commit_that_know_the_same(run: Run, tree: Path) -> None:
    run("baseline", "create")
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "all")
    given = ("check", "--baseline", "vmfdlint-baseline.json", "--baseline-commit", "HEAD")
    known = run(*given)
    assert known.code == 0 and "2 known before" in known.out and "gone" not in known.out
    (tree / "vm.c").write_text(LEAKY + LEAKY.split("int start")[0].replace("open_kvm", "open_again"))
    assert "1 finding (2 known before)" in run(*given).out


def test_a_baseline_that_cannot_be_used(run: Run, tree: Path) -> None:
    assert "cannot be read" in run("check", "--baseline", "gone.json").err
    (tree / "b.json").write_text("{}")
    assert run("check", "--baseline", "b.json").code == 2
    assert "b.json: is no baseline" in run("check", "--baseline", "b.json").err
    failed = run("baseline", "create", "vm.c", "gone.c")
    assert failed.code == 2 and "not read in full" in failed.err
    assert not (tree / "vmfdlint-baseline.json").exists()


def test_a_baseline_in_the_settings(run: Run, tree: Path) -> None:
    run("baseline", "create", "-o", "known.json")
    (tree / "vmfdlint.toml").write_text('baseline = "known.json"\n')
    assert run("check").code == 0
    # What is made anew is not measured by what was.
    assert (
        "known.json: 2 findings (0 new findings added, 0 gone)"
        in run("baseline", "update", "-o", "known.json").out
    )


def test_sarif_says_that_they_are_new(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(LEAKY.replace("pause()", "_exit(0)", 1))
    run("baseline", "create")
    (tree / "vm.c").write_text(LEAKY)
    given = ("check", "--baseline", "vmfdlint-baseline.json", "--output-format", "sarif")
    (result,) = json.loads(run(*given).out)["runs"][0]["results"]
    assert (result["ruleId"], result["baselineState"]) == ("VMFD101", "new")


def test_benign_edits_bring_nothing_back(tmp_path: Path) -> None:
    """In C and Python: blank lines, comments, other indentation, moved functions, renamed files."""
    source = tmp_path / "source"
    shutil.copytree(PROGRAMS, source)
    (source / "leaky").mkdir()
    (source / "leaky" / "vm.c").write_text(LEAKY)
    (source / "leaky" / "main.c").write_text(MAIN)
    held = hold(source, seed=7, edits=60, size=60)
    assert held.holds and held.known > 100, text(held)
    kinds = Counter(edit.partition(" ")[0] for batch in held.batches for edit in batch.edits)
    assert set(kinds) == set(KINDS)


# -- against a commit --------------------------------------------------------------------------------------


@pytest.fixture
def repository(tree: Path) -> Path:
    """The program, committed; main.c is not part of a finding."""
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "first")
    return tree


def status(repository: Path) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(repository), "status", "--porcelain"], capture_output=True, check=True
    )
    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, check=True
    )
    return done.stdout + listed.stdout


def test_baseline_commit(run: Run, repository: Path) -> None:
    (repository / "vm.c").write_text("\n\n" + LEAKY)
    (repository / "b.c").write_text('int g(void) { return open("/dev/kvm", O_RDONLY); }\n')
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    before = status(repository)
    found = run("check", "--baseline-commit", "HEAD", "--output-format", "concise")
    assert found.code == 1 and found.out.startswith("b.c:1:") and "1 finding (2 known before)" in found.out
    assert status(repository) == before and not (repository / "hooked").exists()
    assert (repository / "vm.c").read_text() == "\n\n" + LEAKY
    full = str(repository / "vm.c")
    assert run("check", full, "main.c", "--baseline-commit", "HEAD").code == 0


def test_a_directory_that_was_not_there(run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "new").mkdir()
    (repository / "new" / "vm.c").write_text(LEAKY)
    monkeypatch.chdir(repository / "new")
    assert run("check", "--baseline-commit", "HEAD").out.endswith(": 2 findings\n")
    monkeypatch.chdir(repository)
    assert "2 findings (2 known before)" in run("check", ".", "--baseline-commit", "HEAD").out


def test_the_settings_of_now_count(run: Run, repository: Path) -> None:
    (repository / "vmfdlint.toml").write_text('exclude = ["/old.c"]\n')
    assert run("check", "--baseline-commit", "HEAD").code == 0


@pytest.mark.parametrize("option", ["--baseline-commit", "--diff-base"])
def test_commits_that_there_are_not(run: Run, repository: Path, option: str) -> None:
    for name in ("nothing", "--help", "HEAD:vm.c"):
        failed = run("check", f"{option}={name}")
        assert failed.code == 2 and f"{option}: git knows no commit {name!r}" in failed.err


@pytest.mark.parametrize("option", ["--baseline-commit", "--diff-base"])
def test_outside_of_git(run: Run, tree: Path, option: str) -> None:
    failed = run("check", option, "HEAD")
    assert failed.code == 2 and "is in no git work tree" in failed.err


def test_diff_base(run: Run, repository: Path) -> None:
    def rules() -> str:
        out = run("check", "--diff-base", "HEAD", "--output-format", "concise").out.splitlines()
        return " ".join(line.split()[1] for line in out[:-1])

    assert rules() == ""
    (repository / "vm.c").write_text(LEAKY.replace("    pause();\n    return", "    sleep(1);\n    return"))
    assert rules() == ""  # no step of a finding
    (repository / "vm.c").write_text(LEAKY.replace("        pause();", "        sigsuspend(0);"))
    assert rules() == "VMFD101"
    (repository / "vm.c").write_text(LEAKY.replace('"/dev/kvm", O_RDWR', '"/dev/kvm",  O_RDWR'))
    assert "VMFD301" in rules()
    (repository / "vm.c").write_text(LEAKY)
    (repository / "untracked.c").write_text('int g(void) { return open("/dev/kvm", O_RDONLY); }\n')
    assert rules() == "VMFD301"
    # A line that is gone touches its neighbours.
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    (repository / "vm.c").write_text(LEAKY.replace("\n    if (fork", "    if (fork"))
    assert rules() == "VMFD101"


def test_diff_base_and_a_file_that_was_renamed(run: Run, repository: Path) -> None:
    git(repository, "mv", "vm.c", "renamed.c")
    assert run("check", "--diff-base", "HEAD").code == 0
    (repository / "renamed.c").write_text(LEAKY.replace("        pause();", "        sigsuspend(0);"))
    assert "VMFD101" in run("check", "--diff-base", "HEAD").out


def test_diff_base_looks_at_the_own_branch_only(run: Run, repository: Path) -> None:
    git(repository, "branch", "ours")
    (repository / "vm.c").write_text(LEAKY.replace('"/dev/kvm", O_RDWR', '"/dev/kvm",  O_RDWR'))
    git(repository, "commit", "-q", "-a", "-m", "theirs")
    git(repository, "checkout", "-q", "ours")
    assert run("check", "--diff-base", "main").code == 0
