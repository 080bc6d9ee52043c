"""What calls of the C library, GLib and QEMU do: conditions, cases and paths, one call each."""

import pytest
from model_calls import FD, MODELS, UNKNOWN, call, created, effect_types, named

from vmfdlint.ir import Address, Const, Flags, FuncRef, Opaque, Operand, Place, Root, Text
from vmfdlint.models import (
    Callback,
    Close,
    CloseAll,
    Create,
    Daemon,
    DontFork,
    Duplicate,
    Exec,
    Exit,
    Fork,
    Keep,
    Kind,
    Linger,
    Map,
    Port,
    Resolved,
    SetCloexec,
    Sign,
    Spawn,
    Store,
    Truth,
    Unmap,
    Unshare,
    Wipe,
    path_kind,
)

# --- descriptors of the C library ---


@pytest.mark.parametrize(
    ("flags", "cloexec", "wants"),
    [
        (named("O_CLOEXEC", "O_RDWR"), Truth.YES, ()),
        (named("O_RDWR"), Truth.NO, ()),
        (Const(2), Truth.NO, ()),
        (Const(0x80002), Truth.YES, ()),
        (named("O_RDWR", "O_UNHEARD_OF"), Truth.NO, ()),
        (named("MY_OPEN_FLAGS"), Truth.MAYBE, (1,)),
        (UNKNOWN, Truth.MAYBE, (1,)),
        (Opaque(), Truth.MAYBE, (1,)),
        (Flags(UNKNOWN, on=("O_CLOEXEC",)), Truth.YES, (1,)),
        (Flags(UNKNOWN, off=("O_CLOEXEC",)), Truth.NO, (1,)),
    ],
)
def test_open_flags(flags: Operand, cloexec: Truth, wants: tuple[int, ...]) -> None:
    """With the rest of the flags unknown it may still be O_PATH, so they are wanted."""
    found = call("open", Text("/dev/kvm"), flags)
    assert found.effects == (Create(Kind.SYSTEM, Port(None), cloexec),)
    assert found.wants == wants


def test_open_of_other_paths() -> None:
    assert call("open", Text("/etc/passwd"), UNKNOWN) == Resolved("open", (), Sign.NEGATIVE)
    assert call("open", UNKNOWN, named("O_RDWR")) == Resolved("open", (), Sign.NEGATIVE, (0,))
    assert call("openat", named("AT_FDCWD"), UNKNOWN, named("O_RDWR")).wants == (1,)
    debugfs = Text("/sys/kernel/debug/kvm/%d-%d/exits")
    assert created("open", debugfs, named("O_PATH")) == []
    assert created("open", debugfs, named("O_DIRECTORY", "O_RDONLY")) == []
    assert created("open", debugfs, named("O_RDONLY"))[0].kind is Kind.DEBUGFS
    assert created("fopen", debugfs, Text("re"))[0].cloexec is Truth.YES
    assert created("fopen", debugfs, Text("r"))[0].cloexec is Truth.NO
    assert created("syscall", named("SYS_openat"), named("AT_FDCWD"), Text("/dev/kvm"), named("O_RDWR"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/dev/kvm", Kind.SYSTEM),
        ("/dev/kvmfoo", None),
        ("/tmp/dev/kvm", None),
        ("/sys/kernel/debug/kvm/123-4/exits", Kind.DEBUGFS),
        ("/sys/kernel/debug/kvm/%d-%d/%s", Kind.DEBUGFS),
        ("/sys/kernel/debug/kvm/%ld-%02u/mmu_rmaps_stat", Kind.DEBUGFS),
        ("/sys/kernel/debug/kvm/%s/halt_exits", Kind.DEBUGFS),
        ("%s/kvm/%d-%d/blocking", Kind.DEBUGFS),
        ("/sys/kernel/debug/kvm/123-4", Kind.DEBUGFS_DIRECTORY),
        ("/sys/kernel/debug/kvm/123-4/", Kind.DEBUGFS_DIRECTORY),
        ("/sys/kernel/debug/kvm/123-4/vcpu0", None),
        ("/sys/kernel/debug/kvm/123-4/vcpu0/pid", None),
        ("/sys/kernel/debug/kvm/%d-%d/vcpu%d", None),
        ("/sys/kernel/debug/kvm/%d-%d/vcpu%d/tsc-offset", None),
        ("/sys/kernel/debug/kvm/exits", None),
        ("/sys/kernel/debug/kvm/%s", Kind.DEBUGFS_DIRECTORY),
        ("/sys/kernel/debug/kvm", Kind.DEBUGFS_DIRECTORY),
        ("/sys/kernel/debug", Kind.DEBUGFS_DIRECTORY),
        ("/sys/kernel", None),
        ("/sys/kernel/debug/tracing/trace", None),
        ("/home/me/kvm/1-2/notes", None),
    ],
)
def test_paths(path: str, kind: Kind | None) -> None:
    assert path_kind(MODELS, path) is kind


