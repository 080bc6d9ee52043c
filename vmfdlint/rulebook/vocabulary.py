"""The words of a rule's ``[match]`` and ``[[levels]]``: the hazards, and what can be asked of one."""

from vmfdlint.models import CHANNELS, Kind

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "parent": ("lives", "dies"),
    "held": ("descriptor", "mapping"),
    "survival": ("sure", "unsure"),
    "kind": tuple(kind.value for kind in Kind),
    "exec": ("reached", "none"),
    "channel": CHANNELS,
    "own": ("closed", "kept"),
    "moved": ("creator", "child"),
    "root": ("open", "closed"),
    "pins": ("yes", "no"),
    "access": ("write", "read", "owner"),
    "fault": ("unbalanced", "unchecked"),
}
"""The attributes an incident can have, and their values: the vocabulary of a rule's ``[match]`` and
``[[levels]]``."""

INCIDENTS = (
    "surviving child",
    "worker forked",
    "ioctl in child",
    "copy outlives",
    "born inheritable",
    "close-on-exec cleared",
    "inheritable copy",
    "passed to spawn",
    "lost",
    "remains after close",
    "closed twice",
    "used after close",
    "partly unmapped",
    "moved to cgroup",
    "shared",
    "table unshared",
    "received inheritable",
    "exposed by the kernel",
    "kernel reference",
    "kept open",
    "opened to others",
)
