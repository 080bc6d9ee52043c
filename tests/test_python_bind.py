"""What names, calls and objects of one function become when they are bound."""

import pytest
from python_modules import joined, lines, method, sources, written

from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python.module import Class, Parameter, Signature
from vmfdlint.ir import Call, Const, FunctionKey, Named


def bound(text: str, name: str = "f", path: str = "main.py") -> list[str]:
    return lines(sources(text), path, name)


VM = """
### vm.py
import os
class Base:
    def __init__(self, path="/dev/kvm"):
        self._fd = os.open(path, 2)
    def close(self):
        os.close(self._fd)
    def __del__(self):
        self.close()
    @property
    def fd(self):
        return self._fd
    @staticmethod
    def probe(path, mode=7):
        return path
    @classmethod
    def make(cls, path):
        return cls(path)
class Vm(Base):
    def __init__(self, kvm, *, flags=0):
        super().__init__()
        self.kvm = kvm
    def close(self):
        super().close()
"""


def test_a_constructor_is_a_new_object_and_its_init() -> None:
    found = bound(VM + "### main.py\nfrom vm import Base, Vm\ndef f():\n    v = Vm(flags=3, kvm=Base())\n")
    assert found == [
        "%t0 = call python.new()",
        'call vm.Base.__init__(%t0, "/dev/kvm")',
        "%t1 = call python.new()",
        "call vm.Vm.__init__(%t1, %t0, 3)",
        "v = %t1",
        "call vm.Base.__del__(v)",
        "return 0{None}",
    ]


def test_written_ir_binds_in_one_block_with_the_real_call_last() -> None:
    library = joined(
        written(
            "m.py",
            """
            function Vm.__init__(self, fd)
            b0:
              return
            function f()
            b0:
              %t0 = call m.Vm(3)
              -> b1, b2
            b1:
              assume %raised == 0
              return %t0
            b2:
              assume %raised != 0
              %raised = 1
              return
            """,
            {"Vm.__init__": method("Vm", "self", "fd")},
            (Class("Vm"),),
        )
    )
    assert lines(library, "m.py", "f") == [
        "%t0 = call python.new()",
        "call m.Vm.__init__(%t0, 3)",
        "return %t0",
    ]


def test_super_is_the_next_class() -> None:
    found = bound(VM, "Vm.close", "vm.py")
    assert found == ["%t0 = self", "%t1 = call vm.Base.close(self)", "return 0{None}"]


def test_methods_are_named_by_their_class_and_several_are_joined() -> None:
    assert bound(VM, "Base.__del__", "vm.py")[0] == "%t0 = call 'vm.Base.close|vm.Vm.close'(self)"
    found = bound(
        VM + "### main.py\nfrom vm import Base, Vm\ndef f():\n    b = Base()\n    b.close()\n"
        "    Vm.probe('a')\n    b.probe('b')\n    Base.make('c')\n"
    )
    assert found[3:7] == [
        "%t1 = call vm.Base.close(b)",
        '%t2 = call vm.Base.probe("a", 7)',
        '%t3 = call vm.Base.probe("b", 7)',
        '%t4 = call vm.Base.make(fn:vm.Base, "c")',
    ]


def test_a_property_is_called_before_its_use_and_before_a_condition() -> None:
    library = sources(
        VM.replace("        return self._fd\n", "        return int(self._fd)\n")
        + "### main.py\nimport os\nfrom vm import Base\ndef f(b: Base):\n    os.close(b.fd)\n"
        + "    if b.fd >= 0:\n        return 1\n"
    )
    assert lines(library, "main.py", "f") == [
        "%b0 = call vm.Base.fd(b)",
        "%t0 = call os.close(%b0)",
        "%b1 = call vm.Base.fd(b)",
        "%b2 = call vm.Base.fd(b)",
        "assume %b1 >= 0",
        "return 1",
        "assume %b2 < 0",
        "return 0{None}",
    ]


def test_a_property_that_hands_out_a_member_is_that_member() -> None:
    library = sources(
        VM + "### main.py\nimport os\nfrom vm import Base\ndef f(b: Base):\n    os.close(b.fd)\n"
    )
    assert lines(library, "main.py", "f")[0] == "%t0 = call os.close(b->_fd<'vm.Base'>)"


