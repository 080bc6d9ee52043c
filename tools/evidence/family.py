"""The processes of one run, whatever they fork, execute or put into the background.

They are told by a word in their environment. All is read from /proc, from outside: the programs do
nothing for it.
"""

import os
import re
import signal
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import msgspec

VARIABLE = "VMFDLINT_EVIDENCE"
_HANDLE = re.compile(r"(?:\banon_inode:\[?|/[\w-]+\.)(kvm-[a-z-]*[a-z])")
_SYSTEM = re.compile(r"/dev/kvm$|/played/kvm$")
_DEBUGFS = re.compile(r"/kvm/\d+-\d+/\w+$")
_CLOEXEC = 0o2000000
_ASLEEP = "STtZXI"
"""States of /proc/PID/stat; see proc(5)."""


class Holder(msgspec.Struct, frozen=True, order=True):
    """A process and a KVM file it has: ``who`` is "creator", "child" or the name of another program."""

    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.who}: {self.what}"


def name_of(link: str) -> str:
    """What a link in /proc/PID/fd or a line of /proc/PID/maps names, if it has to do with KVM; else ""."""
    if found := _HANDLE.search(link):
        return found[1]
    if _SYSTEM.search(link):
        return "/dev/kvm"
    return "a debugfs file of the VM" if _DEBUGFS.search(link) else ""


class Family:
    """The processes with one word in their environment. ``seen`` are all that ever had it, threads too."""

    def __init__(self) -> None:
        self.word = uuid4().hex
        self.main = 0
        self.program = ""
        self.seen: set[int] = set()
        self._foreign: set[int] = set()

    def environment(self) -> dict[str, str]:
        """What the first process is to be given."""
        return {VARIABLE: self.word}

    def pids(self) -> list[int]:
        """The live ones, zombies apart."""
        return list(self._look())

    def rests(self) -> bool:
        """Whether no thread of any of them runs or waits for a disk: also where none is left."""
        return all(state in _ASLEEP for states in self._look().values() for state in states)

    def _look(self) -> dict[int, list[str]]:
        """The live ones with the states of their threads."""
        found = {}
        for name in os.listdir("/proc"):  # noqa: PTH208
            if not name.isdigit() or (pid := int(name)) in self._foreign:
                continue
            if pid not in self.seen and not self._is_ours(pid):
                continue
            self.seen.add(pid)
            states = self._states(pid)
            if any(state not in "ZX" for state in states):
                found[pid] = states
        return found

    def _is_ours(self, pid: int) -> bool:
        environ = _read(pid, "environ")
        if self.word.encode() in environ:
            return True
        # An empty one may be that of a process in the middle of an exec.
        if environ or not _read(pid, "cmdline"):
            self._foreign.update([pid] if environ else [])
        return False

    def _states(self, pid: int) -> list[str]:
        try:
            threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
        except OSError:
            return []
        self.seen.update(int(thread) for thread in threads)
        stats = [_read(pid, f"task/{thread}/stat").decode("utf-8", "replace") for thread in threads]
        return [stat.rpartition(")")[2].split()[0] for stat in stats if stat]

    def holders(self) -> tuple[Holder, ...]:
        """Who has which KVM file, each once."""
        found: set[Holder] = set()
        for pid in self.pids():
            who = self._who(pid)
            for link, flags in (each for table in _tables(pid) for each in _descriptors(table)):
                if name := name_of(link):
                    kept = ", close-on-exec" if flags & _CLOEXEC else ", inheritable"
                    found.add(Holder(who, name + kept))
            for line in _read(pid, "maps").decode("utf-8", "replace").splitlines():
                if (name := name_of(line)) and name != "/dev/kvm":
                    found.add(Holder(who, f"{name}, mapped"))
        return tuple(sorted(found))

    def _who(self, pid: int) -> str:
        try:
            program = Path(f"/proc/{pid}/exe").readlink()
        except OSError:
            return "unknown"
        if program.name != self.program:
            # By the name it was called by: sh is another file on each system.
            return _read(pid, "comm").decode("utf-8", "replace").strip()
        return "creator" if pid == self.main else "child"

    def end(self, seconds: float = 2.0) -> None:
        """Kills all of them, and waits until they are gone."""
        until = monotonic() + seconds
        while (left := self.pids()) and monotonic() < until:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            sleep(0.002)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _tables(pid: int) -> list[str]:
    """Where each thread's descriptors stand in /proc: one of them may have a table of its own."""
    try:
        return [f"{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
    except OSError:
        return []


def _descriptors(table: str) -> list[tuple[str, int]]:
    """What each descriptor names, and its flags, as in open(2)."""
    found = []
    try:
        numbers = os.listdir(f"/proc/{table}/fd")  # noqa: PTH208
    except OSError:
        return []
    for number in numbers:
        try:
            link = os.readlink(f"/proc/{table}/fd/{number}")  # noqa: PTH115
            info = Path(f"/proc/{table}/fdinfo/{number}").read_bytes()
        except OSError:
            continue
        flags = re.search(rb"^flags:\s*(\d+)", info, re.MULTILINE)
        found.append((link, int(flags[1], 8) if flags else 0))
    return found
