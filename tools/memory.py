"""A command line -> how long it ran, how much memory its processes held together. Linux only: reads /proc.

The child leads a session of its own, so that its descendants are known by the number of the session even
after their parents are gone. Memory is the sum of resident sets: a page that
two processes share counts twice.
"""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import msgspec

INTERVAL = 0.05
"""Seconds between two samples: a peak shorter than that can be missed."""

_SESSION, _RSS = 3, 21
"""Fields of /proc/PID/stat after the name in brackets: proc(5), fields 6 (session) and 24 (rss, in pages)."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(msgspec.Struct, frozen=True):
    """One run: wall time from start to end in seconds, peak memory of all its processes in bytes."""

    seconds: float
    peak_bytes: int
    exit_code: int
    """-9 for a run that was ended after ``timeout`` seconds."""
    output: bytes
    errors: bytes


def measure(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float | None = None,
) -> Measured:
    """Runs a command to its end, or for ``timeout`` seconds, however long that takes without one."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        started = perf_counter()
        child = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=given, stdout=out, stderr=err, start_new_session=True
        )
        peak = _Peak(child.pid)
        ending = threading.Timer(timeout, _end, (child,)) if timeout else None
        with peak:
            try:
                if ending is not None:
                    ending.start()
                # Without a timeout: with one, Python looks only every 50 ms whether the child has ended.
                code = child.wait()
            finally:
                if ending is not None:
                    ending.cancel()
                if child.poll() is None:  # Ctrl-C, which a session of its own does not get
                    _end(child)
                    child.wait()
            ended = perf_counter()
        out.seek(0)
        err.seek(0)
        return Measured(ended - started, peak.bytes, code, out.read(), err.read())


def _end(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


class _Peak:
    """Samples the memory of a session in a thread while it is entered."""

    def __init__(self, session: int) -> None:
        self.bytes = 0
        self._session = session
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.is_set():
            self.bytes = max(self.bytes, resident(self._session))
            self._over.wait(INTERVAL)


def resident(session: int) -> int:
    """Bytes resident in the processes of a session, now. A process that ends meanwhile counts nothing."""
    pages = 0
    with os.scandir("/proc") as entries:
        numbers = [entry.name for entry in entries if entry.name.isdigit()]
    for number in numbers:
        try:
            stat = Path("/proc", number, "stat").read_bytes()
        except OSError:
            continue
        fields = stat[stat.rfind(b")") + 2 :].split()
        if int(fields[_SESSION]) == session:
            pages += int(fields[_RSS])
    return pages * _PAGE
