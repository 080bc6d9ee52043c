"""The Python files of a program as the engine asks for them: names, who names whom, tokens."""

import pytest
from python_modules import joined, lines, sources, written

from vmfdlint.base import number_of, unpacked
from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.module import Class, Module
from vmfdlint.ir import Const, FunctionKey, Return, Text, validate

BODY_ONLY = "function <module>()\nb0:\n  return\n"


def names(*modules: Module) -> Names:
    return Names({one.path: one for one in modules}, {"os.open", "os.close"}.__contains__)


@pytest.mark.parametrize(
    ("path", "near", "dotted", "expected"),
    [
        ("tools/kvmapi.py", "tools/main.py", "kvmapi", True),
        ("src/pkg/vm.py", "src/pkg/main.py", "pkg.vm", True),
        ("src/pkg/vm.py", "tests/test_vm.py", "pkg.vm", True),
        ("lib/socket.py", "lib/main.py", "socket", True),
        ("lib/socket.py", "other/main.py", "socket", False),
        ("kvmapi.py", "main.py", "kvmapi2", False),
    ],
)
def test_a_module_is_found_by_the_end_of_its_path(path: str, near: str, dotted: str, expected: bool) -> None:
    found = names(written(path), written(near)).module(dotted, near)
    assert found == (path if expected else None)


def test_a_module_of_a_package_does_not_stand_before_the_standard_library() -> None:
    asked = names(written("lib/socket.py"), written("lib/__init__.py"), written("lib/main.py"))
    assert asked.module("socket", "lib/main.py") is None
    assert asked.module("lib.socket", "lib/main.py") == "lib/socket.py"


def test_the_nearest_of_two_modules_is_taken() -> None:
    asked = names(written("a/vm.py"), written("b/vm.py"), written("vm.py"))
    assert asked.module("vm", "a/main.py") == "a/vm.py"
    assert asked.module("vm", "b/main.py") == "b/vm.py"
    assert asked.module("vm", "c/main.py") == "vm.py"
    assert asked.module("vm", "") == "vm.py"


def test_a_name_is_followed_through_other_modules_imports() -> None:
    asked = names(
        written("pkg/__init__.py", imports={"Vm": "pkg.vm.Vm", "run": "pkg.run.run"}, stars=("pkg.consts",)),
        written("pkg/vm.py", classes=(Class("Vm"),)),
        written("pkg/run.py", "function run()\nb0:\n  return\n"),
        written("pkg/consts.py", constants={"KVM_RUN": Const(0xAE80)}),
        written("main.py"),
    )
    assert (asked.meaning("pkg.Vm.close", "main.py").kind, asked.meaning("pkg.Vm.close", "main.py").name) == (
        "class",
        "pkg.vm.Vm",
    )
    assert asked.meaning("pkg.Vm.close", "main.py").rest == ("close",)
    assert asked.meaning("pkg.run", "main.py").kind == "function"
    assert asked.meaning("pkg.KVM_RUN", "main.py").value == Const(0xAE80)


def test_imports_that_go_in_a_circle_end() -> None:
    asked = names(written("a.py", imports={"x": "b.x"}), written("b.py", imports={"x": "a.x"}))
    assert asked.meaning("a.x", "a.py").kind == "api"


def test_a_star_import_gives_the_first_name_that_is_known() -> None:
    asked = names(written("a.py", stars=("subprocess", "os")))
    assert asked.meaning("*.open", "a.py").name == "os.open"
    assert asked.meaning("*.len", "a.py").name == "builtins.len"


def test_names_of_other_files_become_what_they_mean_there() -> None:
    library = joined(
        written(
            "tools/api.py",
            """
            function <module>()
            b0:
              %t0 = call os.open("x")
              @@fd = %t0
              return
            function probe()
            b0:
              return
            """,
            classes=(Class("Vm"),),
            constants={"KVM_CREATE_VM": Const(0xAE01), "PATH": Text("/dev/kvm")},
        ),
        written(
            "tools/main.py",
            """
            function <module>()
            b0:
              a = @'api.KVM_CREATE_VM'
              b = @'api.PATH'
              c = @'api.probe'
              d = @'api.Vm'
              e = @'api.fd'
              f = @'os.O_EXCL'
              g = @'os.environ'
              h = @'os.close'
              return
            """,
        ),
    )
    assert lines(library, "tools/main.py", BODY) == [
        "a = 44545{KVM_CREATE_VM}",
        'b = "/dev/kvm"',
        "c = fn:tools.api.probe",
        "d = fn:tools.api.Vm",
        "e = @{tools/api.py}fd",
        "f = {O_EXCL}",
        "g = @'os.environ'",
        "h = fn:os.close",
    ]


def test_who_names_a_function() -> None:
    library = joined(
        written("vm.py", "function close(fd)\nb0:\n  return\n"),
        written(
            "main.py",
            """
            function <module>()
            b0:
              %t0 = call main.run(fn:vm.close)
              return
            function run(f)
            b0:
              %t0 = call vm.close(3)
              return
            """,
        ),
    )
    close = FunctionKey("vm.py", "close")
    assert library.resolve("vm.close", "main.py") == (close,)
    assert library.resolve("vm.close|main.run", "main.py") == (close, FunctionKey("main.py", "run"))
    assert library.resolve("os.close", "main.py") == ()
    callers, values = library.naming(close)
    assert callers == {FunctionKey("main.py", "run")}
    assert values == {FunctionKey("main.py", BODY)}


def test_a_program_begins_in_files_that_no_other_imports() -> None:
    library = joined(
        written("main.py", BODY_ONLY, imports={"vm": "vm"}),
        written("vm.py", BODY_ONLY),
        Module("tool.py", "tool", imports={"main": "main"}, texts=((0, "__main__"),)),
    )
    assert library.entries == ("tool.py",)
    asking = Module("vm.py", "vm", texts=((0, "__main__"),))
    assert joined(written("main.py", imports={"vm": "vm"}), asking).entries == ("main.py", "vm.py")


def test_tokens_are_bound_names_identifiers_and_texts() -> None:
    library = sources("### main.py\nfrom os import open as op\nfd = op('/dev/kvm', 0xAE01)\n")
    found = unpacked(library.scan("main.py").tokens)
    for token in ("os.open", "op", "fd", "/dev/kvm", "/kvm", "44545"):
        assert number_of(token) in found, token
    assert number_of("os.close") not in found
    assert library.mentioning("main.py", "os.open") == (FunctionKey("main.py", BODY),)
    assert library.mentioning("main.py", "44545") == (FunctionKey("main.py", BODY),)
    assert library.mentioning("main.py", "os.close") == ()


def test_a_unit_gives_bound_functions() -> None:
    library = sources("### main.py\nimport os\ndef f(fd):\n    os.close(fd)\n")
    unit = library.unit("main.py")
    sketch = next(one for one in unit.sketches if one.name == "f")
    assert any("os.close" in str(instr) for instr in unit.lower(sketch).instrs)
    top = unit.toplevel()
    assert validate(top) == ()
    assert [type(instr) for instr in top.instrs] == [Return]
    assert unit.damage(sketch).left == 0
    assert library.function(FunctionKey("main.py", "missing")) is None
    assert library.function(FunctionKey("other.py", "f")) is None