def test_duplicates() -> None:
    one, two = Port(0), Port(1)
    assert call("dup", FD).effects == (Duplicate(one, Port(None), Truth.NO),)
    assert call("dup2", FD, UNKNOWN).effects == (Duplicate(one, Port(None), Truth.NO, two),)
    assert call("dup3", FD, UNKNOWN, Const(0)).effects == (Duplicate(one, Port(None), Truth.NO, two),)
    assert call("dup3", FD, UNKNOWN, named("O_CLOEXEC")).effects == (
        Duplicate(one, Port(None), Truth.YES, two),
    )
    assert call("fcntl", FD, named("F_DUPFD_CLOEXEC"), Const(3)).effects == (
        Duplicate(one, Port(None), Truth.YES),
    )
    assert call("fcntl", FD, Const(0), Const(3)).effects == (Duplicate(one, Port(None), Truth.NO),)
    assert effect_types("syscall", named("__NR_dup2"), FD, Const(9)) == [Duplicate]


@pytest.mark.parametrize(
    ("flags", "on"),
    [
        (named("FD_CLOEXEC"), Truth.YES),
        (Const(1), Truth.YES),
        (Const(0), Truth.NO),
        (Flags(UNKNOWN, on=("FD_CLOEXEC",)), Truth.YES),
        (Flags(UNKNOWN, off=("FD_CLOEXEC",)), Truth.NO),
        (Flags(UNKNOWN), Truth.MAYBE),
        (UNKNOWN, Truth.MAYBE),
    ],
)
def test_setfd(flags: Operand, on: Truth) -> None:
    found = call("fcntl", FD, named("F_SETFD"), flags)
    assert found.effects == (SetCloexec(Port(0), on),)
    assert found.wants == ((2,) if on is Truth.MAYBE else ())


def test_close_range() -> None:
    first, flags = Const(3), named("CLOSE_RANGE_CLOEXEC")
    assert call("close_range", first, Const(0xFFFFFFFF), Const(0)).effects == (CloseAll(Port(0)),)
    assert call("close_range", first, named("UINT_MAX"), Const(0)).effects == (CloseAll(Port(0)),)
    unshared = call("close_range", first, Const(-1), named("CLOSE_RANGE_UNSHARE"))
    assert unshared.effects == (Unshare(), CloseAll(Port(0)))
    assert call("close_range", first, Const(-1), flags).effects == (SetCloexec(None, Truth.YES),)
    assert call("close_range", first, Const(9), Const(0)).effects == ()
    assert effect_types("syscall", named("SYS_close_range"), first, Const(-1), Const(0)) == [CloseAll]


# --- processes, memory, waiting ---


def test_forks() -> None:
    assert call("fork").effects == (Fork(Truth.NO, Truth.NO),)
    assert call("vfork").effects == (Fork(Truth.NO, Truth.YES, suspends_parent=True),)
    fn, stack, arg = FuncRef("child"), UNKNOWN, UNKNOWN
    assert call("clone", fn, stack, named("SIGCHLD"), arg).effects == (
        Fork(Truth.NO, Truth.NO, entry=Port(0), data=Port(3)),
    )
    both = named("CLONE_FILES", "CLONE_VM", "SIGCHLD")
    assert call("clone", fn, stack, both, arg).effects == (
        Fork(Truth.YES, Truth.YES, entry=Port(0), data=Port(3)),
    )
    assert call("clone", fn, stack, UNKNOWN, arg).wants == (2,)
    assert call("syscall", named("SYS_clone"), named("SIGCHLD"), Const(0)).effects == (
        Fork(Truth.NO, Truth.NO),
    )
    assert call("syscall", named("__NR_clone"), named("CLONE_VM"), Const(0)).effects == (
        Fork(Truth.NO, Truth.YES),
    )
    assert effect_types("syscall", Const(57)) == [Fork]
    assert effect_types("daemon", Const(0), Const(0)) == [Daemon]


