"""A report about a Python file speaks Python: places, help and names."""

import re
from pathlib import Path

import pytest
from commands import Run

from vmfdlint.check.spoken import spoken
from vmfdlint.frontends.python.library import NOTATION
from vmfdlint.ir import Notation
from vmfdlint.report import rule_markdown
from vmfdlint.rulebook import load_rules
from vmfdlint.summary import show

_C_ONLY = re.compile(
    r"goto|g_autofd|EINTR|posix_spawn|close_range|F_SETFD, FD|daemon\(\)|fopen\(|&msg|\bto -1\b"
)
MACHINES_PY = """\
import fcntl, os, time

class Vm:
    def __init__(self):
        self.kvm = os.open("/dev/kvm", os.O_RDWR)
        self.fd = fcntl.ioctl(self.kvm, 0xAE01, 0)
        self.entry = {"vcpu": fcntl.ioctl(self.fd, 0xAE41, 0)}

def main():
    vm = Vm()
    vms = {}
    vms[input()] = Vm()
    if os.fork() == 0:
        time.sleep(10)
    os.close(vm.entry["vcpu"])
    os.close(vm.fd)
    time.sleep(10)

main()
"""


WORKER_PY = """\
import fcntl, multiprocessing, os

def main():
    kvm = os.open("/dev/kvm", os.O_RDWR)
    vm = fcntl.ioctl(kvm, 0xAE01, 0)
    multiprocessing.Process(target=print).start()
    input()
    os.close(vm)

main()
"""


@pytest.mark.parametrize(
    ("path", "in_c", "in_python"),
    [
        (("self", "->fd"), "self->fd", "self.fd"),
        (("vms", "->[]", "->fd"), "vms[]->fd", "vms[...].fd"),
        (("entry", "->[vcpu]"), "entry[vcpu]", 'entry["vcpu"]'),
        (("l", "->[-1]", "->[3]"), "l[-1][3]", "l[-1][3]"),
        (("%t1", "->fd"), "a temporary->fd", "an object"),
        (("*tools.vm.Vm", "->fd", "->[a]"), "tools.vm.Vm.fd[a]", 'Vm.fd["a"]'),
        (("*?", "->run", "->x"), "a member run->x", "a member run.x"),
    ],
)
def test_path(path: tuple[str, ...], in_c: str, in_python: str) -> None:
    assert (show(path, Notation()), show(path, NOTATION)) == (in_c, in_python)


def test_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "machines.py").write_text(MACHINES_PY, encoding="utf-8")
    text = run("check", "--no-cache", str(tmp_path)).out
    assert 'stored in vms[...].entry["vcpu"]' in text
    assert "VM descriptor in self.fd (process)" in text
    assert "->" not in text
    assert "a temporary" not in text
    assert "help: Fork the helpers first" in text
    assert "start a program by subprocess" in text
    assert "close_range" not in text


def test_help_is_that_of_the_language() -> None:
    """No rule tells a Python user of what only C has."""
    for rule in load_rules():
        text = rule.doc.fix_in("python")
        page = " ".join(rule_markdown(rule.doc).split())
        kernel_only = rule.doc.id in ("VMFD404", "VMFD405")
        assert kernel_only or not _C_ONLY.search(text), (rule.doc.id, text)
        assert rule.doc.fix_in("c") == " ".join(rule.doc.fix.split())
        assert all(rule.doc.fix_in(language) in page for language in rule.doc.fixes)


@pytest.mark.parametrize(
    ("api", "told"),
    [
        ("multiprocessing.context.fork.Process.start", "Process.start"),
        ("concurrent.futures.fork.ProcessPoolExecutor.map", "ProcessPoolExecutor.map"),
        ("python2.builtins.open", "open"),
        ("waits in builtins.input()", "waits in input()"),
        ("python2.os.open", "os.open"),
        ("io.FileIO.close", "close"),
        ("?.close", "close"),
        ("why? builtins.", "why? builtins."),
        ("io.FileIO()", "io.FileIO()"),
        ("my.builtins.open", "my.builtins.open"),
        ("mmap.mmap.close", "mmap.mmap.close"),
        ("ioctl(KVM_CREATE_VM)", "ioctl(KVM_CREATE_VM)"),
    ],
)
def test_names_as_they_are_written(api: str, told: str) -> None:
    assert spoken(api) == told


def test_names_in_a_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER_PY, encoding="utf-8")
    text = run("check", "--no-cache", "--target-python", "3.11", str(tmp_path)).out
    assert " Process.start() " in text
    assert "context.fork" not in text
    assert "builtins." not in text
