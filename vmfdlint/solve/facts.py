"""What flows through the program: one reference, the places that hold it, its state, what is known beside
it."""

from typing import TypeAlias

import msgspec

from vmfdlint.base import LIMITS, Span
from vmfdlint.ir import Const, FunctionKey
from vmfdlint.link import Site
from vmfdlint.models import FOREIGN, Kind
from vmfdlint.solve.typestate import Event, Life, Process, State, step
from vmfdlint.solve.values import ANY, RETURNED, Value, may_hold, says_process
from vmfdlint.summary import (
    COUNT,
    ESCAPED,
    EXCEPTION,
    OUTER,
    Path,
    is_cell,
    is_global,
    is_temporary,
    is_vague,
    meets,
    same_cell,
    starts_with,
)

UNKNOWN_CALLEE = "unknown callee "
"""Begins a reason for doubt: a call of a function without a body in the tree and without a model."""
IN_CHILD = " in the child"
"""Ends such a reason where the call stands in a forked child, before it executes a program."""

Name: TypeAlias = tuple[Kind, Site, tuple[Site, ...]]
"""A reference's kind, creating call and chain of users."""


class Object(msgspec.Struct, frozen=True, cache_hash=True):
    """One abstract reference, named by the call that made it.

    ``chain`` are the calls outwards through which the fresh reference was handed, so that two users of one
    creating wrapper are two objects. ``copy_of`` is the reference it duplicates. ``many`` says that the site
    runs in a loop: one object then stands for several. ``creator`` marks the stand-in for the parent process
    of a fork.
    """

    kind: Kind
    site: Site
    at: Span
    api: str
    chain: tuple[Site, ...] = ()
    copy_of: "Object | None" = None
    many: bool = False
    creator: bool = False
    alone_since: Site | None = None
    """For a follow-up: the close of the VM (of the copied original) after which this reference is still
    there."""
    channel: str = ""
    """What keeps it where no number does (a ring, another VM): its places are those of the keeper."""
    ends_with_number: bool = False
    """A close of the keeper's number ends it."""
    self_closing: bool = False
    """An object has it that closes it when nothing refers to that object any more."""
    rounds: int | None = None
    """How many a loop makes, where a constant says that."""
    own_table: bool = False
    """In the descriptor table that a thread has for itself alone: it goes when the thread ends."""
    length: int | None = None
    """Of a mapping: its bytes where they are a constant, 0 where a variable says them."""
    numbered: bool = False
    """Of a mapping: a duplicate of its descriptor goes with it, under a number that nobody sees."""

    @property
    def name(self) -> "Name":
        """What tells two references apart: one creating wrapper may make many."""
        return self.kind, self.site, self.chain

    @property
    def user(self) -> FunctionKey:
        """The function that asked for the reference: outside the creating wrapper, where there is one."""
        return (self.chain[-1] if self.chain else self.site).function

    @property
    def first(self) -> "Object":
        """The reference that the kernel made, of which this one is a copy, or a copy's copy; itself if
        none."""
        made = self
        while made.copy_of is not None:
            made = made.copy_of
        return made

    @property
    def original(self) -> "Object":
        """What a copy of this one says it is a copy of: this one and the first of its line. Those between
        are left out, for a loop that copies its last copy has to come to an end."""
        first = self.first if self.copy_of is not None else None
        return msgspec.structs.replace(self, copy_of=first, alone_since=None)

    def outnumbers(self, rounds: int | None) -> bool:
        """Whether a loop made more of these than one with so many rounds can end."""
        return rounds is not None and self.rounds is not None and self.rounds > rounds

    @property
    def is_mapping(self) -> bool:
        """Whether it is memory rather than a descriptor."""
        return self.kind in (Kind.RUN_MAPPING, Kind.MEMFD_MAPPING)

    @property
    def holds_vm(self) -> bool:
        """Whether it keeps a VM alive (rules.md, "Holder")."""
        other = (Kind.SYSTEM, Kind.DEBUGFS_DIRECTORY, Kind.CGROUP, Kind.PLAIN)
        return self.kind not in other and not self.is_foreign

    @property
    def is_foreign(self) -> bool:
        """Whether another process made it, and its use has still to tell what it is."""
        return self.kind in FOREIGN


class Cut(msgspec.Struct, frozen=True, cache_hash=True):
    """A part of a mapping that went by itself: the call that took it. ``left`` are the bytes that stay, from
    the start, where they are known. ``viewed``: all stays, for a view was alive."""

    site: Site
    at: Span
    api: str
    left: int | None = None
    viewed: bool = False