def test_the_setter_of_a_property_is_called() -> None:
    found = bound(
        "### main.py\nclass A:\n    @property\n    def x(self):\n        return self._x\n"
        "    @x.setter\n    def x(self, v):\n        self._x = v\ndef f(a: A):\n    a.x = 3\n"
    )
    assert found == ["call main.A.x.setter(a, 3)", "return 0{None}"]


def test_methods_of_apis_are_named_by_their_type() -> None:
    found = bound(
        "### main.py\nimport mmap, subprocess\ndef f(x):\n    m = mmap.mmap(3, 4)\n    m.close()\n"
        "    p = subprocess.Popen(['a'], close_fds=False)\n    p.wait()\n    x.close()\n    x.frob(1, a=2)\n"
    )
    assert found == [
        "%t0 = call mmap.mmap(3, 4)",
        "m = %t0",
        "%t1 = call mmap.mmap.close(m)",
        '%t2 = ?"List"',
        '%t2->[0] = "a"',
        "%t3 = call subprocess.Popen(%t2, close_fds=0{False})",
        "p = %t3",
        "%t4 = call subprocess.Popen.wait(p)",
        "%t5 = call '?.close'(x)",
        "%t6 = call '?.frob'(x, 1, a=2)",
        "call mmap.mmap.__del__(m)",
        "return 0{None}",
    ]


def test_a_method_that_one_class_has_is_that_class_s_where_the_name_is_rare() -> None:
    text = "### main.py\nclass Vm:\n    def create_vcpu(self): pass\n    def start(self): pass\n"
    assert bound(text + "def f(x):\n    x.create_vcpu()\n    x.start()\n")[:2] == [
        "%t0 = call main.Vm.create_vcpu(x)",
        "%t1 = call '?.start'(x)",
    ]


def test_functions_of_c_libraries_are_plain_names() -> None:
    text = """
### main.py
import ctypes
from _kvm_cffi import ffi, lib
libc = ctypes.CDLL(None, use_errno=True)
ioctl = libc.ioctl
class Kvm:
    def __init__(self):
        self._libc = ctypes.CDLL("libc.so.6")
    def run(self):
        self._libc.ioctl(1, 2)
def f():
    libc.open("/dev/kvm", 2)
    ioctl(1, 2)
    lib.ioctl(3, 4, ffi.cast("int", 0))
    return ioctl
"""
    assert bound(text) == [
        '%t0 = call open("/dev/kvm", 2)',
        "%t1 = call ioctl(1, 2)",
        '%t2 = call _kvm_cffi.ffi.cast("int", 0)',
        "%t3 = call ioctl(3, 4, %t2)",
        "return @@ioctl",
    ]
    assert bound(text, BODY)[-2:] == ["@@ioctl = fn:ioctl", "return 0{None}"]
    assert bound(text, "Kvm.run")[0] == "%t0 = call ioctl(1, 2)"


def test_functions_in_variables_and_members_are_called_by_name() -> None:
    text = """
### main.py
import os, functools, fcntl
class Kvm:
    def __init__(self, fd):
        self._close = os.close
        self._ioctl = functools.partial(fcntl.ioctl, fd)
    def stop(self):
        self._close(3)
        self._ioctl(0xAE01, 0)
def f(sock):
    func = os.dup
    func(3)
    g = functools.partial(os.close, 4)
    g()
def each(callback):
    callback(1)
def h():
    each(f)
    each(lambda x: x)
"""
    assert bound(text) == [
        "func = fn:os.dup",
        "%t0 = call os.dup(3)",
        "%t1 = fn:os.close",
        "%t1->%0 = 4",
        "g = %t1",
        "%t2 = call os.close(g->%0)",
        "return 0{None}",
    ]
    assert bound(text, "Kvm.stop")[:2] == [
        "%t0 = call os.close(3)",
        "%t1 = call fcntl.ioctl(self->_ioctl<'main.Kvm'>->%0, 44545, 0)",
    ]
    assert bound(text, "each")[0] == "%t0 = icall callback(1)"
    assert bound(text, "h")[0] == "%t0 = call main.each(fn:main.f)"
    assert bound(text, "h")[1].startswith("%t1 = call main.each(fn:main.<lambda:") or bound(text, "h")[
        1
    ].startswith("%t1 = call main.each(fn:main.h.<lambda:")


