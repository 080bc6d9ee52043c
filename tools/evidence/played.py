"""The oracle for machines without KVM: a preloaded library plays /dev/kvm with FIFOs and locks (play.c).

A FIFO without a writer reads as ended, a file that nobody holds can be locked: the kernel says so itself,
whoever held it and however. What a real KVM refuses or does to the machine beyond that is not seen here.
"""

import fcntl
import os
from pathlib import Path
from stat import S_ISFIFO

from tools.evidence.family import Family


class Played:
    """One run: its VMs are the files in ``directory``, made by this and empty."""

    name = "fifo"

    def __init__(self, library: Path, directory: Path) -> None:
        self._library = library
        self._directory = directory / "played"
        self._directory.mkdir()

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "PLAY_DIR": str(self._directory)}

    def count(self, family: Family) -> tuple[int, int]:
        """``family`` has the directory for itself."""
        alive: dict[str, bool] = {}
        for path in self._directory.glob("*.kvm-*"):
            machine = path.name.partition(".")[0]
            alive[machine] = alive.get(machine, False) or _held(path)
        return len(alive), sum(alive.values())

    def close(self) -> None:
        for path in self._directory.iterdir():
            path.unlink()
        self._directory.rmdir()


def _held(path: Path) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if S_ISFIFO(os.fstat(fd).st_mode):
            return os.read(fd, 1) != b""
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
