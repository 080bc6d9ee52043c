"""What a call does to descriptors, processes and mappings: a closed sum, filled in from rules/models/*.toml.

Every effect names its operands by :class:`Port`. ``Cloexec`` and other conditions may depend on arguments;
the door ``resolve`` decides them for one call. The solver matches effects and never sees an API name.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

REST = ".."
"""The step that means an argument and all behind it, up to a null pointer."""

NAME = "%name"
"""The step from a directory's descriptor to the path it was opened by."""


class Port(msgspec.Struct, frozen=True):
    """Where a value sits in a call: ``ret``, ``arg 1``, ``arg 2 .fd``, ``arg 0 *``, ``arg 0 [0]``,
    ``arg 1 ..`` (that argument and all behind it), ``arg 0 named`` (the path of a directory's descriptor).

    ``arg`` is the argument's index from 0, None for the result. ``fields`` are the steps from it as names
    (``fd``, ``*``, ``[]``, ``[0]``); a member step on an argument that is a pointer goes through the pointer.
    """

    arg: int | None
    fields: tuple[str, ...] = ()


class Truth(StrEnum):
    """A condition decided for one call."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


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


FOREIGN = frozenset({Kind.RECEIVED, Kind.TAKEN})
"""Kinds whose file another process made."""


class Create(msgspec.Struct, frozen=True, tag=True):
    """A new reference of ``kind`` appears at ``at``; ``parent`` is the descriptor it was made from.

    ``name`` is the path of a directory, by which openat() finds what lies in it; "" where none is needed.
    """

    kind: Kind
    at: Port
    cloexec: Truth
    parent: Port | None = None
    name: str = ""


class Duplicate(msgspec.Struct, frozen=True, tag=True):
    """A second descriptor for the file behind ``src``. ``replaces`` is the number that is closed and taken
    over.
    """

    src: Port
    at: Port
    cloexec: Truth
    replaces: Port | None = None


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


class Fork(msgspec.Struct, frozen=True, tag=True):
    """A child process that runs on from here. The result is 0 in the child, positive in the parent, negative
    on failure.

    ``shares_files``: CLONE_FILES. ``shares_memory``: CLONE_VM or vfork. ``entry`` is the function the child
    runs instead (clone(3)) with ``data`` as its argument, the child ending when it returns.
    """

    shares_files: Truth
    shares_memory: Truth
    entry: Port | None = None
    suspends_parent: bool = False
    data: Port | None = None


class Daemon(msgspec.Struct, frozen=True, tag=True):
    """daemon(3): the calling process ends, its child goes on from here with every descriptor."""


class Exec(msgspec.Struct, frozen=True, tag=True):
    """Replaces the process; returns only where it failed."""


class Spawn(msgspec.Struct, frozen=True, tag=True):
    """A child that only execs (system, popen, posix_spawn, g_spawn).

    ``inherits``: YES, descriptors without close-on-exec go to the child; NO, the call closes them all in the
    child.
    """

    inherits: Truth


class PassOn(msgspec.Struct, frozen=True, tag=True):
    """The spawn machinery hands ``fd`` to the child whatever its close-on-exec flag (posix_spawn adddup2)."""

    fd: Port


class Exit(msgspec.Struct, frozen=True, tag=True):
    """Ends the process; nothing after it runs."""


class Raise(msgspec.Struct, frozen=True, tag=True):
    """Does not return to the caller, and the process need not end (longjmp, pthread_exit)."""


class Linger(msgspec.Struct, frozen=True, tag=True):
    """Can block or wait: a linger point. ``brief`` for waits that are short in practice (a disk write) and
    count nowhere; ``lock`` for a lock, which counts where the code at hand takes it, not deep inside a
    callee.
    """

    brief: bool = False
    lock: bool = False


class Map(msgspec.Struct, frozen=True, tag=True):
    """Maps ``fd`` into memory at ``at``; ``length`` is the operand that gives its bytes."""

    fd: Port
    at: Port
    length: Port | None = None


class Unmap(msgspec.Struct, frozen=True, tag=True):
    """Ends the mapping at ``at``, over ``length`` bytes."""

    at: Port
    length: Port | None = None


class Resize(msgspec.Struct, frozen=True, tag=True):
    """Leaves ``length`` bytes of the mapping at ``at``."""

    at: Port
    length: Port


class DontFork(msgspec.Struct, frozen=True, tag=True):
    """MADV_DONTFORK (``on`` YES) or MADV_DOFORK (NO) on the mapping at ``at``."""

    at: Port
    on: Truth
    length: Port | None = None


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


class Inside(msgspec.Struct, frozen=True, tag=True):
    """``pointer`` leads into what ``object`` leads to: what is written behind the one is found behind the
    other (CMSG_DATA, the control buffer of a message).
    """

    pointer: Port
    object: Port


class Unshare(msgspec.Struct, frozen=True, tag=True):
    """The calling task gets a descriptor table of its own, a copy (CLONE_FILES, CLOSE_RANGE_UNSHARE); other
    threads keep the old one.
    """


class Migrate(msgspec.Struct, frozen=True, tag=True):
    """Moves a process to another control group: this one, or the one whose number is in ``task``.

    ``through``: only where that descriptor is a CGROUP file, which the number (or the text at ``task``) is
    written to. ``child``: the process that the same call makes.
    """

    through: Port | None = None
    task: Port | None = None
    child: bool = False


class Callback(msgspec.Struct, frozen=True, tag=True):
    """Runs the function in ``function``, with ``data`` as its argument number ``position``.

    ``when``: ``now`` inside this call; ``later`` from an event loop; ``thread``; ``exit`` (atexit);
    ``signal``.
    """

    function: Port
    when: str
    data: Port | None = None
    position: int = 0


class Free(msgspec.Struct, frozen=True, tag=True):
    """Releases the memory ``pointer`` points to; descriptors kept only there are lost."""

    pointer: Port


class Own(msgspec.Struct, frozen=True, tag=True):
    """``fd`` now belongs to the object in ``at`` and is closed with it (fdopen)."""

    fd: Port
    at: Port


class Copy(msgspec.Struct, frozen=True, tag=True):
    """The value in ``src`` is also in ``at`` afterwards (memcpy, a steal helper, an atomic store)."""

    src: Port
    at: Port


class Store(msgspec.Struct, frozen=True, tag=True):
    """The place ``at`` receives ``value`` (g_clear_fd leaves -1 behind)."""

    at: Port
    value: int


class Keep(msgspec.Struct, frozen=True, tag=True):
    """The callee keeps ``value`` in a structure of its own that can still be reached (a list, a table)."""

    value: Port


class Expose(msgspec.Struct, frozen=True, tag=True):
    """Kernel code makes a file of debugfs: ``mode`` its permissions, ``data`` what its inode points to,
    ``operations`` its struct file_operations (None: operations of debugfs itself, which take no reference).
    """

    name: Port
    mode: Port
    data: Port
    operations: Port | None = None


class Acquire(msgspec.Struct, frozen=True, tag=True):
    """Kernel code takes a reference on the VM ``ref``, a structure ``record``. ``checked``: refused, with a
    false result, where the count is at zero already.
    """

    ref: Port
    record: str
    checked: bool = False


class Release(msgspec.Struct, frozen=True, tag=True):
    """Kernel code puts a reference on the VM ``ref``, a structure ``record``."""

    ref: Port
    record: str


class Write(msgspec.Struct, frozen=True, tag=True):
    """A text that is made of the text in ``value`` stands at ``at`` afterwards.

    ``values``: the argument that fills its first % directive, the others follow (None: it is no format).
    ``join``: put between ``value`` and each argument behind it, up to a null pointer. ``append``: behind what
    stands there.
    """

    at: Port
    value: Port
    values: int | None = None
    join: str | None = None
    append: bool = False


class Grant(msgspec.Struct, frozen=True, tag=True):
    """Lets others than root to what holds VMs in debugfs. ``how`` says it for people, after "the call".

    ``search``: group or others get search permission on the root itself, so that any of them can open the
    files of every VM.
    """

    how: str
    search: Truth = Truth.NO


Effect: TypeAlias = (
    Create
    | Duplicate
    | Close
    | CloseAll
    | SetCloexec
    | Fork
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
    | Free
    | Own
    | Copy
    | Store
    | Keep
    | Expose
    | Acquire
    | Release
    | Write
    | Grant
)


class Sign(StrEnum):
    """A class of result."""

    NEGATIVE = "negative"
    ZERO = "zero"
    POSITIVE = "positive"
    NONZERO = "nonzero"
    NULL = "null"
    ANY = "any"


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