def test_a_bound_method_given_away_keeps_its_object() -> None:
    text = """
### main.py
import atexit, threading
class Vm:
    def close(self):
        pass
def later(f):
    f()
def f(v: Vm):
    atexit.register(v.close)
    threading.Thread(target=v.close, daemon=True)
    later(v.close)
"""
    assert bound(text) == [
        "%t0 = call atexit.register(fn:main.Vm.close, v)",
        "%t1 = call threading.Thread(target=fn:main.Vm.close, %self=v, daemon=1{True})",
        "%b0 = fn:main.Vm.close",
        "%b0->%0 = v",
        "%t2 = call main.later(%b0)",
        "return 0{None}",
    ]
    assert bound(text, "later")[0] == "%t0 = call main.Vm.close(f->%0)"


def test_arguments_go_to_their_parameters() -> None:
    text = """
### main.py
FLAGS = 5
def g(a, b=FLAGS, *rest, c, d=None, **more):
    pass
def passing(*args, **kw):
    return g(*args, **kw)
def f(x):
    g(1, c=x)
    g(1, 2, 3, 4, c=x, z=9)
"""
    assert bound(text) == [
        '%t0 = call main.g(1, 5{FLAGS}, ?"not given", x, 0{None}, ?"not given")',
        '%b0 = ?"arguments"',
        "%b0->[0] = 3",
        "%b0->[1] = 4",
        '%b1 = ?"arguments"',
        "%b1->'[z]' = 9",
        "%t1 = call main.g(1, 2, %b0, x, 0{None}, %b1)",
        "return 0{None}",
    ]
    assert bound(text, "passing")[0] == (
        "%t0 = call main.g(args->[0], kw->'[b]', ?\"not given\", kw->'[c]', kw->'[d]', kw)"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Kvm.KVM_CREATE_VM", "44545{KVM_CREATE_VM}"),
        ("Sub.KVM_CREATE_VM", "44545{KVM_CREATE_VM}"),
        ("kvm.KVM_RUN", "44672{KVM_RUN}"),
        ("Req.CREATE_VM.value", "44545{CREATE_VM}"),
        ("Req.CREATE_VM", "44545{CREATE_VM}"),
        ("NUMBERS['CREATE_VM']", "44545{CREATE_VM}"),
        ("kvmapi.KVM_CREATE_VCPU", "44609{KVM_CREATE_VCPU}"),
        ("DEVICE", '"/dev/kvm"'),
    ],
)
def test_constants_of_other_files_and_classes(expression: str, expected: str) -> None:
    text = """
### kvmioctl.py
def _IO(kind, number):
    return kind << 8 | number
KVMIO = 0xAE
### kvmapi.py
from kvmioctl import _IO, KVMIO
KVM_CREATE_VCPU = _IO(KVMIO, 0x41)
DEVICE = "/dev/kvm"
NUMBERS = {"CREATE_VM": 0xAE01, "RUN": 0xAE80}
class Req(IntEnum):
    CREATE_VM = 0xAE01
class Kvm:
    KVM_CREATE_VM = 0xAE01
    KVM_RUN = 0xAE80
class Sub(Kvm):
    pass
### main.py
import kvmapi
from kvmapi import Kvm, Sub, Req, NUMBERS, DEVICE
def f(kvm: Sub):
    return EXPRESSION
""".replace("EXPRESSION", expression).replace("class Req", "from enum import IntEnum\nclass Req")
    assert bound(text) == [f"return {expected}"]


def test_what_is_assigned_twice_is_no_constant() -> None:
    text = """
### state.py
TABLE = {"a": 1}
LEVEL = 1
def more():
    global LEVEL
    LEVEL = 2
    TABLE["a"] = 2
### main.py
import state
def f():
    return state.LEVEL, state.TABLE["a"]
"""
    assert bound(text)[1:3] == [
        "%t0->[0] = @{state.py}LEVEL",
        "%t0->[1] = @{state.py}TABLE->'[a]'",
    ]


def test_a_record_s_fields_are_filled_in() -> None:
    text = """
### main.py
from dataclasses import dataclass
from typing import NamedTuple
@dataclass
class Handle:
    fd: int
    name: str = "x"
class Pair(NamedTuple):
    a: int
    b: int
def f(n):
    Handle(n)
    Pair(1, b=n)
"""
    assert bound(text) == [
        "%t0 = call python.new()",
        "%t0->fd<'main.Handle'> = n",
        "%t0->name<'main.Handle'> = \"x\"",
        "%t1 = call python.new()",
        "%t1->a<'main.Pair'> = 1",
        "%t1->b<'main.Pair'> = n",
        "return 0{None}",
    ]


