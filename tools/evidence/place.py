"""What some programs need around them: debugfs in a namespace of its own, memory cgroups.

The mode and owner of the root of debugfs belong to one superblock of the whole machine; they are read before
and put back after each program. The cgroups are made below that of this process and removed again.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from tools.evidence.cases import Need
from tools.trees import Unreadable

_DEBUGFS = "/sys/kernel/debug"
_CGROUPS = "/sys/fs/cgroup"
_LEAST = 8 << 20
"""Bytes of kernel memory that the slots of the VM surely cost; 82 MiB were measured."""
_lock = Lock()


def missing(need: Need) -> str:
    """Why the need cannot be met here; "" if it can."""
    if need and os.geteuid() != 0:
        return "needs root"
    if need == "sev":
        parameter = Path("/sys/module/kvm_amd/parameters/sev")
        on = parameter.exists() and parameter.read_text().strip() in ("Y", "1")
        return "" if on else "no SEV on this machine"
    if need != "cgroup" and need and not Path(_DEBUGFS).is_dir():
        return f"no {_DEBUGFS}"
    if need == "cgroup" and _memory_cgroup() is None:
        return "no memory cgroup to make others in"
    return ""


class Place:
    """One program's surroundings: ``command`` is what to run, ``outside()`` what is seen of the machine."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)

    def outside(self) -> str:
        """Asked while the program rests."""
        return ""


@contextmanager
def place(need: Need, command: Sequence[str]) -> Iterator[Place]:
    """The surroundings for one run. Raises Unreadable."""
    if need == "debugfs":
        yield Place(_private(_MOUNTED, *command))
    elif need in ("debugfs root", "namespace"):
        with _lock:
            yield from _debugfs(_private(_MOUNTED if need == "debugfs root" else 'exec "$@"', *command))
    elif need == "cgroup":
        with _lock:
            yield from _cgroup(command)
    else:
        yield Place(command)


# -- debugfs -----------------------------------------------------------------------------------------------


_MOUNTED = f'mount -t debugfs debugfs {_DEBUGFS} && exec "$@"'


class _Debugfs(Place):
    def outside(self) -> str:
        mode, user, _group = _root()
        shared = bool(mode & 0o011) or user != 0
        return "the debugfs root is open to others" if shared else "the debugfs root is its owner's"


def _debugfs(command: Sequence[str]) -> Iterator[Place]:
    turn = os.open(_DEBUGFS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Another run on this machine would take what this one changes for what was there before.
        flock(turn, LOCK_EX)
        before = _root()
        try:
            yield _Debugfs(command)
        finally:
            mode, user, group = before
            _shell(f"chown {user}:{group} {_DEBUGFS}; chmod {mode:o} {_DEBUGFS}")
        after = _root()
    finally:
        os.close(turn)
    if after != before:
        raise Unreadable(f"{_DEBUGFS}: mode and owner could not be put back to {mode:o} {user}:{group}")


def _root() -> tuple[int, int, int]:
    """Mode, user and group of the root. A plain mount changes none of them."""
    mode, user, group = _shell(f"stat -c '%a %u %g' {_DEBUGFS}").split()
    return int(mode, 8), int(user), int(group)


def _private(script: str, *arguments: str) -> list[str]:
    """A shell script in a mount namespace of its own; what it executes keeps the process number."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *arguments]


def _shell(script: str) -> str:
    ran = subprocess.run(
        _private(f"mount -t debugfs debugfs {_DEBUGFS} && {{ {script}; }}"), capture_output=True, text=True
    )
    if ran.returncode:
        raise Unreadable(f"debugfs: {ran.stderr.strip()}")
    return ran.stdout


# -- memory cgroups ----------------------------------------------------------------------------------------


class _Cgroup(Place):
    """``first`` and ``helpers`` are the cgroups; the program sees the latter as /sys/fs/cgroup/helpers."""

    def __init__(self, command: Sequence[str], base: Path) -> None:
        self.first, self.helpers = base / "guests", base / "helpers"
        self._start = _charge(self.first)
        script = f'echo 0 > "$1"/guests/cgroup.procs && mount --bind "$1" {_CGROUPS} && shift && exec "$@"'
        super().__init__(_private(script, str(base), *command))

    def outside(self) -> str:
        left = _charge(self.first) - self._start >= _LEAST
        members = (self.first / "cgroup.procs").read_text().split()
        if left and not members:
            return "the charge of the VM is in the cgroup that the process left"
        return "the charge of the VM is in the cgroup of the process"


def _cgroup(command: Sequence[str]) -> Iterator[Place]:
    above = _memory_cgroup()
    if above is None:
        raise Unreadable("no memory cgroup to make others in")
    base = above / f"vmfdlint-evidence-{os.getpid()}"
    made = [base, base / "guests", base / "helpers"]
    try:
        for path in made:
            path.mkdir()
            with suppress(OSError):
                (path / "cgroup.subtree_control").write_text("+memory")
        yield _Cgroup(command, base)
    finally:
        until = monotonic() + 3
        while made and monotonic() < until:
            with suppress(OSError):
                made[-1].rmdir()
            if not made[-1].exists():
                made.pop()
            else:
                sleep(0.01)
    if made:
        raise Unreadable(f"{base}: could not be removed")


def _memory_cgroup() -> Path | None:
    """The folder of this process's memory cgroup that others can be made in; v1 and v2."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for root in (f"{_CGROUPS}/memory", f"{_CGROUPS}/unified", _CGROUPS):
            folder = Path(root + path)
            usable = (folder / "memory.kmem.usage_in_bytes").exists()
            usable = usable or "memory" in _words(folder / "cgroup.controllers")
            if ("memory" in controllers.split(",") or not controllers) and usable:
                return folder
    return None


def _words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _charge(cgroup: Path) -> int:
    """Kernel memory charged to it, in bytes."""
    if (old := cgroup / "memory.kmem.usage_in_bytes").exists():
        return int(old.read_text())
    for line in (cgroup / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "kernel":
            return int(value)
    return 0
