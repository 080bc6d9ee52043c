"""What rules may see of a run: events on references, in the order found, and how they were reached."""

from enum import StrEnum

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Site
from vmfdlint.solve.facts import Fact


class Happening(StrEnum):
    """What an observation is about."""

    CREATE = "create"
    FORK = "fork"
    DAEMON = "daemon"
    WORKER = "worker"
    LINGER = "linger"
    UNSURE = "unsure"
    """A child ends that called a function of which nothing is known."""
    EXEC = "exec"
    SPAWN = "spawn"
    PASS_ON = "pass on"
    CLOSE = "close"
    DOUBLE_CLOSE = "double close"
    USE = "use"
    USE_CLOSED = "use closed"
    CHILD_USE = "child use"
    SET = "set close-on-exec"
    CLEARED = "clear close-on-exec"
    DUPLICATE = "duplicate"
    SHARE = "share"
    REGISTER = "registered"
    UNSHARE = "table unshared"
    KNOWN = "known as a holder"
    """A descriptor of another process; ``made`` is what its use says it is."""
    MIGRATE = "migrate"
    LOST = "lost"
    GRANT = "grant"
    GRANT_SEARCH = "grant search"


class Node(msgspec.Struct, frozen=True, cache_hash=True):
    """A state of the tabulation: a fact before an instruction, in one context (its number)."""

    context: int
    block: int
    index: int
    fact: Fact


class Observation(msgspec.Struct, frozen=True):
    """``what`` happened to ``fact`` (its state before) at ``site``. ``detail`` names the API or the
    reason."""

    what: Happening
    site: Site
    at: Span
    fact: Fact
    node: Node
    detail: str = ""
    made: Fact | None = None


class Crumb(msgspec.Struct, frozen=True):
    """One node of a path to an observation, in order. ``function`` is where it stands."""

    function: FunctionKey
    site: Site
    at: Span
    fact: Fact
    depth: int
