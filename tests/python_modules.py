"""Python files for tests: modules written as IR, or lowered from source, joined in a Library."""

import re

import libcst as cst

from vmfdlint.base import SourceText
from vmfdlint.frontends.python.library import Library
from vmfdlint.frontends.python.lower import lower_module
from vmfdlint.frontends.python.module import Class, Module, Parameter, Signature, module_name
from vmfdlint.ir import FunctionKey, Operand, print_function, validate
from vmfdlint.ir.text import parse_functions

KNOWN = frozenset(
    {
        *("os.open", "os.close", "os.dup", "fcntl.ioctl", "mmap.mmap", "mmap.mmap.close", "builtins.open"),
        *("io.FileIO.close", "socket.socket.sendmsg", "atexit.register", "contextlib.ExitStack.callback"),
        *("?.close", "python2.os.open"),
    }
)
"""API names that the models of these tests have."""


def written(
    path: str,
    text: str = "",
    signatures: dict[str, Signature] | None = None,
    classes: tuple[Class, ...] = (),
    imports: dict[str, str] | None = None,
    stars: tuple[str, ...] = (),
    constants: dict[str, Operand] | None = None,
) -> Module:
    """A module whose functions are IR text: ``function Vm.close(self)``, without its path."""
    text = re.sub(r"(?m)^(\s*function )", rf"\g<1>{path}::", text)
    functions = {function.key.name: function for function in parse_functions(text)}
    named = {one.name: one for one in classes}
    return Module(
        path, module_name(path), functions, signatures or {}, named, imports or {}, stars, constants or {}
    )


def method(owner: str, *names: str, kind: str = "method", returns: str = "") -> Signature:
    """The signature of a method with plain parameters."""
    return Signature(tuple(Parameter(name) for name in names), kind, owner, returns)


def joined(*modules: Module, fork_default: bool = True, python2: bool = False) -> Library:
    """A library of written modules."""
    return Library({one.path: one for one in modules}, KNOWN.__contains__, {}, fork_default, python2)


def sources(text: str, fork_default: bool = True, python2: bool = False) -> Library:
    """A library of files in one text; a line ``### path`` starts each."""
    found: dict[str, str] = {}
    for piece in re.split(r"(?m)^### ", text)[1:]:
        path, _, body = piece.partition("\n")
        found[path.strip()] = body
    texts = {path: SourceText(path, body.encode()) for path, body in found.items()}
    modules = {path: lower_module(cst.parse_module(text.data), text) for path, text in texts.items()}
    return Library(modules, KNOWN.__contains__, texts, fork_default, python2)


def lines(library: Library, path: str, name: str) -> list[str]:
    """The instructions of a bound function as text, without those of exceptions; it must be well-formed."""
    function = library.function(FunctionKey(path, name))
    assert function is not None
    assert validate(function) == ()
    found: list[str] = []
    for block in re.split(r"(?m)^b\d+:.*\n", print_function(function))[1:]:
        shown = [re.sub(r"  @\d+:\d+(-\d+:\d+)?$", "", line).strip() for line in block.splitlines()]
        if "assume %raised != 0" not in shown:
            found += shown
    skipped = ("assume %raised", "call python.drop", "->")
    return [line for line in found if not line.startswith(skipped) and line != "return"]
