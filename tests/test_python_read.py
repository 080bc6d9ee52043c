"""Python files as they come: encodings, line ends, Python 2, errors, depth, size. At most one notice each."""

import re
import sys

import pytest

from vmfdlint.base import LIMITS, ProblemKind, SourceText
from vmfdlint.frontends.contract import BODY
from vmfdlint.frontends.python.decode import decode
from vmfdlint.frontends.python.guard import too_deep
from vmfdlint.frontends.python.module import Module
from vmfdlint.frontends.python.read import read
from vmfdlint.ir import Call, print_function, validate

CLOSE = b"import os\ndef f(x):\n    os.close(x)\n"


def read_well(data: bytes) -> Module:
    """A file as a module: every function is well-formed; one notice at most, with the file and what to do."""
    module = read(SourceText("tools/vm.py", data))
    for function in module.functions.values():
        assert validate(function) == (), print_function(function)
    assert len(module.problems) <= 1
    for problem in module.problems:
        assert problem.path == "tools/vm.py" and ";" in problem.text
    return module


def told(module: Module) -> tuple[int, str]:
    """The line and the text of the one notice."""
    (problem,) = module.problems
    return (problem.at.line if problem.at is not None else 0), problem.text


def body(module: Module, name: str) -> str:
    """A function as text, quotes and spans left out."""
    printed = print_function(module.functions[name])
    return re.sub(r"  @\d+:\d+(-\d+:\d+)?$", "", printed, flags=re.MULTILINE).replace("'", "")


def place(module: Module, name: str, call: str) -> tuple[int, int]:
    """Line and column of the first call of ``call``."""
    calls = [
        one for one in module.functions[name].instrs if isinstance(one, Call) and call in str(one.target)
    ]
    return calls[0].at.line, calls[0].at.col


READ_IN_FULL = [
    (b"", ""),
    (b"\n", ""),
    (CLOSE, "os.close(x)"),
    (CLOSE.replace(b"\n", b"\r\n"), "os.close(x)"),
    (CLOSE.replace(b"\n", b"\r"), "os.close(x)"),
    (CLOSE.rstrip(), "os.close(x)"),
    (b"\xef\xbb\xbf" + CLOSE, "os.close(x)"),
    (b"# a\n\f\n" + CLOSE, "os.close(x)"),
    (b"# -*- coding: latin-1 -*-\nS = '\xe4'\n" + CLOSE, "os.close(x)"),
    (b"#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\n# \xa4\n" + CLOSE, "os.close(x)"),
    ("# coding: gbk\nS = '中'\n".encode("gbk") + CLOSE, "os.close(x)"),
    (b"# no encoding named: \xe4\n" + CLOSE, "os.close(x)"),
    ("größe = 'ä'\n".encode() + CLOSE, "os.close(x)"),
]


@pytest.mark.parametrize(("data", "call"), READ_IN_FULL)
def test_read_in_full_without_a_word(data: bytes, call: str) -> None:
    module = read_well(data)
    assert not module.problems and BODY in module.functions
    assert not call or f"call {call}" in body(module, "f")


def test_places_are_bytes_of_the_file() -> None:
    line = "def f(x):\n    S = 'äö'; os.close(x)\n"
    assert place(read_well(("import os\n" + line).encode()), "f", "os.close") == (3, 17)
    assert place(read_well(b"\xef\xbb\xbfimport os; os.close(3)\n"), BODY, "os.close") == (1, 15)
    latin = b"# coding: latin-1\nimport os\n" + line.encode("latin-1")
    assert place(read_well(latin), "f", "os.close") == (4, 15)
    windows = ("import os\n\f\n" + line).replace("\n", "\r\n").encode()
    assert place(read_well(windows), "f", "os.close") == (4, 17)
    rough = ("import os\n" + line + "    print 'x'\n").encode()
    assert place(read_well(rough), "f", "os.close") == (3, 17)
    rough = b"# coding: latin-1\nimport os\n" + line.encode("latin-1") + b"    print 'x'\n"
    assert place(read_well(rough), "f", "os.close") == (4, 15)


