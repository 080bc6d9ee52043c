"""The tool's own difficulties: what could not be read, resolved or finished."""

from enum import StrEnum

import msgspec

from vmfdlint.base.span import Span


class ProblemKind(StrEnum):
    """How a problem counts: ``io``, ``config`` and ``crash`` make the run end with exit code 2."""

    PARSE = "parse"
    UNRESOLVED = "unresolved"
    LIMIT = "limit"
    CACHE = "cache"
    IO = "io"
    CONFIG = "config"
    CRASH = "crash"


class Problem(msgspec.Struct, frozen=True):
    """One difficulty. ``text`` says what happened and what the user can do; ``at`` is None where no place is
    known. ``rough`` says that it is one of a file that was read only roughly, or in part: findings there can
    be wrong or missing, so that it is told without being asked for."""

    kind: ProblemKind
    text: str
    path: str = ""
    at: Span | None = None
    rough: bool = False