def test_records_are_the_topmost_base_and_none_where_it_is_not_known() -> None:
    found = bound(VM + "### main.py\nfrom vm import Vm\ndef f(v: Vm, x):\n    v.kvm = x.fd2\n")
    assert found[-2:] == ["v->kvm<'vm.Base'> = x->fd2", "return 0{None}"]


def test_processes_are_made_in_a_context() -> None:
    text = """
### main.py
import multiprocessing as mp
def f():
    p = mp.Process(target=print)
    p.start()
    mp.Pool(2)
"""
    made = "multiprocessing.context"
    found = lines(sources(text), "main.py", "f")
    assert found[0].startswith(f"%t0 = call {made}.fork.Process(")
    assert found[2] == f"%t1 = call {made}.fork.Process.start(p)"
    newer = lines(sources(text, fork_default=False), "main.py", "f")
    assert newer[0].startswith(f"%t0 = call {made}.forkserver.Process(")
    chosen = text + "### x.py\nimport multiprocessing\nmultiprocessing.set_start_method('spawn')\n"
    assert lines(sources(chosen), "main.py", "f")[3] == f"%t2 = call {made}.spawn.Pool(2)"


def test_a_context_is_given() -> None:
    text = """
### main.py
import multiprocessing as mp
from concurrent import futures
def f():
    futures.ProcessPoolExecutor(mp_context=mp.get_context('spawn'))
    mp.get_context('fork').Process()
"""
    assert bound(text) == [
        '%t0 = call multiprocessing.get_context("spawn")',
        "%t1 = call concurrent.futures.spawn.ProcessPoolExecutor(mp_context=%t0)",
        '%t2 = call multiprocessing.get_context("fork")',
        "%t3 = call multiprocessing.context.fork.Process()",
        "return 0{None}",
    ]


def test_a_class_that_is_run_by_the_library_names_what_runs() -> None:
    text = """
### main.py
import multiprocessing
class Worker(multiprocessing.Process):
    def run(self):
        pass
def f():
    w = Worker()
    w.start()
"""
    assert bound(text)[:3] == [
        "%t0 = call multiprocessing.context.fork.Process()",
        "w = %t0",
        "%t1 = call multiprocessing.context.fork.Process.start(w, run=fn:main.Worker.run)",
    ]


def test_python_2_names() -> None:
    library = sources(
        "### main.py\nimport os\ndef f():\n    os.open('a', 0)\n    os.close(3)\n", python2=True
    )
    assert lines(library, "main.py", "f")[:2] == [
        '%t0 = call python2.os.open("a", 0)',
        "%t1 = call os.close(3)",
    ]


def test_context_managers() -> None:
    text = """
### main.py
import contextlib, os
class Handle:
    def close(self):
        pass
class Kvm:
    @contextlib.contextmanager
    def vm(self, flags):
        fd = os.open("/dev/kvm", flags)
        yield fd
        os.close(fd)
def f(k: Kvm):
    with k.vm(2) as fd:
        pass
    with contextlib.closing(Handle()) as h:
        pass
    with open("x") as g:
        pass
"""
    assert bound(text) == [
        "%t0 = call python.new()",
        "call main.Kvm.vm.__init__(%t0, k, 2)",
        "%with0 = %t0",
        "%t1 = call main.Kvm.vm.__enter__(%with0)",
        "fd = %t1",
        "%t2 = call main.Kvm.vm.__exit__(%with0)",
        "%t3 = call python.new()",
        "%t4 = call python.new()",
        "%t4->'[thing]' = %t3",
        "%with1 = %t4",
        "%t5 = %with1->'[thing]'",
        "h = %t5",
        "%t6 = call main.Handle.close(%with1->'[thing]')",
        '%t7 = call builtins.open("x")',
        "%with2 = %t7",
        "%t8 = %with2",
        "g = %t8",
        "%t9 = call io.FileIO.__exit__(%with2)",
        "return 0{None}",
    ]


