"""What a language must provide, and what it may ask of the program around it.

A front-end does not fail: damage becomes ``Unparsed`` for the smallest statement, and a Problem.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from vmfdlint.base import Problem, SourceText
from vmfdlint.ir import Function, FunctionKey, Notation

BODY = "<module>"
"""Name of the function that holds the statements of a file, where a language has them run in order."""


class Scan(msgspec.Struct, frozen=True):
    """What a lexical pass over one file's bytes finds, without a parse: sets of names (``base.packed``), of
    which the roles are guesses.

    ``tokens`` holds every identifier, and every path-like string literal's contents (``/dev/kvm``). The other
    sets hold names that the file defines at file level: functions with a body, macros, types (struct, union,
    enum tags and typedef names), variables. ``includes`` are the names of the files it includes, as written,
    in order.
    """

    tokens: bytes
    functions: bytes = b""
    macros: bytes = b""
    types: bytes = b""
    variables: bytes = b""
    includes: tuple[str, ...] = ()


class Index(Protocol):
    """The program as a front-end may ask for it while it lowers one file."""

    def defining(self, kind: str, name: str, near: str) -> tuple[str, ...]:
        """Paths of files whose scan lists ``name`` under ``kind`` (functions, macros, types, variables).

        The likeliest first for code in the file ``near``: the file itself, files it includes, then by
        directory.
        """

    def source(self, path: str) -> SourceText:
        """The bytes of a file of the program."""


class Sketch(msgspec.Struct, frozen=True):
    """A function definition found in a parse: byte offsets of the whole definition, end exclusive."""

    name: str
    start: int
    end: int
    attributes: tuple[str, ...] = ()


class Damage(msgspec.Struct, frozen=True):
    """Bytes of a function: all of them, those the parser could not read in the source as it stands, and those
    it still could not read as the front-end prepared it."""

    size: int
    raw: int
    left: int


class Linkage(Protocol):
    """Files whose names the front-end has bound itself, where a language joins files by more than names.

    In their functions ``Named`` holds a name that :meth:`resolve` understands, and nothing is found by text.
    """

    @property
    def paths(self) -> frozenset[str]:
        """The files it speaks of."""

    @property
    def notation(self) -> Notation:
        """How their language writes a path."""

    @property
    def entries(self) -> tuple[str, ...]:
        """Paths of the files that a program begins in, sorted."""

    def unit(self, path: str) -> "Unit":
        """One of the files."""

    def resolve(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        """The functions that a bound name means in a file; () for one of an API or of nothing known."""

    def naming(self, key: FunctionKey) -> tuple[frozenset[FunctionKey], frozenset[FunctionKey]]:
        """The functions that call one by name, and those that use it as a value."""

    def mentioning(self, path: str, token: str) -> tuple[FunctionKey, ...]:
        """The functions of a file in whose IR a name stands: of a call, a constant, a member, a variable; or
        a text, or a number in decimal."""

    def texts(self, path: str) -> tuple[tuple[int, str], ...]:
        """The string literals of a file with their byte offsets."""


class Unit(Protocol):
    """One file, parsed once. Syntax trees stay inside."""

    @property
    def sketches(self) -> tuple[Sketch, ...]:
        """Every function definition, in source order; a name may occur twice (both branches of an #ifdef)."""

    @property
    def outline(self) -> Mapping[str, tuple[str, ...]]:
        """Functions that are plain to see without a parse, with the attribute words of their first
        definition. One that is missing may be there after all."""

    def holders(self, offset: int) -> tuple[str, ...] | None:
        """The names of the functions that hold the name at a byte offset, where that is plain to see without
        a parse; else None."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read so far."""

    def lower(self, sketch: Sketch) -> Function:
        """The function's IR. Pure: the same file and program give the same value."""

    def forget(self) -> None:
        """Gives up the syntax tree; what is asked later has the file parsed again."""

    def damage(self, sketch: Sketch) -> Damage:
        """How much of a function was read; costs another parse of the file."""

    def toplevel(self) -> Function:
        """A function named ``<file>`` whose one block holds what file-level initialisers and registrations
        assign."""
