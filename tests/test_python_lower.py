"""Python source -> raw IR: what each construct becomes. The IR is compared as text, without its spans."""

import re

import libcst as cst
import pytest

from vmfdlint.base import SourceText
from vmfdlint.frontends.python.lower import lower_module
from vmfdlint.frontends.python.module import Module
from vmfdlint.ir import print_function, validate


def lowered(text: str, path: str = "tools/vm.py") -> Module:
    """A source as a raw module; every function in it is well-formed."""
    source = SourceText(path, text.encode())
    module = lower_module(cst.parse_module(source.data), source)
    for function in module.functions.values():
        assert validate(function) == (), print_function(function)
    return module


def body(text: str, name: str) -> str:
    """One function of a source as text, quotes and spans left out."""
    printed = print_function(lowered(text).functions[name])
    return re.sub(r"  @\d+:\d+(-\d+:\d+)?$", "", printed, flags=re.MULTILINE).replace("'", "")


NAMES = [
    ("import os\ndef f():\n    os.close(3)\n", "call os.close(3)"),
    ("import os as system\ndef f():\n    system.close(3)\n", "call os.close(3)"),
    ("from os import close as shut\ndef f():\n    shut(3)\n", "call os.close(3)"),
    ("def f():\n    import fcntl\n    fcntl.ioctl(3, 4)\n", "call fcntl.ioctl(3, 4)"),
    ("from .api import ioctl\ndef f():\n    ioctl(3)\n", "call tools.api.ioctl(3)"),
    ("from api import *\ndef f():\n    ioctl(3)\n", "call *.ioctl(3)"),
    ("def g(): pass\ndef f():\n    g()\n", "call tools.vm.g()"),
    ("class Vm: pass\ndef f():\n    x = Vm(1)\n", "call tools.vm.Vm(1)"),
    ("def f():\n    open('a')\n", 'call builtins.open("a")'),
    ("def f(g):\n    g(1)\n", "icall g(1)"),
    ("def f(vm):\n    vm.close()\n", "mcall vm->close()"),
    ("import os\nFD = 3\ndef f():\n    os.close(FD)\n", "call os.close(3{FD})"),
    ("import os\nfd = os.open('a')\ndef f():\n    os.close(fd)\n", "call os.close(@@fd)"),
    ("import kvmapi\ndef f():\n    kvmapi.go(kvmapi.CREATE)\n", "call kvmapi.go(@kvmapi.CREATE)"),
    ("import os\ndef f(a):\n    os.open(a, os.O_RDWR | os.O_CLOEXEC)\n", "os.open(a, {O_CLOEXEC|O_RDWR})"),
    ("import x\ndef f(a):\n    x.g(a & ~x.FD_CLOEXEC)\n", "call x.g(a &~{FD_CLOEXEC})"),
    ("def _IO(t, n): return t << 8 | n\nX = _IO(0xAE, 1)\ndef f(a):\n    a(X)\n", "icall a(44545{X})"),
    ("def f(a, b):\n    a(f'/proc/{b}/x')\n", 'call python.format("/proc/%s/x", b)'),
    ("def f(a, b):\n    a('/proc/%d/x' % b)\n", 'call python.format("/proc/%s/x", b)'),
    ("def f(a, b):\n    a('/{}/x'.format(b))\n", 'call python.format("/%s/x", b)'),
    ("def f(a, b):\n    a(b / 'x')\n", 'call python.format("%s/%s", b, "x")'),
    ("def f(a):\n    a(x=1, *a)\n", "icall a(x=1, *=a)"),
    ("def f(d):\n    return d['fd']\n", "return d->[fd]"),
    ("def f(d):\n    return d[2]\n", "return d->[2]"),
    ("def f(d, i):\n    return d[i]\n", "return d->[]"),
    ("def f(d):\n    return getattr(d, 'fd')\n", "return d->fd"),
    ("def f(a):\n    a(lambda x: x)\n", "icall a(fn:tools.vm.f.<lambda:2:7>)"),
    ("import ctypes\ndef f(a):\n    a(ctypes.byref(a))\n", "icall a(a)"),
]


@pytest.mark.parametrize(("text", "wanted"), NAMES, ids=[text.split("\n")[-2].strip() for text, _ in NAMES])
def test_an_expression_becomes(text: str, wanted: str) -> None:
    assert wanted in body(text, "f")


def test_a_member_of_self_belongs_to_its_class() -> None:
    text = "class Vm:\n    def close(self):\n        self.fd = None\n"
    assert "self->fd<tools.vm.Vm> = 0{None}" in body(text, "Vm.close")


def test_a_call_that_raises_leaves_by_an_edge_of_its_own() -> None:
    assert body("def f(g):\n    x = g()\n", "f") == (
        "function tools/vm.py::f(g)\n"
        "b0:\n  %t0 = icall g()\n  -> b2, b1\n"
        "b1:\n  assume %raised != 0\n  %raised = 1\n  call python.drop(x)\n  return\n"
        "b2:\n  assume %raised == 0\n  x = %t0\n  call python.drop(x)\n  return 0{None}\n"
    )


