"""What a call does to descriptors, and what a descriptor may be.

Fields name operands by :class:`Port`; a :class:`Truth` is a condition decided for one call.
"""

from enum import StrEnum

import msgspec

from vmfdlint.models.operands import Port, Truth


class Kind(StrEnum):
    """What a descriptor or mapping is. All but SYSTEM, DEBUGFS_DIRECTORY, CGROUP, PLAIN and FOREIGN hold a VM
    (rules.md, "Holder")."""

    SYSTEM = "system"
    """/dev/kvm: a source of VMs, holds nothing."""
    VM = "vm"
    VCPU = "vcpu"
    DEVICE = "device"
    STATS = "stats"
    GUEST_MEMFD = "guest_memfd"
    TABLE = "table"
    """powerpc TCE or HTAB descriptor."""
    RUN_MAPPING = "run mapping"
    """A mapping of a vCPU descriptor: kvm_run, coalesced ring, dirty ring."""
    MEMFD_MAPPING = "guest_memfd mapping"
    DEBUGFS = "debugfs"
    """An open file directly in a VM's debugfs directory."""
    CGROUP = "cgroup"
    """A file of a control group that moves the process whose number is written to it."""
    DEBUGFS_DIRECTORY = "debugfs directory"
    """The root of debugfs, or a directory of KVM in it: holds nothing, leads past the mode of the root."""
    PLAIN = "plain"
    """A descriptor of no interest by itself."""
    RECEIVED = "received"
    """One that another process sent: its use tells whether it is a holder."""
    TAKEN = "taken"
    """The same, while the other process keeps its own: pidfd_getfd, a message that was only peeked at."""


DIRECTORIES = frozenset({Kind.DEBUGFS_DIRECTORY, Kind.PLAIN})
"""Kinds of directories: one of no interest by itself may lead to a file that is."""

FOREIGN = frozenset({Kind.RECEIVED, Kind.TAKEN})
"""Kinds whose file another process made."""


class Create(msgspec.Struct, frozen=True, tag=True):
    """A new reference of ``kind`` appears at ``at``; ``parent`` is the descriptor it was made from.

    ``name`` is the path of a directory, by which openat() finds what lies in it; "" where none is needed.
    ``owner``: an object is at ``at`` that closes the reference when nothing refers to it any more.
    """

    kind: Kind
    at: Port
    cloexec: Truth
    parent: Port | None = None
    name: str = ""
    owner: bool = False


class Duplicate(msgspec.Struct, frozen=True, tag=True):
    """A second descriptor for the file behind ``src``. ``replaces`` is the number that is closed and taken
    over. ``owner``: as for Create.
    """

    src: Port
    at: Port
    cloexec: Truth
    replaces: Port | None = None
    owner: bool = False


class Close(msgspec.Struct, frozen=True, tag=True):
    """Closes the number in ``fd`` (also through ``*arg`` for pointer-taking helpers)."""

    fd: Port


class CloseAll(msgspec.Struct, frozen=True, tag=True):
    """Closes every descriptor from ``first`` (a small number, 3 or so) up; ``keep`` names one that stays."""

    first: Port | None = None
    keep: Port | None = None


class SetCloexec(msgspec.Struct, frozen=True, tag=True):
    """Sets (YES) or clears (NO) close-on-exec on ``fd``; ``fd`` None means on every descriptor."""

    fd: Port | None
    on: Truth


class ReadCloexec(msgspec.Struct, frozen=True, tag=True):
    """The number at ``at`` has the bit called ``bit`` where ``fd`` is closed on exec, and else not."""

    fd: Port
    at: Port
    bit: str


class PassOn(msgspec.Struct, frozen=True, tag=True):
    """The spawn machinery hands ``fd`` to the child whatever its close-on-exec flag (posix_spawn adddup2)."""

    fd: Port


class Use(msgspec.Struct, frozen=True, tag=True):
    """Works on the file behind ``fd``. ``checked``: KVM refuses it with EIO outside the creating address
    space. ``kind``: only such a file takes the request, so a descriptor of unknown origin is one.
    """

    fd: Port
    checked: bool = False
    kind: Kind | None = None


CHANNELS = ("scm_rights", "taken", "io_uring", "vm")
"""How a reference goes to someone else: in a message; taken by the receiver (pidfd_getfd); registered with a
ring; held by another VM."""


class Share(msgspec.Struct, frozen=True, tag=True):
    """Hands the file behind ``fd`` to ``channel``, one of :data:`CHANNELS`."""

    fd: Port
    channel: str


class Register(msgspec.Struct, frozen=True, tag=True):
    """A second reference to the file behind ``fd``, under no number: ``at`` holds it (a ring, another VM) for
    the ``channel``, one of :data:`CHANNELS`, until it is closed there. ``ends_with_number``: ``at`` is what a
    number stands for (``arg 0 *``), and a close of that number ends it too.
    """

    fd: Port
    at: Port
    channel: str
    ends_with_number: bool = False


class Own(msgspec.Struct, frozen=True, tag=True):
    """``fd`` now belongs to the object in ``at`` and is closed with it (fdopen). ``owner``: also when nothing
    refers to the object any more.
    """

    fd: Port
    at: Port
    owner: bool = False