def test_an_unknown_encoding_is_said() -> None:
    line, text = told(read_well(b"#!/usr/bin/python\n# coding: klingon\n# \xe4\n" + CLOSE))
    assert line == 2 and "(klingon)" in text
    assert "call os.close(x)" in body(read_well(b"# coding: rot13\n" + CLOSE), "f")
    assert "(utf-7)" in told(read_well(b"# coding: utf-7\n" + CLOSE))[1]


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"x", "utf-8", "x"),
        (b"\xef\xbb\xbfx", "utf-8", "x"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "utf-8", "# coding: latin-1\n"),
        (b"# coding=cp1252\n\x80", "cp1252", "# coding=cp1252\n€"),
        (b"\n# coding=cp1252\n\x80", "cp1252", "\n# coding=cp1252\n€"),
        (b"x = 1\n# coding=cp1252\n\xe4", "latin-1", "x = 1\n# coding=cp1252\nä"),
        (b"\n\n# coding=cp1252\n", "utf-8", "\n\n# coding=cp1252\n"),
        (b"# coding: ascii\n\xe4", "latin-1", "# coding: ascii\nä"),
        (b"\xff\xfex\0", "latin-1", "ÿþx\0"),
    ],
)
def test_bytes_are_decoded_as_python_does(data: bytes, encoding: str, text: str) -> None:
    assert decode(data) == type(decode(data))(text, encoding)


PYTHON_2 = b"""\
import os, fcntl
from kvmapi import *
CREATE = 0xAE01
class Vm(Base):
    RUN = 0xAE80
    def __init__(self, path, mode=0755):
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.vm = fcntl.ioctl(self.fd, CREATE, 0)
        except OSError, e:
            print 'no', e
            raise
        finally:
            os.close(self.fd)
def lost():
    for i in range(10L):
        vm = fcntl.ioctl(i, CREATE)
        if vm < 0 and not i: continue
    with open('/x/%d' % i) as f:
        return f.read(1, flag=ur'x')
"""


def test_python_2_is_read_roughly_and_said_once() -> None:
    module = read_well(PYTHON_2)
    assert told(module) == (
        11,
        "is Python 2: read roughly, exceptions not followed; convert it to Python 3, or --exclude it",
    )
    assert module.problems[0].kind is ProblemKind.PARSE
    assert body(module, "Vm.__init__") == (
        "function tools/vm.py::Vm.__init__(self, path, mode)\n"
        "  type self tools.vm.Vm\n"
        "b0:\n"
        "  %t0 = call os.open(path, {O_CLOEXEC|O_RDWR})\n"
        "  self->fd<tools.vm.Vm> = %t0\n"
        "  -> b2, b1\n"
        "b1:\n"
        "  %t1 = call fcntl.ioctl(self->fd<tools.vm.Vm>, 44545{CREATE}, 0)\n"
        "  self->vm<tools.vm.Vm> = %t1\n"
        "  %t3 = call os.close(self->fd<tools.vm.Vm>)\n"
        "  call python.drop(%t3)\n"
        "  return 0{None}\n"
        "b2:\n"
        "  %t2 = call os.close(self->fd<tools.vm.Vm>)\n"
        "  call python.drop(%t2)\n"
        "  %raised = 1\n"
        "  return\n"
    )
    printed = body(module, "lost")
    assert "assume vm < 0" in printed and "assume i == 0" in printed
    assert "call *.open" not in printed and 'call python.format("/x/%s", i)' in printed
    assert 'mcall f->read(1, flag="x")' in printed and printed.count("->__exit__(") == 1
    made = module.classes["Vm"]
    assert made.bases == ("*.Base",) and made.methods == ("__init__",)
    assert print_constant(made.constants["RUN"]) == (0xAE80, ("RUN",))
    assert [one.name for one in module.signatures["Vm.__init__"].parameters] == ["self", "path", "mode"]
    assert module.signatures["Vm.__init__"].kind == "method"
    assert module.imports == {"os": "os", "fcntl": "fcntl"} and module.stars == ("kvmapi",)
    assert [one.name for one in module.sketches] == [BODY, "Vm.__init__", "lost"]


def test_every_manager_of_a_with_is_left_on_every_way_out() -> None:
    text = b"async def f(a):\n    async with a.b() as x, a:\n        if x: return 1\n    print 2\n"
    printed = body(read_well(text), "f")
    assert printed.count("->__enter__()") == 2 and printed.count("->__exit__(") == 4


def test_a_finally_stands_on_every_way_out_and_raise_goes_to_the_handler() -> None:
    text = (
        b"def f(a):\n    while 1:\n        try:\n            if a: break\n            if not a: continue\n"
        b"            raise E\n        except E:\n            return a.lost()\n        finally:\n"
        b"            a.close()\n    print 2\n"
    )
    printed = body(read_well(text), "f")
    # After break, after continue, after the return of the handler; nothing falls off the end of the try.
    assert printed.count("mcall a->close()") == 3 and printed.count("mcall a->lost()") == 1
    assert "%raised" not in printed and "unbounded" in printed


