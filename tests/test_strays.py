"""Functions that no call in the tree leads to: a table that a build generates may. A child that one of them
leaves counts for the program that it most likely belongs to."""

import json
from pathlib import Path

import pytest

from vmfdlint import app

VMM = """
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>
struct machine { int fd; };
struct machine machine;
int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    machine.fd = ioctl(kvm, KVM_CREATE_VM, 0);
    for (;;)
        pause();
}
"""
TOOL = "int main(void)\n{\n    return 0;\n}\n"
QUIT = """
#include <unistd.h>
void cmd_quit(void)
{
    if (fork() == 0) {
        sleep(100);
        _exit(0);
    }
}
"""


def findings(
    root: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str, str]]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.chdir(root)
    report = app.check(app.options_for(["."], {"output_format": "json"})).report
    return [(one["rule"], one["certainty"], one["at"]["path"]) for one in json.loads(report)["findings"]]


def test_a_child_of_a_function_that_nobody_calls_is_a_doubtful_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"vmm/main.c": VMM, "tool/main.c": TOOL, "monitor/cmds.c": QUIT}
    assert findings(tmp_path, files, monkeypatch) == [("VMFD101", "may", "monitor/cmds.c")]


@pytest.mark.parametrize(
    "more",
    [
        {"tool/cmds.c": QUIT},  # the other program's
        {"monitor/cmds.c": QUIT.replace("sleep(100);", "")},  # the child ends
        {"monitor/cmds.c": QUIT.replace("void cmd_quit", "static void cmd_quit")},  # nobody can name it
        {"monitor/cmds.c": QUIT, "vmm/cmds.c": "void cmd_quit(void)\n{\n}\n"},  # the nearest is taken
    ],
    ids=["another program", "no child", "hidden", "alternative"],
)
def test_no_finding_for_what_is_not_linked_or_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    assert findings(tmp_path, {"vmm/main.c": VMM, "tool/main.c": TOOL, **more}, monkeypatch) == []


def test_a_file_may_know_the_object_by_a_variable_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vmm = VMM.replace("for (;;)", "attach();\n    for (;;)").replace(
        "int main", "void attach(void);\nint main"
    )
    header = "struct machine { int fd; };\nextern struct machine *the_machine;\n"
    vmm = vmm.replace("struct machine { int fd; };", '#include "machine.h"').replace(
        "struct machine machine;", "static struct machine machine;\nstruct machine *the_machine = &machine;"
    )
    vmm = vmm.replace("machine.fd = ", "the_machine->fd = ")
    device = """
#include "machine.h"
#include <unistd.h>
static int copy;
void attach(void)
{
    copy = dup(the_machine->fd);
}
"""
    files = {"main.c": vmm, "machine.h": header, "device.c": device}
    assert ("VMFD201", "must", "device.c") in findings(tmp_path, files, monkeypatch)


DETACH = QUIT.replace("cmd_quit", "detach")


def test_a_fork_in_what_two_programs_share_counts_for_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = TOOL.replace("return 0;", "detach();")
    machine = VMM.replace("for (;;)", "start();\n    for (;;)")
    start = "void start(void)\n{\n    detach();\n}\n"
    files = {"vmm/main.c": machine, "vmm/start.c": start, "tool/main.c": tool, "util/detach.c": DETACH}
    assert findings(tmp_path, files, monkeypatch) == [("VMFD101", "must", "util/detach.c")]


@pytest.mark.parametrize("included", [False, True], ids=["of another system", "included"])
def test_a_static_function_of_a_header_is_for_those_who_include_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, included: bool
) -> None:
    machine = VMM.replace("for (;;)", "detach();\n    for (;;)")
    condition = "#ifndef _WIN32" if included else "#ifdef _WIN32"
    files = {
        "vmm/main.c": f'{condition}\n#include "../include/other.h"\n#endif\n{machine}',
        "include/other.h": "static inline void detach(void)\n{\n}\n",
        "util/detach.c": DETACH,
    }
    expected = [] if included else [("VMFD101", "must", "util/detach.c")]
    assert findings(tmp_path, files, monkeypatch) == expected


@pytest.mark.parametrize("beside", [True, False], ids=["of the machine's file", "of another file"])
def test_a_function_that_the_file_of_the_machine_calls_is_linked_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    # Nobody calls vcpu_thread(): what a build generates may. A tool has its main() beside what it calls.
    thread = "void arch_init(void);\nvoid vcpu_thread(void)\n{\n    arch_init();\n}\n"
    files = {
        "vmm/main.c": VMM + (thread if beside else ""),
        "other/thread.c": "" if beside else thread,
        "arch/gen.c": TOOL,
        "arch/x86.c": QUIT.replace("cmd_quit", "arch_init"),
    }
    expected = [("VMFD101", "may", "arch/x86.c")] if beside else []
    assert findings(tmp_path, files, monkeypatch) == expected
