"""A Linux source tree -> the KVM ioctls that return a descriptor, and whether it is close-on-exec.

In: a directory with virt/kvm and include/uapi/linux/kvm.h. Out: :class:`KernelUapi`. Reads the source as the
kernel writes it: a function begins in the first column and ends with a brace there; a request is a case of
a switch.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from vmfdlint.models.operands import Truth

_HEADER = "include/uapi/linux/kvm.h"
_PLACES = ("virt/kvm/*.c", "arch/*/kvm/**/*.c")
_VERSION = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)$", re.MULTILINE)
_DEFINE = re.compile(r"^#define\s+(KVM_\w+)\s+_IO\w*\(\s*KVMIO\s*,\s*(0x[0-9a-fA-F]+|\d+)", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_FUNCTION = re.compile(
    r"^(?!#|\s|\}|typedef|struct \w+ *\{)[^;{}#]*?\b(\w+)\s*\(([^;{}]*)\)\s*\{", re.MULTILINE
)
_CALL = re.compile(r"\b([a-z_]\w*)\s*\(")
_CASE = re.compile(r"\bcase\s+(\w+)\s*:|\bdefault\s*:")
# What makes a number, and which of its arguments are the flags: fs/anon_inodes.c, fs/file.c, linux/file.h.
_MAKERS = {
    "anon_inode_getfd": 3,
    "anon_inode_getfd_secure": 3,
    "get_unused_fd_flags": 0,
    "FD_ADD": 0,
    "FD_PREPARE": 1,
}
_MAKER = re.compile(rf"\b({'|'.join(_MAKERS)})\s*\(")
_DEEPEST = 6
"""Calls between the case of a request and the function that makes the number; four are met in Linux."""


class Origin(msgspec.Struct, frozen=True, order=True):
    """A call that makes a number: where it stands, what it is, and the flags as they are written."""

    path: str
    line: int
    function: str
    maker: str
    flags: str

    @property
    def cloexec(self) -> Truth:
        """Whether the number is close-on-exec; flags that are computed elsewhere are not known."""
        words = set(re.findall(r"\w+", self.flags))
        if "O_CLOEXEC" in words:
            return Truth.YES
        fixed = all(word.isdigit() or re.fullmatch(r"O_[A-Z]+", word) for word in words)
        return Truth.NO if fixed else Truth.MAYBE


class KernelUapi(msgspec.Struct, frozen=True):
    """What a tree says. ``numbers`` are the low bytes of the requests, ``origins`` the makers of each
    request's descriptor, ``loose`` the makers that no request leads to.
    """

    version: str
    numbers: dict[str, int]
    origins: dict[str, tuple[Origin, ...]]
    loose: tuple[Origin, ...]


class _Function(msgspec.Struct):
    path: str
    line: int
    name: str
    body: str
    calls: frozenset[str]


class NotAKernel(ValueError):
    """The directory is no Linux source tree; the text says what is missing."""


def read_kernel(root: Path) -> KernelUapi:
    """Reads a tree. Raises NotAKernel."""
    header = root / _HEADER
    if not header.is_file():
        raise NotAKernel(f"{root}: no {_HEADER}: name the top directory of a Linux source tree")
    headers = [header, *sorted(root.glob("arch/*/include/uapi/asm/kvm.h"))]
    numbers = {name: int(number, 0) for path in headers for name, number in _DEFINE.findall(_text(path))}
    functions = [
        function
        for place in _PLACES
        for path in sorted(root.glob(place))
        for function in _functions(path.relative_to(root).as_posix(), _text(path))
    ]
    origins: dict[str, set[Origin]] = {}
    loose = []
    for function in functions:
        for origin in _origins(function):
            requests = _requests(function.name, origin, functions)
            for request in requests:
                origins.setdefault(request, set()).add(origin)
            loose += [] if requests else [origin]
    found = {request: tuple(sorted(each)) for request, each in sorted(origins.items())}
    return KernelUapi(_version(root), numbers, found, tuple(sorted(loose)))


def _text(path: Path) -> str:
    """A file without its comments; lines stay where they are."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _version(root: Path) -> str:
    makefile = root / "Makefile"
    parts = dict(_VERSION.findall(_text(makefile))) if makefile.is_file() else {}
    return ".".join(parts[name] for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL") if name in parts)


def _functions(path: str, text: str) -> Iterator[_Function]:
    for found in _FUNCTION.finditer(text):
        end = text.find("\n}", found.end())
        body = text[found.end() : end if end >= 0 else len(text)]
        line = text.count("\n", 0, found.end()) + 1
        yield _Function(path, line, found[1], body, frozenset(_CALL.findall(body)))


def _origins(function: _Function) -> Iterator[Origin]:
    for found in _MAKER.finditer(function.body):
        arguments = _arguments(function.body, found.end())
        index = _MAKERS[found[1]]
        flags = " ".join(arguments[index].split()) if index < len(arguments) else "?"
        line = function.line + function.body.count("\n", 0, found.start())
        yield Origin(function.path, line, function.name, found[1], flags)


def _arguments(text: str, start: int) -> list[str]:
    """What stands between the parenthesis that opened before ``start`` and its end, split at the commas."""
    parts, depth, last = [], 0, start
    for at in range(start, len(text)):
        letter = text[at]
        if letter in "([{":
            depth += 1
        elif letter in ")]}" and depth:
            depth -= 1
        elif letter == ")" or (letter == "," and not depth):
            parts.append(text[last:at])
            last = at + 1
            if letter == ")":
                break
    return parts


def _requests(name: str, origin: Origin, functions: Sequence[_Function]) -> set[str]:
    """The requests from whose case a chain of calls leads to the function ``name``."""
    found = {case for function in functions if function.name == name for case in _cases_of(function, origin)}
    seen, front = {name}, {name}
    for _ in range(_DEEPEST):
        callers: set[str] = set()
        for function in functions:
            called = function.calls & front
            if not called or function.name in called:
                continue
            cases = {case for each in called for case in _cases_that_call(function, each)}
            found |= cases
            callers |= set() if cases else {function.name}
        front = callers - seen
        seen |= front
    return found


def _cases_of(function: _Function, origin: Origin) -> set[str]:
    """The cases that hold the maker itself."""
    return _cases_that_call(function, origin.maker)


def _cases_that_call(function: _Function, name: str) -> set[str]:
    call = re.compile(rf"\b{name}\s*\(")
    found: set[str] = set()
    labels: list[str] = []
    last = 0
    for case in [*_CASE.finditer(function.body), None]:
        segment = function.body[last : case.start() if case else len(function.body)]
        if call.search(segment):
            found.update(labels)
        if segment.strip():
            labels = []
        if case is None:
            break
        labels += [case[1]] if case[1] and case[1].startswith("KVM_") else []
        last = case.end()
    return found