class Fact(msgspec.Struct, frozen=True, cache_hash=True):
    """A reference at a program point. ``object`` None is the zero fact: the point is reachable.

    ``places``: paths that hold it, sorted. ``env``: what is known of variables, sorted by path. ``fork``: the
    first fork since its creation, for a child's copy. ``cause``: where it became inheritable. ``mark``: where
    it was closed or lost. ``via``: what makes the path uncertain, sorted.
    """

    object: Object | None = None
    places: tuple[Path, ...] = ()
    state: State = State()
    env: tuple[tuple[Path, Value], ...] = ()
    fork: Site | None = None
    cause: Site | None = None
    mark: Site | None = None
    via: tuple[str, ...] = ()
    cut: Cut | None = None
    """Of a mapping: the first call that ended only a part of it."""

    @property
    def is_parent(self) -> bool:
        """Whether it stands for the parent of a fork."""
        return self.object is not None and self.object.creator

    @property
    def is_zero(self) -> bool:
        """Whether this is the zero fact, whatever it knows of variables."""
        return self.object is None

    @property
    def is_open(self) -> bool:
        """Whether the reference still counts and a place holds it."""
        return self.state.life is Life.OPEN

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left to follow: it is closed, and no place holds its stale number."""
        return self.object is not None and self.state.life is Life.CLOSED and not self.places

    @property
    def is_mapping(self) -> bool:
        """Whether this is a reference by memory rather than by a number."""
        return self.object is not None and self.object.is_mapping

    @property
    def is_watched(self) -> bool:
        """Whether a linger point matters to this fact."""
        if self.object is None:
            return False
        return bool(
            self.state.life is Life.LOST
            or self.cut is not None
            or (self.in_child and self.is_open)
            or self.object.creator
            or self.object.copy_of
            or self.object.alone_since
            or self.object.kind is Kind.DEBUGFS
        )

    @property
    def in_child(self) -> bool:
        """Whether this is a forked child's copy."""
        return self.state.process is not Process.OWN

    def with_places(self, places: set[Path] | frozenset[Path]) -> "Fact":
        """The fact held by exactly ``places``; beyond the limit, cells and globals are kept first.
        Temporaries, which are short-lived, have a limit of their own."""
        # A walk over a linked list adds a step a round: beyond the limit the place counts as held elsewhere.
        kept = sorted({path if len(path) <= LIMITS.path_steps else ESCAPED for path in places})
        if len(kept) > LIMITS.places:
            named = [path for path in kept if not is_temporary(path)]
            others = [path for path in kept if is_temporary(path)]
            kept = sorted(
                path for group in (named, others) for path in sorted(group, key=_worth)[: LIMITS.places]
            )
        return msgspec.structs.replace(self, places=tuple(kept))

    def lookup(self, path: Path) -> Value | None:
        """What is known of a variable."""
        for known, value in self.env:
            if known == path:
                return value
        return None

    def knowing(self, path: Path, value: Value | None) -> "Fact":
        """The fact with ``path`` known to be ``value`` (None forgets it and everything below it)."""
        env = [(known, old) for known, old in self.env if not starts_with(known, path)]
        if value is not None:
            env.append((path, value))
            counted = [known for known, old in env if not _stays(known, old)]
            if len(counted) > LIMITS.environment * (2 if self.object is None else 1):
                env = [(known, old) for known, old in env if known != counted[0]]
        return msgspec.structs.replace(self, env=tuple(env))

    @property
    def bare(self) -> "Fact":
        """The fact without what it knows of variables, but for what says where it is: that an exception is on
        its way, which of two processes runs. Of a number of users it stays known that there is one."""
        env = ((path, ANY if path[0] == COUNT else value) for path, value in self.env if _stays(path, value))
        return msgspec.structs.replace(self, env=tuple(env))

    @property
    def raised(self) -> bool:
        """Whether an exception is surely on its way."""
        value = self.lookup(EXCEPTION)
        return value is not None and not may_hold(value, "==", RETURNED)

    def after(self, event: Event, mark: Site | None = None) -> "Fact | None":
        """The fact after an event; None where the reference is gone."""
        state = step(self.state, event)
        if state is None:
            return None
        return msgspec.structs.replace(self, state=state, mark=mark or self.mark)

    @property
    def unsure(self) -> tuple[str, ...]:
        """The unknown functions that a forked child called, in order of name."""
        return tuple(
            reason.removeprefix(UNKNOWN_CALLEE).removesuffix(IN_CHILD)
            for reason in self.via
            if reason.endswith(IN_CHILD)
        )

    def marked(self, reason: str) -> "Fact":
        """The fact with a reason for doubt. The first one is kept, and the first of a child: one is enough to
        make a finding uncertain, and their combinations would be many."""
        if any(known.endswith(IN_CHILD) == reason.endswith(IN_CHILD) for known in self.via):
            return self
        return msgspec.structs.replace(self, via=tuple(sorted({*self.via, reason})))


ZERO_FACT = Fact()


def _stays(path: Path, value: Value) -> bool:
    """Whether what is known is no matter of one variable: where the program is, how many use an object."""
    return path == EXCEPTION or path[0] == COUNT or says_process(value)


def _worth(path: Path) -> tuple[int, int, Path]:
    if path in (OUTER, ESCAPED):
        rank = 0
    elif is_global(path):
        rank = 1
    elif is_cell(path):
        rank = 2
    else:
        rank = 3
    return rank, len(path), path


class Match(msgspec.Struct, frozen=True):
    """How a place met a fact: ``must`` where it is surely the same number."""

    must: bool


def match_path(fact: Fact, path: Path, cell: Path | None = None) -> Match | None:
    """Whether ``path``, or the cell it lies in, holds the reference of ``fact``; None where it does not."""
    if path in fact.places:
        return Match(must=not is_vague(path))
    if isinstance(fact.lookup(path), Const):
        return None
    for held in fact.places:
        if meets(held, path):
            return Match(must=False)
        if cell is not None and is_cell(held) and same_cell(held, cell):
            return Match(must=False)
    return None
