"""What is told beside findings: who holds the VM at a place (``vmfdlint why``), and what a change adds and
takes away (``vmfdlint diff``). Free of engine words."""

from enum import StrEnum

import msgspec

from vmfdlint.base import Span
from vmfdlint.finding import Finding, Item, Step


class Verdict(StrEnum):
    """What can be said of a place."""

    HELD = "held"
    FREE = "free"
    UNREACHED = "unreached"
    """Control never comes there."""
    NO_CODE = "no code"
    """Nothing is executed on the line or, in its function, behind it."""


class Party(StrEnum):
    """Who has a reference, seen from the process that runs the line."""

    SELF = "self"
    """That process; where ``Holder.since`` is set, a child that was forked there."""
    CREATOR = "creator"
    """The process that forked it: what it had open at the fork."""
    CHILD = "child"
    """A process that this one forked."""
    WORKER = "worker"
    """A worker process that an API forked out of sight."""
    PROGRAM = "program"
    """A program that inherited it."""
    RECEIVER = "receiver"
    """Whoever was sent it."""


class Kind(StrEnum):
    """What a reference is, as far as its end goes."""

    DESCRIPTOR = "descriptor"
    MAPPING = "mapping"
    OBJECT = "object"
    """A descriptor that an object has and closes."""
    KEPT = "kept"
    """Without a number: a ring or another VM keeps it."""


class Holder(msgspec.Struct, frozen=True):
    """One reference that can keep the VM alive while the line runs.

    ``what`` says what it is, ``kind`` how it ends, ``made`` and ``by`` where and by which API it came to be.
    ``places`` are names that hold it, the handiest first, ``function`` the one that these names belong to
    ("": the line's own, or names that are the same everywhere). ``lost``: no variable names it any more.
    ``since`` is the call that gave it to its party, where that is not the process itself; ``waits`` what a
    child or a program does with it, at ``waits_at``. ``uncertain`` says what the answer hangs on.
    """

    what: str
    kind: Kind
    made: Span
    by: str
    party: Party
    places: tuple[str, ...] = ()
    function: str = ""
    lost: bool = False
    since: Span | None = None
    how: str = ""
    waits: str = ""
    waits_at: Span | None = None
    uncertain: tuple[str, ...] = ()
    trace: tuple[Step, ...] = ()


class Ledger(msgspec.Struct, frozen=True):
    """Who holds the VM while a line runs.

    ``asked`` is the line that was asked about, ``at`` the code that was looked at: on that line, or the next
    of its function. ``callers`` lead to it from the outside, the outermost first. ``notes`` say what is not
    known. Each of ``holders`` has to end by itself: together they are the smallest set.
    """

    path: str
    asked: int
    verdict: Verdict
    at: Span | None = None
    function: str = ""
    callers: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    notes: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """What differs between two states of a program."""

    since: str
    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    found: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