def test_default_of_a_parameter_is_read_in_its_own_file() -> None:
    library = joined(
        written(
            "a.py",
            "function g(x)\nb0:\n  return\n",
            {"g": Signature((Parameter("x", optional=True, default=Const(3)),))},
        ),
        written("main.py", "function f()\nb0:\n  %t0 = call a.g()\n  return\n"),
    )
    assert lines(library, "main.py", "f")[0] == "%t0 = call a.g(3)"


def test_what_only_a_variable_holds_dies_with_it() -> None:
    text = """
### main.py
import mmap, os
class Vm:
    def __init__(self):
        self.fd = os.open("x", 1)
        self.run = mmap.mmap(self.fd, 10)
    def __del__(self):
        os.close(self.fd)
class Owner:
    def __init__(self, given):
        self.vm = Vm()
        self.given = given
    def stop(self):
        vm = self.vm
        vm.fd
        self.vm = None
        self.given = None
def make():
    return Vm()
def f():
    v = make()
    v.fd
    o = Owner(None)
    w = o.vm
    w.fd
    g = open("x")
    g.read()
def h(v: Vm):
    Owner(v)
"""
    dying = [line for line in bound(text) if "__del__" in line]
    assert dying == [
        "call io.FileIO.__del__(g)",
        "call main.Vm.__del__(o->vm<'main.Owner'>)",
        "call mmap.mmap.__del__(o->vm<'main.Owner'>->run<'main.Vm'>)",
        "call main.Vm.__del__(v)",
        "call mmap.mmap.__del__(v->run<'main.Vm'>)",
    ]
    stopped = [line for line in bound(text, "Owner.stop") if "__del__" in line]
    assert stopped == [
        "call main.Vm.__del__(self->vm<'main.Owner'>)",
        "call mmap.mmap.__del__(self->vm<'main.Owner'>->run<'main.Vm'>)",
    ]


def test_an_init_that_fails_in_its_base_lets_go_once() -> None:
    library = sources(
        """
### main.py
import os
class Base:
    def __init__(self):
        self.fd = os.open("x", 1)
    def __del__(self):
        os.close(self.fd)
class Sub(Base):
    def __init__(self):
        super().__init__()
        os.listdir("x")
"""
    )
    found = library.function(FunctionKey("main.py", "Sub.__init__"))
    assert found is not None
    dying = [
        number
        for number, block in enumerate(found.blocks)
        if any(isinstance(one, Call) and one.target == Named("main.Base.__del__") for one in block.instrs)
    ]
    listing = next(
        block.successors
        for block in found.blocks
        if any(isinstance(one, Call) and one.target == Named("os.listdir") for one in block.instrs)
    )
    assert len(dying) == 1
    assert dying[0] in listing


def test_a_stack_of_managers_keeps_the_end_of_each() -> None:
    text = """
### main.py
import contextlib
class Vm:
    def __enter__(self):
        return self
    def __exit__(self, kind, value, trace):
        pass
def f():
    with contextlib.ExitStack() as s:
        v = s.enter_context(Vm())
        s.enter_context(open("x"))
def g():
    with Vm():
        f()
"""
    assert bound(text)[4:8] == [
        "%t2 = call python.new()",
        "%t3 = call main.Vm.__enter__(%t2)",
        "call contextlib.ExitStack.callback(s, fn:main.Vm.__exit__, %t2)",
        "v = %t3",
    ]
    assert any("contextlib.ExitStack.enter_context(s, %t4)" in line for line in bound(text))
    assert "%t3 = call main.Vm.__exit__(%with0, 0{None}, 0{None}, 0{None})" in bound(text, "g")


def test_an_object_is_asked_for_its_number() -> None:
    text = """
### main.py
import fcntl
class Vm:
    def fileno(self):
        return 3
def f(v: Vm):
    fcntl.ioctl(v, 0xAE41, 0)
"""
    assert bound(text)[:2] == ["%b0 = call main.Vm.fileno(v)", "%t0 = call fcntl.ioctl(%b0, 44609, 0)"]


def test_a_sequence_made_here_is_spread_over_an_api_s_arguments() -> None:
    text = """
### main.py
import os
def f(rest):
    func = os.dup2
    args = (3,)
    args += (4,)
    func(*args)
    os.dup2(*rest)
"""
    found = bound(text)
    assert "%t2 = call os.dup2(args->[0], args->[1])" in found
    assert "%t3 = call os.dup2(*=rest)" in found