def print_constant(operand: object) -> tuple[object, object]:
    return getattr(operand, "value", None), getattr(operand, "names", None)


def test_a_syntax_error_loses_its_statement_only() -> None:
    broken = CLOSE + b"def g(y):\n    x = = 2\n    os.dup(y)\ndef h(z):\n    os.dup2(z, 1)\n"
    module = read_well(broken)
    line, text = told(module)
    assert line == 5 and text.startswith("is not Python 3 (invalid syntax): read roughly")
    assert "call os.close(x)" in body(module, "f") and "call os.dup2(z, 1)" in body(module, "h")
    assert "call os.dup(y)" in body(module, "g")


@pytest.mark.parametrize(
    "data",
    [
        b"def f(:\n",
        b"(",
        b"'''",
        b"class",
        b"\\",
        b"    x\n  y\n",
        b"x = 0777\n",
        b"a\0b = 1\n",
        b"\0",
    ],
)
def test_damage_is_said_once(data: bytes) -> None:
    module = read_well(CLOSE + data)
    assert told(module)[1].startswith("is not Python 3")
    assert "call os.close(x)" in body(module, "f")


DEEP = [
    ("x = " + "(" * 5000 + ")" * 5000, 3),
    ("x = " + "[" * 5000, 3),
    ("x = a" + ".b" * 5000, 3),
    ("x = a" + "()" * 5000, 3),
    ("x = " + "not " * 5000 + "a", 3),
    ("x = " + "lambda: " * 5000 + "a", 3),
    ("x = a" + " + a" * 5000, 3),
    ("x = " + "f'{" * 5000 + "1" + "}'" * 5000, 3),
    ("x = ('a'\n" + "'b'\n" * 5000 + ")", 1003),
    ("if a:\n  b\n" + "elif a:\n  b\n" * 5000, 2005),
]


@pytest.mark.parametrize(("text", "line"), DEEP, ids=[text[:12].strip() for text, _line in DEEP])
def test_what_would_crash_the_parser_is_kept_from_it(text: str, line: int) -> None:
    module = read_well(b"import os\nos.close(3)\n" + text.encode() + b"\n")
    assert told(module)[1].startswith("is nested too deep: read roughly")
    assert abs(told(module)[0] - line) <= 1


VALID = [
    "x = " + " + ".join(f"a{number}" for number in range(400)),
    "if a:\n  b\n" + "elif a:\n  b\n" * 400,
    "x = a" + ".b(1)" * 300,
]


@pytest.mark.parametrize("text", VALID, ids=[text[:12].strip() for text in VALID])
def test_long_chains_that_python_takes_are_read_in_full(text: str) -> None:
    before = sys.getrecursionlimit()
    assert not read_well(CLOSE + text.encode() + b"\n").problems
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize("text", VALID, ids=[text[:12].strip() for text in VALID])
def test_a_valid_file_is_not_called_damaged(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[read.__module__], "_RECURSION", 0)
    line, said = told(read_well(CLOSE + text.encode() + b"\n"))
    assert said.startswith("is nested too deep: read roughly") and line >= 4


SHALLOW = [
    "x = " + "(" * 199 + ")" * 199,
    "x = '" + "(" * 5000 + "'",
    'x = """' + "(\n" * 5000 + '"""',
    "# " + "(" * 5000,
    "x = [" + "a.b + 1, " * 5000 + "]",
    "x = {" + "a: (1, 2.0),\n" * 5000 + "}",
    "x = a + b\n" * 5000,
    "if a:\n  b\nelif c:\n  d\n" * 2000,
    "x = '\\'" + "(" * 5000 + "'",
]


@pytest.mark.parametrize("text", SHALLOW, ids=[text[:12].strip() for text in SHALLOW])
def test_what_is_long_but_not_deep_is_not_kept_from_it(text: str) -> None:
    assert too_deep(text) == 0


def test_big_files_are_read_roughly_and_bigger_ones_not_at_all() -> None:
    table = b"TABLE = [" + b"0x12, " * (LIMITS.python_bytes // 6) + b"]\n"
    module = read_well(CLOSE + table)
    line, text = told(module)
    assert line == 0 and text.startswith("is 1.0 MB, more than 1 MB of Python: read roughly")
    assert module.problems[0].kind is ProblemKind.LIMIT
    assert "call os.close(x)" in body(module, "f")
    module = read_well(CLOSE + table * 4)
    assert "more than 3 MB of Python: not read" in told(module)[1] and not module.functions
