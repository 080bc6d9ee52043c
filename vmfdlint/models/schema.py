"""A row as written in rules/models/*.toml, before any port or condition in it is understood.

How a row reads is told in rules/models/README.md. Effects stay plain tables here: their fields are those of
the structs in effects_*.py, and compile.py checks them against those, so that the two cannot drift apart.
"""

from typing import TypeAlias

import msgspec

from vmfdlint.models.effects import Kind, Sign

EffectTable: TypeAlias = dict[str, str | dict[str, str | bool | int]]
"""``{ close = { fd = "arg 0" }, when = "arg 1 == 0" }``: one effect, and the words that say when it happens.
"""


class CaseRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the API does where the selecting argument is one constant. ``value`` is its number, where it has
    one.
    """

    effects: list[EffectTable] = []
    value: int | None = None
    failure: Sign | None = None


class GroupRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cases that all do the same: constants with their numbers, and constants whose number is not known."""

    numbers: dict[str, int] = {}
    names: list[str] = []
    effects: list[EffectTable] = []
    failure: Sign | None = None


class ApiRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API, or several of the same shape."""

    names: list[str]
    source: str = ""
    """Where the facts are documented: a manual page, a header, a measured case of the project."""
    failure: Sign = Sign.ANY
    signature: str = ""
    """The parameters with their defaults, for languages that pass arguments by keyword."""
    like: str = ""
    """The row is that of this name, with ``failure`` and ``signature`` of its own."""
    effects: list[EffectTable] = []
    select: str = ""
    """The argument whose constant picks the case."""
    prefixes: list[str] = []
    """Case names are written without these; a constant that has one of them is decided by its name alone,
    because the numbers behind such names differ between architectures (system calls).
    """
    omits: list[str] = []
    """Case names may also be written without these: ``CREATE_VM`` in a class ``Kvm``."""
    size_bits: bool = False
    """Case numbers carry the size of a structure, which differs between architectures: a number that equals
    none is compared by its low 16 bits, type and number of an ioctl.
    """
    otherwise: list[EffectTable] = []
    """What happens for any other constant, and for an argument that is not known."""
    case: dict[str, CaseRow] = {}
    group: list[GroupRow] = []
    extends: bool = False
    """The cases are added to the row of that name in another file."""


class PathRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opening a path gives. Exactly one of ``path`` (the text itself) and ``regex`` (over the whole
    text).

    The text may be a format whose directives are still in it. ``hints`` are stretches of text by which a file
    that opens such a path is found before anything is parsed.
    """

    kind: Kind
    path: str = ""
    regex: str = ""
    hints: list[str] = []
    source: str = ""


class LinkRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a descriptor is whose link in /proc/PID/fd reads so; ``regex`` is over the whole text, ``hints``
    are stretches of it, as for a path."""

    kind: Kind
    regex: str
    hints: list[str] = []
    source: str = ""


class CommandRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a command line that ``regex`` is found in does to debugfs: the fields of the effect ``grant``."""

    regex: str
    how: str
    search: bool = False
    source: str = ""


class TextRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that make the function whose literal they are a place to start from.

    ``stretch`` is what a file is asked for first; ``regex`` is over the whole literal.
    """

    stretch: str
    regex: str


class NeutralRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Functions that neither create, copy, close nor keep a descriptor, and do not wait. ``x*`` is every name
    with x.
    """

    names: list[str]
    source: str = ""


class RootRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Functions that code outside the tree calls, and goes on after: the entries of a plugin or a library."""

    names: list[str]
    source: str = ""


class RecordRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Structures of the kernel that are a VM, or a part of one that lives as long as it does."""

    names: list[str]
    source: str = ""


class NumberRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Functions that read a number out of a text: that of a descriptor out of a name in /proc/self/fd."""

    names: list[str]
    source: str = ""


class FileRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables a file may hold. ``constants`` gives the numbers of names that conditions speak of,
    ``patterns`` regular expressions."""

    api: list[ApiRow] = []
    path: list[PathRow] = []
    link: list[LinkRow] = []
    command: list[CommandRow] = []
    text: list[TextRow] = []
    neutral: list[NeutralRow] = []
    root: list[RootRow] = []
    record: list[RecordRow] = []
    number: list[NumberRow] = []
    constants: dict[str, int] = {}
    patterns: dict[str, str] = {}
