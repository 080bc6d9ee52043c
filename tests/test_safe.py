"""``check --show-safe``: what is listed as safe, with which reason and rule, and what never is."""

import json
from pathlib import Path

import pytest
from commands import Run

from vmfdlint.finding import Act
from vmfdlint.rulebook import load_rules

SAFE_C = """\
static void guard(int vm)
{
    int copy = dup(vm);
    if (copy >= 0)
        close(copy);
    if (fork() == 0) {
        close_range(3, ~0U, 0);
        pause();
        _exit(0);
    }
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fork() == 0) {
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    guard(vm);
    system("ls");
    pause();
    return 0;
}
"""
UNSAFE_C = SAFE_C.replace("close(copy);", "keep = copy;").replace("close_range(3, ~0U, 0);", ";")
SAFE_PY = """\
import fcntl, os, signal, subprocess

def main():
    subprocess.run(["ls"])
    kvm = os.open("/dev/kvm", os.O_RDWR)
    vm = fcntl.ioctl(kvm, 0xAE01, 0)
    if os.fork() == 0:
        os.execv("/bin/true", ["true"])
    signal.pause()

main()
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(run: Run, *arguments: str) -> list[str]:
    """The lines about safe sites."""
    out = run("check", "--output-format", "concise", *arguments).out
    return [line for line in out.splitlines() if ": safe " in line]


def test_safe_sites_with_their_reasons(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(SAFE_C)
    assert listed(run, "--show-safe") == [
        "vm.c:3:16: safe dup in guard: the copy of the VM descriptor is closed, or only takes the original's "
        "place",
        "vm.c:6:9: safe fork in guard: the child of this fork ends, executes a program or gives up every VM "
        "descriptor before it waits",
        "vm.c:16:9: safe fork in main: fork(): the child executes a program or ends, and closes what it "
        "holds before it waits",
        "vm.c:17:9: safe exec in main: execl(): no descriptor of a VM without close-on-exec is open when "
        "this runs",
        "vm.c:22:5: safe spawn in main: system(): the program it starts gets no descriptor that is "
        "close-on-exec",
    ]
    assert listed(run) == listed(run, "-v") == []


def test_what_is_reported_is_not_safe(run: Run, tree: Path) -> None:
    """Neither where its rule is not selected, nor where a comment silences it; system() gets the copy."""
    (tree / "vm.c").write_text(UNSAFE_C)
    for more in ((), ("--ignore", "VMFD"), ("--select", "VMFD3")):
        safe = listed(run, "--show-safe", *more)
        assert [line.split(":")[1] for line in safe] == ["16", "17"]
    (tree / "vm.c").write_text(UNSAFE_C.replace("    if (fork() == 0) {\n        ;", IGNORED))
    assert [line.split(":")[1] for line in listed(run, "--show-safe")] == ["16", "17"]


IGNORED = "    if (fork() == 0) { /* vmfdlint: ignore[VMFD101] a helper */\n        ;"


def test_an_exec_that_passes_a_holder_on_is_not_safe(run: Run, tree: Path) -> None:
    """The finding stands where close-on-exec was cleared."""
    text = SAFE_C.replace("system(", "fcntl(vm, F_SETFD, 0);\n    system(")
    (tree / "vm.c").write_text(text)
    assert "VMFD302" in run("check").out
    assert not [line for line in listed(run, "--show-safe") if "spawn" in line]


def test_python(run: Run, tree: Path) -> None:
    (tree / "vm.py").write_text(SAFE_PY)
    found = listed(run, "--show-safe")
    assert [line.split(":")[1] for line in found] == ["4", "7", "8"]
    assert [line.split(": ")[1].split()[1] for line in found] == ["spawn", "fork", "exec"]


def test_machines_get_them_on_request(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(SAFE_C)
    assert json.loads(run("check", "--output-format", "json").out)["safe"] == []
    shown = json.loads(run("check", "--output-format", "json", "--show-safe").out)["safe"]
    assert [(one["act"], one["rule"]) for one in shown] == [
        ("dup", "VMFD201"),
        ("fork", "VMFD101"),
        ("fork", "VMFD101"),
        ("exec", "VMFD305"),
        ("spawn", "VMFD305"),
    ]
    assert not json.loads(run("check", "--output-format", "sarif").out)["runs"][0]["results"]
    log = json.loads(run("check", "--output-format", "sarif", "--show-safe").out)["runs"][0]
    assert {(one["kind"], one["level"]) for one in log["results"]} == {("pass", "none")}
    for result in log["results"]:
        assert log["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert log["artifacts"][place["artifactLocation"]["index"]]["location"]["uri"] == "vm.c"
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert len(log["results"]) == len(shown)


def test_only_the_files_asked_about(run: Run, tree: Path) -> None:
    (tree / "vm.c").write_text(SAFE_C)
    (tree / "other.c").write_text("void f(void) { if (fork() == 0) _exit(0); }\n")
    found = listed(run, "--show-safe", "other.c", "--project", ".")
    assert [line.split(":")[0] for line in found] == ["other.c"]


def test_every_act_has_one_rule() -> None:
    judges = [act for rule in load_rules() for act in rule.judges]
    assert sorted(judges) == sorted(Act)
