"""Changes that a front-end can write into a file: what is to be changed, and what comes of it.

A change says what is meant (a flag, an argument, a line behind a statement); which bytes that are, and how it
is spelled, only the language knows. Where the source is not of the form that a change is for, there is none:
an editor declines, it never guesses.

Texts of a change may hold words in braces: ``{arg 0}`` is the text of an argument, ``{arg 3 |}`` the same
and `` | `` behind it, or nothing where the argument is left out, ``{result}`` the variable that takes the
result, ``{target 1}`` one of several, ``{variable}`` the one the finding is about, ``{module os}`` the name
by which a module is known in the file (it is imported where it is not), ``{fresh rest}`` a name that the file
does not use yet.
"""

from typing import Protocol, TypeAlias

import msgspec

from vmfdlint.base import Span


class Flag(msgspec.Struct, frozen=True, tag_field="kind", tag="flag", forbid_unknown_fields=True):
    """``flag`` among the bits of an argument, by its position or its name; behind the others where it is left
    out."""

    arg: int
    flag: str
    name: str = ""


class Letter(msgspec.Struct, frozen=True, tag_field="kind", tag="letter", forbid_unknown_fields=True):
    """A letter more in an argument that is a string literal."""

    arg: int
    letter: str


class Constant(msgspec.Struct, frozen=True, tag_field="kind", tag="constant", forbid_unknown_fields=True):
    """Another constant in the place of one that an argument names."""

    arg: int
    old: str
    new: str


class Pass(msgspec.Struct, frozen=True, tag_field="kind", tag="pass", forbid_unknown_fields=True):
    """``value`` for the parameter ``name``, which may also stand at the position ``arg``."""

    arg: int
    name: str
    value: str


class Rename(msgspec.Struct, frozen=True, tag_field="kind", tag="rename", forbid_unknown_fields=True):
    """Another function, with more arguments behind those there are. ``most``: how many there may be."""

    name: str
    more: str
    most: int


class Behind(msgspec.Struct, frozen=True, tag_field="kind", tag="behind", forbid_unknown_fields=True):
    """A line behind the statement that stores the result of the call; behind the check for a failure where
    that comes next. ``guard`` is the condition it needs where no check is seen."""

    line: str
    guard: str = ""


class Before(msgspec.Struct, frozen=True, tag_field="kind", tag="before", forbid_unknown_fields=True):
    """A line for each variable before the statement that leaves."""

    line: str


class Unpack(msgspec.Struct, frozen=True, tag_field="kind", tag="unpack", forbid_unknown_fields=True):
    """Other lines in the place of a statement that unpacks the result of the call into ``targets`` names.
    ``most`` is how many arguments the call may have."""

    targets: int
    most: int
    lines: tuple[str, ...]


class Start(msgspec.Struct, frozen=True, tag_field="kind", tag="start", forbid_unknown_fields=True):
    """Another start method for the processes that ``maker`` makes: where the file names the method ``old``,
    else by a context of its own, as ``option`` of the maker or in front of it."""

    maker: str
    old: str
    new: str
    option: str = ""


Change: TypeAlias = Flag | Letter | Constant | Pass | Rename | Behind | Before | Unpack | Start


class Spot(msgspec.Struct, frozen=True):
    """Where a change is to be made. ``at`` is the call or the statement, ``api`` the name that is called,
    ``variables`` those that the finding is about."""

    at: Span
    api: str = ""
    variables: tuple[str, ...] = ()


class Replacement(msgspec.Struct, frozen=True, order=True):
    """``text`` in the place of the bytes from ``start`` to ``end``, the end exclusive."""

    start: int
    end: int
    text: str


class Changed(msgspec.Struct, frozen=True):
    """The bytes of a change. ``plain``: the call stood in a statement of its own, and the change reads as if
    it had been written with it."""

    replacements: tuple[Replacement, ...]
    plain: bool = True


class Editor(Protocol):
    """One file, read once to be changed."""

    @property
    def unread(self) -> int:
        """How much of the file could not be read: bytes, or 1 for all of it."""

    def changed(self, spot: Spot, change: Change, needs: tuple[str, ...] = ()) -> Changed | None:
        """A change at a place, with what it needs besides: a header to include, where none of the words
        behind its name is used yet. None where the source does not have the form for it."""
