"""What is read on demand against all there is: ``check --exhaustive`` gives the same answers."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import Run
from literate import FIXTURES, read

PROGRAMS = FIXTURES / "programs"

TOOL = {
    "main.c": """
#include "cmd.h"
#include <string.h>
static struct cmd commands[] = { { "run", cmd_run }, { "list", cmd_list }, { 0, 0 } };
int main(int argc, char **argv)
{
    for (struct cmd *one = commands; one->name; one++)
        if (!strcmp(one->name, argv[1]))
            return one->run(argc, argv);
    return 1;
}
""",
    "cmd.h": """
struct cmd { const char *name; int (*run)(int argc, char **argv); };
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
""",
    "run.c": """
#include "cmd.h"
#include "vm.h"
int cmd_run(int argc, char **argv)
{
    struct vm vm;
    if (vm_init(&vm) < 0)
        return 1;
    devices_init(&vm);
    return vm_run(&vm);
}
""",
    "list.c": """
#include "cmd.h"
#include <stdio.h>
#include <unistd.h>
/* Nothing of a VM: nobody has to read it. */
int cmd_list(int argc, char **argv)
{
    if (fork() == 0)
        execlp("ls", "ls", "/run/vms", (char *)0);
    return 0;
}
""",
    "vm.h": """
#include <fcntl.h>
#include <linux/kvm.h>
#define VM_FLAGS (O_RDWR | O_CLOEXEC)
#define device_init(setup) static const setup_fn registered_##setup __attribute__((used)) = setup
struct vm { int system; int fd; int cpus[4]; };
typedef int (*setup_fn)(struct vm *vm);
struct device_ops { int (*start)(struct vm *vm); void (*stop)(struct vm *vm); };
struct device { const char *name; const struct device_ops *ops; };
int vm_init(struct vm *vm);
int vm_run(struct vm *vm);
int devices_init(struct vm *vm);
int register_device(struct device *device);
""",
    "vm.c": """
#include "vm.h"
#include <sys/ioctl.h>
int vm_init(struct vm *vm)
{
    vm->system = open("/dev/kvm", VM_FLAGS);
    if (vm->system < 0)
        return -1;
    vm->fd = ioctl(vm->system, KVM_CREATE_VM, 0);
    return vm->fd;
}
int vm_run(struct vm *vm)
{
    vm->cpus[0] = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
    return ioctl(vm->cpus[0], KVM_RUN, 0);
}
""",
    "devices.c": """
#include "vm.h"
static struct device *devices[8];
static int count;
int register_device(struct device *device)
{
    devices[count++] = device;
    return 0;
}
int devices_init(struct vm *vm)
{
    for (int at = 0; at < count; at++)
        if (devices[at]->ops->start(vm) < 0)
            return -1;
    return 0;
}
""",
    "net/tap.c": """
#include "../vm.h"
#include <sys/wait.h>
#include <unistd.h>
static int tap_start(struct vm *vm)
{
    int status;
    pid_t script = fork();
    if (script == 0) {
        execl("/etc/tap-up", "tap-up", (char *)0);
        _exit(1);
    }
    waitpid(script, &status, 0);
    return dup(vm->fd);
}
static void tap_stop(struct vm *vm) { close(vm->fd); }
static const struct device_ops tap_ops = { .start = tap_start, .stop = tap_stop };
static struct device tap = { .name = "tap", .ops = &tap_ops };
static void __attribute__((constructor)) tap_register(void) { register_device(&tap); }
""",
    "net/broken.c": """
/* Unread, and nobody asks. */
int broken(void) { return @@ $ 7 +; }
void tap_close(int fd) { if (fd) { } } } }
""",
    "tools/report.py": """
import subprocess


class Report:
    def start(self, vm):
        return subprocess.run(["ls"], check=True)
""",
    "tools/launch.py": """
import fcntl
import os

from report import Report

KVM_CREATE_VM = 0xAE01


def main():
    kvm = os.open("/dev/kvm", os.O_RDWR)
    vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
    os.set_inheritable(vm, True)
    Report().start(vm)


main()
""",
}


def answers(text: str) -> dict[str, Any]:
    """A report without the counts of what was read."""
    document: dict[str, Any] = msgspec.json.decode(text)
    counted = document.pop("statistics")
    assert counted["files"]
    return document


def same(run: Run, tree: Path) -> dict[str, Any]:
    line = ("check", "--output-format", "json", "-v", "--show-safe", "-j", "1", "--isolated", str(tree))
    found, whole = run(*line).out, run(*line, "--exhaustive").out
    assert answers(found) == answers(whole)
    read = [msgspec.json.decode(text)["statistics"]["functions"] for text in (found, whole)]
    return {**answers(found), "read": read}


def test_a_tool_with_tables_constructors_and_scripts(run: Run, tmp_path: Path) -> None:
    for name, text in TOOL.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = same(run, tmp_path)
    paths = {finding["at"]["path"] for finding in found["findings"]}
    assert {"net/tap.c", "tools/launch.py"} <= paths
    assert found["read"][0] < found["read"][1], "the demand-driven run read everything as well"
    assert not any(problem["path"] == "net/broken.c" for problem in found["problems"])


@pytest.mark.parametrize("name", ["minivmm", "minivmm-clean"])
def test_a_small_monitor(run: Run, name: str) -> None:
    same(run, PROGRAMS / name)


def test_many_programs_in_one_tree(run: Run) -> None:
    """Some two hundred files with a main() and names of each other."""
    assert same(run, PROGRAMS / "evidence")["findings"]


def test_programs_of_the_fixtures(run: Run, tmp_path: Path) -> None:
    """A directory a program, a third of them in one tree."""
    for number, path in enumerate(sorted(FIXTURES.rglob("VMFD*.md"))[::3]):
        for program in read(path)[:2]:
            for name, text in program.files.items():
                file = tmp_path / f"{number}-{program.line}" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
    assert same(run, tmp_path)["findings"]
