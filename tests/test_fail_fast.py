"""What ``--fail-fast`` ends with, and that it looks at everything where nothing new fails."""

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run
from literate import Program
from test_fixtures import PROGRAMS

from vmfdlint.check import match
from vmfdlint.engine import Target, solve
from vmfdlint.finding import Certainty
from vmfdlint.models import default_models
from vmfdlint.rulebook import load_rules
from vmfdlint.solve import Early

MAIN = """
#include "vm.h"
int main(void)
{
    int vm = make_vm();
    run(vm);
    pause();
    return 0;
}
"""
HEADER = "int make_vm(void);\nvoid run(int vm);\n"
VM = """
#include "vm.h"
int make_vm(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    close(kvm);
    return vm;
}
"""
RUN = """
#include "vm.h"
void run(int vm)
{
    ioctl(vm, KVM_CREATE_IRQCHIP, 0);
}
"""
OLD = """
void old(void)
{
    int kvm = open("/dev/kvm", O_RDWR);
    ioctl(kvm, KVM_CREATE_VM, 0);
    pause();
}
int start(void) __attribute__((constructor));
int start(void) { old(); return 0; }
"""
FORK = "    if (fork() == 0) { for (;;) pause(); }\n"

Check = Callable[..., tuple[int, list[str], bool]]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean program of three files, and one with old findings, checked before."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"main.c": MAIN, "vm.h": HEADER, "vm.c": VM, "run.c": RUN, "old.c": OLD}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.delenv("VMFDLINT_NO_CACHE")
    return tmp_path


@pytest.fixture
def check(run: Run, tree: Path) -> Check:
    """Checks the tree -> exit code, ``path:RULE`` of what is reported, whether it ended early."""

    def checked(*arguments: str) -> tuple[int, list[str], bool]:
        result = run("check", "--isolated", "--output-format", "concise", *arguments, ".")
        lines = [line for line in result.out.splitlines() if " VMFD" in line]
        found = [f"{line.partition(':')[0]}:{line.split()[1]}" for line in lines]
        return result.code, found, "--fail-fast" in result.out + result.err

    assert checked()[0] == 1, "the old file has findings"
    return checked


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_fork_is_told_alone(check: Check, tree: Path) -> None:
    change(tree / "vm.c", "    close(kvm);\n", "    close(kvm);\n" + FORK)
    assert check("--fail-fast") == (1, ["vm.c:VMFD101"], True)
    code, found, early = check()
    assert code == 1 and not early
    assert {"vm.c:VMFD101", "old.c:VMFD301"} <= set(found)


