"""What a call does to descriptors, as data.

Door: :func:`load_models` and :func:`default_models` (files -> :class:`Models`), :func:`resolve` (one call ->
its effects), :func:`path_kind`, and the effects themselves. Imports base and ir. No other room knows an API
by name.
"""

from vmfdlint.base.location import rules_directory
from vmfdlint.models.compiled import Models
from vmfdlint.models.conditions import Reader
from vmfdlint.models.effects import (
    CHANNELS,
    Callback,
    Close,
    CloseAll,
    Copy,
    Create,
    Daemon,
    DontFork,
    Duplicate,
    Effect,
    Exec,
    Exit,
    Fork,
    Free,
    Inside,
    Keep,
    Kind,
    Linger,
    Map,
    Own,
    PassOn,
    Port,
    Raise,
    Resolved,
    SetCloexec,
    Share,
    Sign,
    Spawn,
    Store,
    Truth,
    Unmap,
    Use,
)
from vmfdlint.models.load import default_models, load_models
from vmfdlint.models.resolve import path_kind, resolve

__all__ = [
    "CHANNELS",
    "Callback",
    "Close",
    "CloseAll",
    "Copy",
    "Create",
    "Daemon",
    "DontFork",
    "Duplicate",
    "Effect",
    "Exec",
    "Exit",
    "Fork",
    "Free",
    "Inside",
    "Keep",
    "Kind",
    "Linger",
    "Map",
    "Models",
    "Own",
    "PassOn",
    "Port",
    "Raise",
    "Reader",
    "Resolved",
    "SetCloexec",
    "Share",
    "Sign",
    "Spawn",
    "Store",
    "Truth",
    "Unmap",
    "Use",
    "default_models",
    "load_models",
    "path_kind",
    "resolve",
    "rules_directory",
]
