"""Rows ready for use: ports and conditions understood. Immutable and picklable; what they say together is in
catalog.py.
"""

import re
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

import msgspec

from vmfdlint.models.arguments import Parameter
from vmfdlint.models.effects import Effect, Grant, Kind, Port, Sign, Truth


class Test(StrEnum):
    """The comparisons a condition may make."""

    __test__ = False  # not a pytest class, whatever its name

    HAS = "has"
    LACKS = "lacks"
    EQUAL = "=="
    UNEQUAL = "!="
    AT_LEAST = ">="
    BELOW = "<"
    SHARES = "shares"
    """They have a bit in common: ``arg 1 shares 0x9``."""
    MATCHES = "matches"
    """The text as a whole matches a regular expression, quoted or of a [patterns] table."""
    IS = "is"
    """The argument is that variable or its address: ``arg 0 is error_fatal``."""


class Clause(msgspec.Struct, frozen=True):
    """``port test name``. ``number`` is the value of ``name`` where it has one; ``text`` says that it was
    quoted.
    """

    port: Port
    test: Test
    name: str
    number: int | None = None
    text: bool = False


Condition: TypeAlias = tuple[Clause, ...]
"""All clauses must hold; the empty condition holds."""


class Policy(StrEnum):
    """What becomes of an effect whose condition stands at MAYBE."""

    WHEN = "when"
    """It stays, and the argument is wanted."""
    UNLESS = "unless"
    """It goes only where the condition surely holds; nothing is wanted."""
    IF_SURE = "if_sure"
    """It stays only where the condition surely holds; nothing is wanted."""
    IF_KNOWN = "if_known"
    """As IF_SURE, but where the first clause surely holds the arguments of the others are wanted."""


class OpenPath(msgspec.Struct, frozen=True, tag=True):
    """Opens the file named by ``path``: the path table decides whether that creates anything.

    ``base`` is the descriptor of the directory that a relative path starts from.
    """

    path: Port
    at: Port
    cloexec: Truth
    base: Port | None = None
    owner: bool = False


class OpenDirectory(msgspec.Struct, frozen=True, tag=True):
    """Opens the directory named by ``path``, with any flags, where the path table calls it one."""

    path: Port
    at: Port
    cloexec: Truth
    base: Port | None = None
    owner: bool = False


class Command(msgspec.Struct, frozen=True, tag=True):
    """Runs the command line ``line``, a text or an argument list: the command table decides what it does."""

    line: Port


Lookup: TypeAlias = OpenPath | OpenDirectory | Command
"""Effects that a table turns into others (or none) for one call."""


class Spec(msgspec.Struct, frozen=True):
    """One effect as it waits for a call: ``effect`` with placeholders, and what fills them.

    ``truths`` pairs a field of the effect with the condition that decides it.
    """

    effect: Effect | Lookup
    truths: tuple[tuple[str, Condition], ...] = ()
    guards: tuple[tuple[Policy, Condition], ...] = ()


class Behaviour(msgspec.Struct, frozen=True):
    """What a call does under one name. ``label`` is how people see it: ``fork``, ``ioctl(KVM_CREATE_VM)``."""

    label: str
    specs: tuple[Spec, ...] = ()
    failure: Sign = Sign.ANY


class Api(msgspec.Struct, frozen=True):
    """One name. ``base`` is its behaviour, or for a selecting API what it does in no known case."""

    base: Behaviour
    select: Port | None = None
    prefixes: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    size_bits: bool = False
    by_name: dict[str, Behaviour] = {}
    by_value: dict[int, Behaviour] = {}
    by_low_bits: dict[int, Behaviour] = {}
    signature: tuple[Parameter, ...] = ()

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """Every behaviour the name may have."""
        return (self.base, *self.by_name.values())


class PathRule(msgspec.Struct, frozen=True, dict=True):
    """One row of the path table, or of that of links; ``regex`` speaks of the whole text."""

    kind: Kind
    regex: str
    hints: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression; load.py has checked that it compiles."""
        return re.compile(self.regex)


class CommandRule(msgspec.Struct, frozen=True, dict=True):
    """One row of the command table: ``regex`` is found anywhere in a command line."""

    regex: str
    grant: Grant

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression; load.py has checked that it compiles."""
        return re.compile(self.regex)


class TextRule(msgspec.Struct, frozen=True, dict=True):
    """One row of the text table: a literal that holds ``stretch`` and as a whole matches ``regex`` makes its
    function a place to start from.
    """

    stretch: str
    regex: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression; load.py has checked that it compiles."""
        return re.compile(self.regex)
