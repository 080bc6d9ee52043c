"""Types of variables, members and results, from raw modules."""

from python_modules import KNOWN, method, sources, written

from vmfdlint.frontends.python.hierarchy import Hierarchy
from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.infer import Inference
from vmfdlint.frontends.python.library import Library
from vmfdlint.frontends.python.module import Class, Module, Parameter, Signature
from vmfdlint.ir import FunctionKey
from vmfdlint.ir.text import parse_function


def inferred(*modules: Module) -> Inference:
    return Inference(Names({one.path: one for one in modules}, KNOWN.__contains__), True)


def types(inference: Inference, path: str, function: str, place: str) -> set[str]:
    """The types of a place written as in the IR."""
    instr = next(parse_function(f"function {path}::x()\nb0:\n  return {place}\n").instrs)
    return set(inference.lookup.of_operand(FunctionKey(path, function), instr.value))  # type: ignore[union-attr, arg-type]


def of_source(text: str, function: str, place: str, path: str = "main.py") -> set[str]:
    library: Library = sources(text)
    return types(Inference(library.names, True), path, function, place)


def test_objects_flow_into_parameters_members_and_results() -> None:
    inference = inferred(
        written(
            "vm.py",
            """
            function Kvm.__init__(self)
            b0:
              return
            function Vm.__init__(self, kvm)
            b0:
              self->kvm<'vm.Vm'> = kvm
              return
            function Vm.kvm_of(self)
            b0:
              return self->kvm<'vm.Vm'>
            """,
            {
                "Kvm.__init__": method("Kvm", "self"),
                "Vm.__init__": method("Vm", "self", "kvm"),
                "Vm.kvm_of": method("Vm", "self"),
            },
            (Class("Kvm"), Class("Vm")),
        ),
        written(
            "main.py",
            """
            function <module>()
            b0:
              %t0 = call vm.Kvm()
              @@k = %t0
              %t1 = call vm.Vm(@@k)
              %t2 = mcall %t1->kvm_of()
              return
            """,
        ),
    )
    assert types(inference, "vm.py", "Vm.__init__", "kvm") == {"vm.Kvm"}
    assert types(inference, "main.py", "<module>", "%t1") == {"vm.Vm"}
    assert types(inference, "main.py", "<module>", "%t1->kvm") == {"vm.Kvm"}
    assert types(inference, "main.py", "<module>", "%t2") == {"vm.Kvm"}
    assert types(inference, "main.py", "<module>", "@@k") == {"vm.Kvm"}


def test_annotations_give_a_class_and_those_below() -> None:
    inference = inferred(
        written(
            "vm.py",
            "function f(a, b, c)\nb0:\n  return\n",
            {
                "f": Signature(
                    (
                        Parameter("a", type="vm.Base"),
                        Parameter("b", type="mmap.mmap"),
                        Parameter("c", type="typing.Any"),
                    ),
                    returns="vm.Sub",
                )
            },
            (Class("Base"), Class("Sub", ("vm.Base",))),
        ),
        written("main.py", "function g()\nb0:\n  %t0 = call vm.f(1, 2, 3)\n  return\n"),
    )
    assert types(inference, "vm.py", "f", "a") == {"vm.Base", "vm.Sub"}
    assert types(inference, "vm.py", "f", "b") == {"mmap.mmap"}
    assert types(inference, "vm.py", "f", "c") == set()
    assert types(inference, "main.py", "g", "%t0") == {"vm.Sub"}


def test_the_receiver_has_its_class_and_those_below() -> None:
    inference = inferred(
        written(
            "vm.py",
            "function Base.m(self)\nb0:\n  return\nfunction Base.c(cls)\nb0:\n  return\n",
            {"Base.m": method("Base", "self"), "Base.c": method("Base", "cls", kind="class")},
            (Class("Base"), Class("Sub", ("vm.Base",))),
        )
    )
    assert types(inference, "vm.py", "Base.m", "self") == {"vm.Base", "vm.Sub"}
    assert types(inference, "vm.py", "Base.c", "cls") == {"ref:vm.Base", "ref:vm.Sub"}


def test_api_results_have_the_type_of_their_class_or_as_the_data_says() -> None:
    body = """
### main.py
import mmap, os, socket, ctypes, multiprocessing
m = mmap.mmap(3, 10)
f = open("/x")
g = os.fdopen(3)
a, b = socket.socketpair()
lib = ctypes.cdll.LoadLibrary("libc.so.6")
spawn = multiprocessing.get_context("spawn")
p = spawn.Process(target=print)
"""
    library = sources(body)
    inference = Inference(library.names, True)
    expected = {
        "m": "mmap.mmap",
        "f": "io.FileIO",
        "g": "io.FileIO",
        "a": "socket.socket",
        "lib": "ctypes.CDLL",
        "spawn": "ref:multiprocessing.context.spawn",
        "p": "multiprocessing.context.spawn.Process",
    }
    for name, type_ in expected.items():
        assert types(inference, "main.py", "<module>", f"@@{name}") == {type_}, name