def test_it_says_that_it_ended(run: Run, check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    assert run("check", "--isolated", "--fail-fast").out.splitlines()[-2:] == [
        "Ended with what is new since the last run (--fail-fast): nothing else was looked for.",
        "Followed what changed in 5 files: 1 finding",
    ]


def test_a_fork_in_a_function_that_a_descriptor_passed(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    assert check("--fail-fast") == (1, ["run.c:VMFD101"], True)


def test_a_copy_that_nothing_holds(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n    dup(vm);\n")
    assert check("--fail-fast") == (1, ["run.c:VMFD201"], True)


def test_a_copy_that_its_function_loses(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n    int copy = dup(vm);\n    if (copy < 0) return;\n")
    assert check("--fail-fast") == (1, ["run.c:VMFD201"], True)


def test_a_copy_in_a_variable_is_followed_to_the_end(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n    static int copy;\n    copy = dup(vm);\n")
    assert check("--fail-fast") == (1, ["run.c:VMFD201", "run.c:VMFD303"], True)
    change(tree / "run.c", "copy = dup(vm);", "copy = fcntl(vm, F_DUPFD_CLOEXEC, 3);\n    close(copy);")
    _code, found, early = check("--fail-fast")
    assert not early and not any(one.startswith("run.c") for one in found)


def test_what_fails_not_is_looked_at_in_full(check: Check, tree: Path) -> None:
    everything = check()
    change(tree / "run.c", "{\n", '{\n    printf("runs");\n')
    assert check("--fail-fast") == everything


def test_a_fork_whose_child_ends_is_none(check: Check, tree: Path) -> None:
    everything = check()
    change(tree / "run.c", "{\n", "{\n    if (fork() == 0) _exit(0);\n")
    assert check("--fail-fast") == everything


def test_what_a_comment_silences_does_not_end_it(check: Check, tree: Path) -> None:
    everything = check()
    change(tree / "run.c", "{\n", "{\n    // vmfdlint: ignore[VMFD101] meant so\n" + FORK)
    _code, found, early = check("--fail-fast")
    assert (found, early) == (everything[1], False)


def test_a_comment_elsewhere_may_be_for_what_is_not_followed(check: Check, tree: Path) -> None:
    change(tree / "vm.c", "KVM_CREATE_VM, 0);", "KVM_CREATE_VM, 0); // vmfdlint: ignore[VMFD101] meant so")
    everything = check()
    change(tree / "run.c", "{\n", "{\n" + FORK)
    _code, found, early = check("--fail-fast")
    assert not early and "run.c:VMFD101" not in found and "old.c:VMFD301" in everything[1]


def test_what_programs_read_is_everything(check: Check, tree: Path, tmp_path: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    _code, found, early = check("--fail-fast", "--output-format", "gitlab:report.json")
    assert not early and "old.c:VMFD301" in found


def test_that_a_child_has_only_a_mapping_is_not_said_early(check: Check, tree: Path) -> None:
    vcpu = """
void *map_run(int vm, int size)
{
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    void *run = mmap(0, size, PROT_READ, MAP_SHARED, vcpu, 0);
    close(vcpu);
    return run;
}
"""
    change(tree / "vm.c", "    return vm;\n}\n", "    return vm;\n}\n" + vcpu)
    change(tree / "vm.h", "int make_vm(void);\n", "int make_vm(void);\nvoid *map_run(int vm, int size);\n")
    change(tree / "main.c", "    run(vm);\n", "    void *mapped = map_run(vm, 4096);\n    run(vm);\n")
    check()
    change(tree / "vm.c", "    return run;\n", FORK + "    return run;\n")
    assert check("--fail-fast")[1] in (["vm.c:VMFD101"], check()[1])
    assert "vm.c:VMFD102" not in check("--fail-fast")[1]


def test_no_comment_is_called_unused_where_not_all_was_looked_for(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK + "    // vmfdlint: ignore[VMFD502] nothing stays here\n\n")
    assert check("--fail-fast") == (1, ["run.c:VMFD101"], True)
    assert "run.c:VMFD901" in check()[1]


def test_a_kind_of_finding_that_a_function_had_is_not_new(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    check()
    change(tree / "run.c", "{\n", "{\n" + FORK)
    _code, found, early = check("--fail-fast")
    assert not early and "old.c:VMFD301" in found and "run.c:VMFD101" in found


def test_it_says_the_same_again(check: Check, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    assert check("--fail-fast") == check("--fail-fast") == (1, ["run.c:VMFD101"], True)


@pytest.mark.parametrize("option", ["--no-cache", "--exit-zero", "--show-safe", "--select=VMFD301"])
def test_where_all_is_wanted_all_is_told(check: Check, tree: Path, option: str) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    _code, found, early = check("--fail-fast", option)
    assert not early and "old.c:VMFD301" in found


def test_the_first_run_looks_at_everything(run: Run, tree: Path) -> None:
    change(tree / "run.c", "{\n", "{\n" + FORK)
    out = run("check", "--isolated", "--fail-fast", "--output-format", "concise", ".").out
    assert "run.c" in out and "old.c" in out and "--fail-fast" not in out


def test_a_new_program(check: Check, tree: Path) -> None:
    new = MAIN.replace("make_vm()", 'ioctl(open("/dev/kvm", O_CLOEXEC), KVM_CREATE_VM, 0)')
    (tree / "new").mkdir()
    (tree / "new" / "new.c").write_text(new.replace("    run(vm);\n", FORK))
    code, found, early = check("--fail-fast")
    assert (code, early) == (1, True) and "new/new.c:VMFD101" in found and "old.c:VMFD301" not in found


def test_python(check: Check, tree: Path) -> None:
    program = """import fcntl, os, time
from vm import make
def main():
    vm = make()
    time.sleep(100)
if __name__ == "__main__":
    main()
"""
    made = """import fcntl, os
KVM_CREATE_VM = 0xAE01
def make():
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    return fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
"""
    (tree / "main.py").write_text(program)
    (tree / "vm.py").write_text(made)
    check()
    change(tree / "main.py", "    time", "    if os.fork() == 0:\n        time.sleep(50)\n    time")
    code, found, early = check("--fail-fast")
    assert (code, early) == (1, True) and "main.py:VMFD101" in found and "old.c:VMFD301" not in found


FLAGGED = [program for program in PROGRAMS if program.section == "Flagged"][::3]


@pytest.mark.parametrize("program", FLAGGED, ids=lambda program: program.name)
def test_what_is_told_early_is_told_in_the_end(program: Program) -> None:
    """As if all functions of a program had changed."""
    rules = load_rules()
    every = frozenset(rule.doc.id for rule in rules)
    target = Target(python=program.target) if program.target is not None else Target()
    solver = solve(program.sources, default_models(), 1, target).solver
    early = Early(solver, lambda _key: True, lambda _key: True)
    early.run()
    certain = [one for one in match(early, rules, every) if one.certainty is Certainty.MUST]
    in_the_end = {(one.rule, one.at) for one in match(solver, rules, every)}
    assert in_the_end.issuperset((one.rule, one.at) for one in certain)