def test_system_call_is_decided_by_its_name() -> None:
    """Number 57 is fork on x86-64 only: a named system call that is no case does nothing."""
    assert call("syscall", Const(57, ("__NR_close",)), FD).api == "syscall(__NR_close)"
    assert call("syscall", Const(57, ("__NR_unheard_of",)), FD).effects == ()


def test_ends_and_spawns() -> None:
    assert effect_types("execvp", UNKNOWN, UNKNOWN) == [Exec]
    assert effect_types("_exit", Const(0)) == [Exit]
    assert effect_types("error", Const(0), Const(0), Text("x")) == []
    assert effect_types("error", Const(1), Const(0), Text("x")) == [Exit]
    assert call("error", UNKNOWN, Const(0), Text("x")).wants == (0,)
    assert call("system", Text("true")).effects == (Spawn(Truth.YES), Linger())
    flags = named("G_SPAWN_LEAVE_DESCRIPTORS_OPEN", "G_SPAWN_SEARCH_PATH")
    null = Const(0)
    for given, inherits in ((flags, Truth.YES), (named("G_SPAWN_SEARCH_PATH"), Truth.NO), (null, Truth.NO)):
        assert call("g_spawn_async", null, UNKNOWN, null, given, null, null, null, null).effects == (
            Spawn(inherits),
        )
    fatal = Address(Place(Root.GLOBAL, "error_fatal"))
    assert effect_types("error_setg", fatal, Text("x")) == [Exit, Store]
    assert effect_types("error_setg", UNKNOWN, Text("x")) == [Linger, Store]


def test_memory() -> None:
    args = (Const(0), UNKNOWN, UNKNOWN)
    assert call("mmap", *args, named("MAP_SHARED"), FD, Const(0)).effects == (
        Map(Port(4), Port(None), Port(1)),
    )
    assert call("mmap", *args, named("MAP_ANON", "MAP_PRIVATE"), Const(-1), Const(0)).effects == ()
    assert call("mmap", *args, UNKNOWN, FD, Const(0)).wants == ()
    assert effect_types("mmap", *args, named("MAP_FIXED", "MAP_SHARED"), FD, Const(0)) == [Unmap, Map]
    assert call("madvise", UNKNOWN, UNKNOWN, named("MADV_DONTFORK")).effects == (
        DontFork(Port(0), Truth.YES, Port(1)),
    )
    assert call("madvise", UNKNOWN, UNKNOWN, Const(11)).effects == (DontFork(Port(0), Truth.NO, Port(1)),)
    assert call("madvise", UNKNOWN, UNKNOWN, named("MADV_DONTNEED")).effects == ()


def test_waiting() -> None:
    assert call("poll", UNKNOWN, Const(1), Const(-1)).effects == (Linger(message=True),)
    assert call("poll", UNKNOWN, Const(1), Const(0)).effects == ()
    poll = Resolved("poll", (Linger(message=True),), Sign.NEGATIVE)
    assert call("poll", UNKNOWN, Const(1), UNKNOWN) == poll
    assert effect_types("waitpid", UNKNOWN, UNKNOWN, named("WNOHANG")) == [Wipe]
    assert effect_types("waitpid", UNKNOWN, UNKNOWN, Const(0)) == [Wipe, Linger]
    assert effect_types("wait", UNKNOWN) == [Wipe, Linger]
    stdin = Place(Root.GLOBAL, "stdin")
    assert call("fgets", UNKNOWN, UNKNOWN, stdin).effects == (Linger(), Linger(brief=True))
    assert call("fgets", UNKNOWN, UNKNOWN, UNKNOWN).effects == (Linger(brief=True),)


def test_callbacks() -> None:
    fn = FuncRef("worker")
    assert call("pthread_create", UNKNOWN, Const(0), fn, UNKNOWN).effects == (
        Callback(Port(2), "thread", Port(3)),
        Keep(Port(3)),
    )
    assert call("atexit", fn).effects == (Callback(Port(0), "exit"),)


def test_damaged_call_has_its_effects() -> None:
    assert effect_types("fork") == [Fork]
    assert effect_types("close") == [Close]
    assert call("dup3").wants == (2,)
