"""Differential testing: plans are spread and repeatable, both languages are right, and verdicts are fair."""

import shutil

import pytest

from tools import cli as tools
from tools.differential import campaign, table
from tools.differential.generate import plans, rules
from tools.differential.observe import Run, environments, files_of
from tools.differential.plan import CONSTRUCTS, Language, Plan, Step, constructs
from tools.differential.reduce import reduced
from tools.differential.verdict import causes, check, compare
from tools.evidence.build import compiler
from tools.evidence.family import Holder
from tools.evidence.shown import Seen
from tools.trees import Unreadable

LANGUAGES = table.LANGUAGES


def _no_compiler() -> bool:
    try:
        compiler()
    except Unreadable:
        return True
    return False


needs_compiler = pytest.mark.skipif(_no_compiler(), reason="no C compiler: the programs cannot be built")


def _seen(*holders: Holder, status: int | None = None) -> list[Run]:
    return [Run((), Seen(1, 1 if holders else 0, tuple(sorted(holders)), True, status))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_gives_the_same_programs(language: Language) -> None:
    first, again = (list(plans(3, 30, language)) for _ in range(2))
    assert first == again and [files_of(plan) for plan in first] == [files_of(plan) for plan in again]
    assert first != list(plans(4, 30, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_is_filled(language: Language) -> None:
    met = {(plan.rule, construct) for plan in plans(1, 130, language) for construct in constructs(plan)}
    assert met == {(rule, construct) for rule in rules(language) for construct in CONSTRUCTS}


def test_python_programs_are_python() -> None:
    for plan in plans(2, 120, "Python"):
        for name, text in files_of(plan).items():
            compile(text, f"{plan.seed}/{name}", "exec")


def test_one_plan_gives_both_languages() -> None:
    steps = (Step("open"), Step("vm"), Step("dup", ("vm",), "dup", when="W1"), Step("wait"))
    plan = Plan(1, "VMFD201", "C", steps)
    assert list(environments(plan)) == [(), ("W1",)]
    assert "copy = dup(vm);" in files_of(plan)["main.c"]
    python = Plan(1, "VMFD201", "Python", steps, {"copy": "container"})
    assert 'held["copy"] = os.dup(vm)' in files_of(python)["main.py"]


@needs_compiler
def test_vmfdlint_says_what_is_seen() -> None:
    """Some programs under the play of /dev/kvm, on every path."""
    chosen = [plan for language in LANGUAGES for plan in plans(1, 13, language)]
    results = campaign.run_all(chosen, "fifo")
    assert [one.plan for one in results] == chosen
    assert any(one.verdict and one.verdict.seen for one in results), "a VM that lives on"
    wrong = [f"{one.plan.seed}: {one.failed or one.verdict}" for one in results if not one.agrees]
    assert not wrong, wrong


@needs_compiler
def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert tools.run(["differential", "--seed", "1", "--count", "2", "--language", "C"]) == 0
    assert "C: 2 of 2 programs agree (100.0 %)" in capfd.readouterr().out
    assert tools.run(["differential", "--seed", "1", "--count", "1", "--language", "C", "--json"]) == 0
    assert '"agree": 1' in capfd.readouterr().out


def test_no_compiler_is_said_clearly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert tools.run(["differential", "--count", "1"]) == 2
    assert "no C compiler" in capfd.readouterr().err


def test_who_holds_the_vm_tells_the_cause() -> None:
    child = Holder("child", "kvm-vm, close-on-exec")
    mapped = Holder("child", "kvm-vcpu, mapped")
    own = Holder("creator", "kvm-vm, close-on-exec")
    handle = Holder("creator", "kvm-vcpu, close-on-exec")
    other = Holder("sleep", "kvm-gmem, inheritable")
    for holders, status, expected in (
        ((), None, []),
        ((child,), None, [{"VMFD101", "VMFD105"}]),
        ((child,), 0, [{"VMFD104"}]),
        ((mapped,), None, [{"VMFD102"}]),
        ((own,), None, [{"VMFD201", "VMFD501"}]),
        ((handle,), None, [{"VMFD201", "VMFD501", "VMFD502", "VMFD505"}]),
        ((other,), None, [{"VMFD306"}]),
        ((Holder("creator", "/dev/kvm, close-on-exec"), child), None, [{"VMFD101", "VMFD105"}]),
    ):
        found = causes(_seen(*holders, status=status), kernel=False, python=False)
        assert [set(each) for each in found] == expected, holders
    assert causes([Run((), Seen(1, 0, (), True, 5))], kernel=True, python=False) == (frozenset({"VMFD106"}),)
    assert causes([Run((), Seen(1, 0, (), True, 5))], kernel=False, python=False) == ()


def test_what_agrees() -> None:
    lines = ["int main(void)", "{", '    int vm = ioctl(open("/dev/kvm", O_CLOEXEC), KVM_CREATE_VM, 0);']
    lines += ["    int copy = fcntl(vm, F_DUPFD_CLOEXEC, 3);", "    close(vm);", "    pause();"]
    findings = check({"main.c": "\n".join([*lines, "    close(copy);", "    return 0;", "}"])})
    own = frozenset({"VMFD201", "VMFD501"})
    child = frozenset({"VMFD101", "VMFD105"})
    assert compare([own], findings, kernel=False).wrong == ()
    assert compare([], findings, kernel=False).wrong == ("not seen: VMFD201",)
    assert compare([own, child], findings, kernel=False).wrong == ("missed: VMFD101 or VMFD105",)
    assert compare([own], [], kernel=False).wrong == ("missed: VMFD201 or VMFD501",)
    assert compare([own], findings, kernel=False).found == {"VMFD201"}


def test_a_plan_is_made_small() -> None:
    (plan,) = (one for one in plans(1, 40, "C") if one.seed == 1_000_004)

    def duplicates(simpler: Plan) -> bool:
        return any(step.op == "dup" for step in simpler.steps)

    small = reduced(plan, duplicates)
    assert duplicates(plan) and not small.places and not small.apart
    assert {step.op for step in small.steps} <= {"open", "vm", "dup", "close", "teardown", "wait"}
    assert not any(step.is_function or step.when for step in small.steps)


def test_the_table() -> None:
    plan = Plan(7, "VMFD201", "C", (Step("open"), Step("vm"), Step("wait")))
    good = campaign.Result(plan, "fifo", compare([], [], kernel=False))
    bad = campaign.Result(plan, "fifo", failed="does not compile")
    assert table.cells([good, bad]) == {("C", "VMFD201", "create"): (1, 2)}
    shown = table.text([good, bad])
    assert "C VMFD201 7: does not compile" in shown and "all: 1 of 2 programs agree (50.0 %)" in shown
    assert table.document([good])["disagree"] == []
