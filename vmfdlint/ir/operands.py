"""What an instruction reads and writes: access paths and constants."""

from enum import StrEnum
from typing import TypeAlias

import msgspec


class Root(StrEnum):
    """What an access path starts from."""

    LOCAL = "local"
    """A local variable, a parameter or a temporary of the function."""
    GLOBAL = "global"
    """A variable that outlives the call: extern, file-static or function-static."""
    THREAD = "thread"
    """Such a variable of which each thread has its own."""


class Field(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """One step of an access path.

    ``name`` is a member name, ``*`` (what a pointer points to), ``[]`` (an element, index unknown) or ``[3]``
    (an element, index known). ``record`` is the struct or class that declares the member, typedefs resolved
    ("" where unknown). ``deref`` says that the step goes through a pointer (``p->f``); a plain ``s.f`` stays
    inside the same object.
    """

    name: str
    record: str = ""
    deref: bool = False


class Place(msgspec.Struct, frozen=True, order=True, tag=True, cache_hash=True):
    """An access path: a variable and the steps from it.

    A parameter is a LOCAL whose name is listed in ``Function.params``. ``unit`` is the path of the declaring
    file for a GLOBAL or THREAD with internal linkage, else "". A temporary of the lowering has a name that
    starts with ``%``.
    """

    root: Root
    name: str
    fields: tuple[Field, ...] = ()
    unit: str = ""

    @property
    def is_global(self) -> bool:
        """Whether the variable outlives the call."""
        return self.root is not Root.LOCAL

    def step(self, field: Field) -> "Place":
        """The place one step further."""
        return Place(self.root, self.name, (*self.fields, field), self.unit)

    def is_variable(self, name: str) -> bool:
        """Whether this is the variable ``name`` itself, no member of it."""
        return self.name == name and not self.fields


RAISED = Place(Root.LOCAL, "%raised")
"""Not 0 while an exception is on its way. Every call sets it: to 0 where the callee returned, else to 1. A
function that ends by an exception sets it to 1 before it returns. Languages without exceptions never name it.
"""

THROWN = Place(Root.LOCAL, "%raised_as")
"""What the exception is that was raised last: a number with the names of its class and of all its bases. A
handler asks for one of these names with ``&``, whoever passes an exception on with ``!&``. A call that fails
and is none of the program raises one without a name.
"""


class Const(msgspec.Struct, frozen=True, tag=True):
    """A number. ``value`` is None where a name in it could not be evaluated (system headers are not read).

    ``names`` are the symbolic constants it was written with, sorted: ``O_RDWR | O_CLOEXEC`` has both. A
    macro for numbers that are known has its own name beside those it expands to. -errno values (``-EINVAL``)
    have value -1 if unknown.
    """

    value: int | None
    names: tuple[str, ...] = ()


class Text(msgspec.Struct, frozen=True, tag=True):
    """A string literal (adjacent literals joined, escapes decoded); formatted text keeps its % directives."""

    value: str


class Flags(msgspec.Struct, frozen=True, tag=True):
    """``base`` with the bits ``on`` set and the bits ``off`` cleared: ``flags | O_CLOEXEC``, ``f &
    ~FD_CLOEXEC``."""

    base: Place
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


class Address(msgspec.Struct, frozen=True, tag=True):
    """The address of a place: ``&cd``; also an array or struct that decays to its address as an argument."""

    place: Place


class FuncRef(msgspec.Struct, frozen=True, tag=True):
    """A function used as a value."""

    name: str


class Opaque(msgspec.Struct, frozen=True, tag=True):
    """A value the front-end does not follow (arithmetic, an unread expression). ``why`` is for people.

    ``of``: it is a pointer in front of what that one leads to, in the object that contains it.
    """

    why: str = ""
    of: Place | None = None


class Step(msgspec.Struct, frozen=True, tag=True):
    """The number that the assigned place had, and ``by`` more: ``x++``, ``x -= 2``. Only an Assign has it."""

    by: int


def step_by(operator: str, given: "Operand") -> Step | None:
    """What ``x += given`` or ``x -= given`` does to a number, where that is a known one; None for any other
    operator or operand."""
    if operator not in ("+", "-") or not isinstance(given, Const) or given.value is None:
        return None
    return Step(given.value if operator == "+" else -given.value)


ELEMENT = Field("[]", "", True)
"""The step from a list or a mapping to an element of it that nobody knows."""


Operand: TypeAlias = Place | Const | Text | Flags | Address | FuncRef | Opaque | Step


def key_step(key: Operand | None) -> str:
    """The name of the step to the element that a key has: ``[name]`` for a text like a name, else ``[]``."""
    named = isinstance(key, Text) and key.value.replace("-", "_").isidentifier()
    return f"[{key.value}]" if isinstance(key, Text) and named else ELEMENT.name
