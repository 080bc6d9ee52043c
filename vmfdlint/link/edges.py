"""The words of the call graph: an instruction, an edge from it, and a slot that functions are stored in.

A slot is (record, field) or an element of a global array. A function stored there is reached by every call
through it.
"""

from enum import StrEnum

import msgspec

from vmfdlint.ir import FunctionKey, Operand, Place


class EdgeKind(StrEnum):
    """When the callee runs, seen from the call."""

    DIRECT = "direct"
    SLOT = "slot"
    NOW = "now"
    ONCE = "once"
    """Inside the first such call."""
    EACH = "each"
    """Inside the call, once for each element of a collection."""
    THREAD = "thread"
    JOIN = "join"
    """In a thread that the call waits for."""
    LATER = "later"
    EXIT = "exit"
    SIGNAL = "signal"
    PROCESS = "process"
    """In a process of its own that is a copy of this one."""
    FORK = "fork"
    """At the start of every child that this process forks."""

    @property
    def is_inside(self) -> bool:
        """Whether the callee runs inside a call that names another function."""
        return self in (EdgeKind.NOW, EdgeKind.ONCE, EdgeKind.EACH)

    @property
    def is_call(self) -> bool:
        """Whether the call comes back when the callee has."""
        return self.is_inside or self in (EdgeKind.DIRECT, EdgeKind.SLOT)

    @property
    def is_deferred(self) -> bool:
        """Whether the callee runs after the call has returned, from the loop or the end of the program, or in
        another process."""
        return self in (EdgeKind.LATER, EdgeKind.EXIT, EdgeKind.SIGNAL, EdgeKind.PROCESS, EdgeKind.FORK)


class Site(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """One instruction: function, block index, index in the block."""

    function: FunctionKey
    block: int
    index: int


class Edge(msgspec.Struct, frozen=True, cache_hash=True):
    """``site`` calls ``callee`` with ``args``, operands of the caller (Opaque where unknown). ``answers``:
    what the callee returns is the result of the call, though another function is called by name."""

    site: Site
    callee: FunctionKey
    kind: EdgeKind
    args: tuple[Operand, ...]
    answers: bool = False


class Slot(msgspec.Struct, frozen=True, cache_hash=True):
    """A place for functions: a member of a record, or an element of a global array (``record`` is its
    name)."""

    record: str
    field: str


def slot_of(place: Place) -> Slot | None:
    """The slot a place belongs to; None for a plain variable."""
    for field in reversed(place.fields):
        if field.name not in ("*",) and not field.name.startswith("["):
            return Slot(field.record, field.name)
    if place.is_global:
        return Slot("@" + place.name, "[]")
    return None


def belongs(one: Slot | None, other: Slot) -> bool:
    """Whether two slots may be one: a record that is not known matches any."""
    if one is None or one.field != other.field:
        return False
    if one.record.startswith("@") or other.record.startswith("@"):
        return one.record == other.record
    return one.record == other.record or not one.record or not other.record