def test_elements_of_collections() -> None:
    body = """
### main.py
class Vm:
    pass
class Cpu:
    pass
def f():
    vms = []
    vms.append(Vm())
    info = {"vm": Vm(), "cpu": Cpu()}
    for v in vms:
        pass
    for i in info.values():
        pass
    x = info["cpu"]
    last = vms.pop()
"""
    assert of_source(body, "f", "v") == {"main.Vm"}
    assert of_source(body, "f", "x") == {"main.Cpu"}
    assert of_source(body, "f", "last") == {"main.Vm"}
    assert of_source(body, "f", "i") == {"main.Vm", "main.Cpu"}


def test_properties_setters_and_context_managers() -> None:
    body = """
### main.py
import contextlib
class Vm:
    @property
    def owner(self):
        return self._owner
    @owner.setter
    def owner(self, value):
        self._owner = value
    def __enter__(self):
        return self
    def __exit__(self, *args):
        pass
class Owner:
    @contextlib.contextmanager
    def vm(self):
        yield Vm()
def f():
    with Vm() as v:
        v.owner = Owner()
    x = v.owner
    with x.vm() as w:
        pass
    with contextlib.closing(v) as c:
        pass
    with open("x") as g:
        pass
"""
    assert of_source(body, "f", "v") == {"main.Vm"}
    assert of_source(body, "f", "x") == {"main.Owner"}
    assert of_source(body, "f", "w") == {"main.Vm"}
    assert of_source(body, "f", "c") == {"main.Vm"}
    assert of_source(body, "f", "g") == {"io.FileIO"}


def test_functions_given_to_a_thread_get_its_arguments() -> None:
    body = """
### main.py
import threading, atexit
class Vm:
    pass
def work(vm):
    pass
def last(vm):
    pass
def f():
    v = Vm()
    t = threading.Thread(target=work, args=(v,))
    atexit.register(last, v)
"""
    assert of_source(body, "work", "vm") == {"main.Vm"}
    assert of_source(body, "last", "vm") == {"main.Vm"}


def test_recursion_between_functions_ends() -> None:
    body = """
### main.py
def f(x):
    return [g(x)]
def g(x):
    return [f(x)]
f(f)
"""
    assert all(one.count("[") <= 3 for one in of_source(body, "f", "x"))


def hierarchy(*classes: Class) -> Hierarchy:
    path = "m.py"
    text = "".join(
        f"function {one.name}.{name}(self)\nb0:\n  return\n" for one in classes for name in one.methods
    )
    signatures = {f"{one.name}.{name}": method(one.name, "self") for one in classes for name in one.methods}
    return Hierarchy(Names({path: written(path, text, signatures, classes)}, KNOWN.__contains__))


def test_methods_are_looked_for_as_python_does() -> None:
    found = hierarchy(
        Class("A", (), ("m", "n")),
        Class("B", ("m.A",), ("m",)),
        Class("C", ("m.A",), ("m", "n")),
        Class("D", ("m.B", "m.C", "threading.Thread")),
    )
    assert found.mro("m.D") == ("m.D", "m.B", "m.C", "m.A", "threading.Thread")
    for name, owner in (("m", "m.B"), ("n", "m.C")):
        one = found.find("m.D", name)
        assert one is not None and one.owner == owner
    assert found.find("m.D", "missing") is None
    after = found.after("m.D", "m.B", "m")
    assert not isinstance(after, str) and after is not None and after.owner == "m.C"
    assert found.after("m.D", "m.C", "start") == "threading.Thread.start"
    assert found.subclasses("m.A") == ("m.A", "m.B", "m.C", "m.D")


def test_classes_joined_by_inheritance_share_a_record() -> None:
    found = hierarchy(Class("A"), Class("M"), Class("B", ("m.A",)), Class("C", ("m.B", "m.M")), Class("X"))
    assert {found.top(f"m.{name}") for name in "ABCM"} == {"m.A"}
    assert found.top("m.X") == "m.X"
    assert found.top("os.X") == ""


def test_bases_in_a_circle_end() -> None:
    found = hierarchy(Class("A", ("m.B",)), Class("B", ("m.A",)))
    assert found.find("m.A", "m") is None
    assert set(found.mro("m.A")) == {"m.A", "m.B"}
