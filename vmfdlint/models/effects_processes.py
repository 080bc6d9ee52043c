"""What a call does to processes: it makes, replaces, ends or moves one, waits in it, or runs a function.

Fields name operands by :class:`Port`; a :class:`Truth` is a condition decided for one call.
"""

import msgspec

from vmfdlint.models.operands import Port, Truth


class Fork(msgspec.Struct, frozen=True, tag=True):
    """A child process that runs on from here. The result is 0 in the child, positive in the parent, negative
    on failure.

    ``shares_files``: CLONE_FILES. ``shares_memory``: CLONE_VM or vfork. ``entry`` is the function the child
    runs instead (clone(3)) with ``data`` as its argument, the child ending when it returns. ``at`` is where
    the result stands, where that is not the whole of what the call returns.
    """

    shares_files: Truth
    shares_memory: Truth
    entry: Port | None = None
    suspends_parent: bool = False
    data: Port | None = None
    at: Port | None = None


class Worker(msgspec.Struct, frozen=True, tag=True):
    """Forks a process that waits for work, with a copy of every descriptor, out of sight of the caller."""


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


class Exit(msgspec.Struct, frozen=True, tag=True):
    """Ends the process; nothing after it runs."""


class Raise(msgspec.Struct, frozen=True, tag=True):
    """Does not return to the caller, and the process need not end (longjmp, pthread_exit)."""


class Linger(msgspec.Struct, frozen=True, tag=True):
    """Can block or wait: a linger point. ``brief`` for waits that are short in practice (a disk write) and
    count nowhere; ``lock`` for a lock, which counts where the code at hand takes it, not deep inside a
    callee. ``message`` for a wait that ends when something is said, which does not show that a parent
    outlives its child. ``thread`` is the handle of a thread that has ended when the call returns.
    """

    brief: bool = False
    lock: bool = False
    message: bool = False
    thread: Port | None = None


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

    ``when``: ``now`` inside this call; ``once``, inside the first of such calls; ``each``, inside it for each
    element of a collection; ``discard``, for each element of the collection at ``of`` when that is discarded;
    ``later`` from an event loop; ``thread``; ``exit`` (atexit); ``signal``; ``process``, in a copy of this
    one; ``fork``, in every child before anything else. The element stands before ``data``. ``spread``:
    ``data`` is a sequence of the arguments; ``arg 2 ..`` are the call's own from there on. ``bound`` is the
    object of a method, before all these, where one is given.
    """

    function: Port
    when: str
    data: Port | None = None
    position: int = 0
    spread: bool = False
    bound: Port | None = None
    of: Port | None = None


class Entrust(msgspec.Struct, frozen=True, tag=True):
    """When the thread ends, ``value`` goes to the function that a callback ``discard`` gave ``to``."""

    value: Port
    to: Port


class Defer(msgspec.Struct, frozen=True, tag=True):
    """``to`` is called with ``value`` and all arguments behind it when the object in ``at`` is closed: that
    has what ``to`` releases.
    """

    value: Port
    to: Port
    at: Port


class Once(msgspec.Struct, frozen=True, tag=True):
    """Returns a true value to the first that calls it, who does what has to be done once, and 0 later on."""


class Discard(msgspec.Struct, frozen=True, tag=True):
    """Each element of the collection ``of`` goes to the function that a callback ``discard`` gave that."""

    of: Port
