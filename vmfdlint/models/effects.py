"""What a call does to descriptors, processes and mappings: a closed sum, filled in from rules/models/*.toml.

The effects stand by subject in effects_*.py; this is the door to them. Every effect names its operands by
:class:`Port`. ``Cloexec`` and other conditions may depend on arguments; the door ``resolve`` decides them for
one call. The solver matches effects and never sees an API name.
"""

from typing import TypeAlias

import msgspec

from vmfdlint.models.effects_debugfs import Acquire, Expose, Grant, Release
from vmfdlint.models.effects_descriptors import (
    CHANNELS,
    DIRECTORIES,
    FOREIGN,
    Close,
    CloseAll,
    Create,
    Duplicate,
    Kind,
    Own,
    PassOn,
    ReadCloexec,
    Register,
    SetCloexec,
    Share,
    Use,
)
from vmfdlint.models.effects_memory import (
    ANSWERS,
    Copy,
    Count,
    DontFork,
    Drop,
    Export,
    Free,
    Inside,
    Keep,
    Make,
    Map,
    Resize,
    Store,
    Unmap,
    Wipe,
    Write,
)
from vmfdlint.models.effects_processes import (
    Callback,
    Daemon,
    Defer,
    Discard,
    Entrust,
    Exec,
    Exit,
    Fork,
    Linger,
    Migrate,
    Once,
    Raise,
    Spawn,
    Unshare,
    Worker,
)
from vmfdlint.models.operands import KEY, MADE, NAME, REST, Port, Sign, Truth

__all__ = [
    "ANSWERS",
    "CHANNELS",
    "DIRECTORIES",
    "FOREIGN",
    "KEY",
    "MADE",
    "NAME",
    "REST",
    "Acquire",
    "Callback",
    "Close",
    "CloseAll",
    "Copy",
    "Count",
    "Create",
    "Daemon",
    "Defer",
    "Discard",
    "DontFork",
    "Drop",
    "Duplicate",
    "Effect",
    "Entrust",
    "Exec",
    "Exit",
    "Export",
    "Expose",
    "Fork",
    "Free",
    "Grant",
    "Inside",
    "Keep",
    "Kind",
    "Linger",
    "Make",
    "Map",
    "Migrate",
    "Once",
    "Own",
    "PassOn",
    "Port",
    "Raise",
    "ReadCloexec",
    "Register",
    "Release",
    "Resize",
    "Resolved",
    "SetCloexec",
    "Share",
    "Sign",
    "Spawn",
    "Store",
    "Truth",
    "Unmap",
    "Unshare",
    "Use",
    "Wipe",
    "Worker",
    "Write",
]

Effect: TypeAlias = (
    Create
    | Duplicate
    | Close
    | CloseAll
    | SetCloexec
    | ReadCloexec
    | Fork
    | Worker
    | Daemon
    | Exec
    | Spawn
    | PassOn
    | Exit
    | Raise
    | Linger
    | Map
    | Unmap
    | Resize
    | DontFork
    | Use
    | Share
    | Register
    | Inside
    | Unshare
    | Migrate
    | Callback
    | Discard
    | Entrust
    | Defer
    | Once
    | Count
    | Wipe
    | Free
    | Drop
    | Export
    | Own
    | Copy
    | Make
    | Store
    | Keep
    | Expose
    | Acquire
    | Release
    | Write
    | Grant
)


_RESULT = Port(None)


class Resolved(msgspec.Struct, frozen=True):
    """What one call does, its arguments considered. The effects happen in order.

    ``failure`` is the class of the result where the call failed and the effects did not happen (ANY: it says
    nothing). ``wants`` lists the arguments (indices from 0) whose unknown value left a condition at MAYBE, or
    left the case of a selecting argument or the kind of an opened path open. ``api`` is the name shown to
    people.
    """

    api: str
    effects: tuple[Effect, ...]
    failure: Sign = Sign.ANY
    wants: tuple[int, ...] = ()

    @property
    def threads(self) -> tuple[Port, ...]:
        """The handles of the threads that the call waits for."""
        return tuple(one.thread for one in self.effects if isinstance(one, Linger) and one.thread)

    @property
    def returned(self) -> tuple[Port, ...]:
        """The arguments, or what lies below them, whose value the call returns."""
        return tuple(one.src for one in self.effects if isinstance(one, Copy) and one.at == _RESULT)