HANDLERS = [
    ("except OSError:", True, True),
    ("except Exception as error:", True, False),
    ("except:", True, False),
    ("except KeyError:", True, True),
    ("except (KeyError, OSError):", True, True),
    ("except (KeyError, Exception):", True, False),
    ("except VmError:", True, True),
]


@pytest.mark.parametrize(("clause", "caught", "passes"), HANDLERS)
def test_which_handler_takes_what_a_call_raises(clause: str, caught: bool, passes: bool) -> None:
    text = f"def f(g, h):\n    try:\n        g()\n    {clause}\n        return h\n    return 1\n"
    printed = body(text, "f")
    assert ("return h" in printed) is caught
    assert ("%raised = 1\n  return\n" in printed) is passes


@pytest.mark.parametrize(
    ("clause", "names"),
    [
        ("except KeyError:", "{KeyError}"),
        ("except (KeyError, VmError):", "{KeyError|VmError}"),
        ("except IOError:", "{OSError}"),
    ],
)
def test_a_handler_asks_what_a_call_has_raised(clause: str, names: str) -> None:
    printed = body(f"def f(g, h):\n    try:\n        g()\n    {clause}\n        return h\n", "f")
    assert f"assume %raised_as & {names}" in printed and f"assume %raised_as !& {names}" in printed


def test_what_is_raised_has_a_name() -> None:
    text = "def f(g):\n    if g:\n        raise ValueError(g)\n    raise g\n"
    assert body(text, "f").count("%raised_as = 1{ValueError}") == 1


def test_a_cleanup_runs_on_every_way_out() -> None:
    text = "def f(g, h):\n    try:\n        if g():\n            return 5\n    finally:\n        h()\n"
    printed = body(text, "f")
    assert printed.count("icall h()") == 3  # behind return, at the end, and before the exception goes on


def test_a_manager_is_left_by_the_right_method() -> None:
    printed = body("def f(m, g):\n    with m() as x:\n        g(x)\n", "f")
    assert "%with0 = %t0" in printed  # a variable like those of the program: it lives over calls
    for method in ("__enter__", "__exit__", "__throw__"):
        assert f"mcall %with0->{method}()" in printed


def test_a_generator_that_is_a_manager_becomes_a_class() -> None:
    text = (
        "import os\nfrom contextlib import contextmanager\n@contextmanager\ndef opened(p):\n"
        "    fd = os.open(p)\n    try:\n        yield fd\n    finally:\n        os.close(fd)\n"
    )
    module = lowered(text)
    assert module.classes["opened"].methods == ("__init__", "__enter__", "__exit__", "__throw__")
    assert "return %gen->fd<tools.vm.opened>" in body(text, "opened.__enter__")
    for method in ("opened.__exit__", "opened.__throw__"):
        assert "call os.close(%gen->fd<tools.vm.opened>)" in body(text, method)
    assert "%raised = 1" not in body(text, "opened.__exit__").split("assume %raised != 0")[0]


def test_a_loop_over_a_display_is_unrolled() -> None:
    printed = body("import os\ndef f(a, b):\n    for fd in (a, b):\n        os.close(fd)\n", "f")
    assert printed.index("fd = a") < printed.index("fd = b")


def test_a_loop_over_anything_else_is_a_ring() -> None:
    printed = body("import os\ndef f(fds):\n    for fd in fds.values():\n        os.close(fd)\n", "f")
    assert "fd = fds->[]" in printed


def test_an_endless_loop_is_marked() -> None:
    assert "unbounded" in body("def f():\n    while True:\n        pass\n", "f")
    assert "unbounded" not in body("def f(a):\n    while a:\n        pass\n", "f")


def test_a_variable_that_a_nested_function_reads_is_no_local() -> None:
    printed = body("def f():\n    fd = 3\n    def g():\n        return fd\n    g()\n", "f")
    assert "@@f.fd = 3" in printed


def test_an_object_that_is_handed_on_is_not_let_go() -> None:
    stays = "class Vm: pass\ndef f():\n    vm = Vm()\n    vm.run()\n"
    leaves = "class Vm: pass\ndef f(keep):\n    vm = Vm()\n    keep(vm)\n"
    assert "python.drop(vm)" in body(stays, "f")
    assert "python.drop(vm)" not in body(leaves, "f")


def test_an_attribute_that_is_overwritten_lets_go() -> None:
    text = "class Vm:\n    def reset(self):\n        self.vm = self.make()\n"
    assert "call python.drop(self->vm<tools.vm.Vm>)" in body(text, "Vm.reset")


def test_init_that_fails_lets_its_object_go() -> None:
    text = "class Vm:\n    def __init__(self, g):\n        self.fd = g()\n"
    printed = body(text, "Vm.__init__")
    assert "%raised = 1\n  call python.drop(self)\n  return\n" in printed


def test_columns_count_bytes_and_a_form_feed_is_no_line() -> None:
    text = "def f(g):\n    'é'; g(1)\n\x0c\n    g(2)\n"
    module = lowered(text)
    calls = [one.at for one in module.functions["f"].instrs if type(one).__name__ == "Call"]
    places = sorted({(at.line, at.col) for at in calls if at.line in (2, 4)})
    assert places[0] == (2, 11)
    assert (4, 5) in places
