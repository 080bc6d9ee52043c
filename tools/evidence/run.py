"""Runs one program to its rest and asks an oracle what became of its VMs."""

import os
import subprocess
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO, Protocol

from tools.evidence.family import Family
from tools.evidence.place import Place
from tools.evidence.shown import Seen
from tools.trees import Unreadable

_GRACE = 0.12
"""Seconds that all processes of a run must sleep, at so many looks, before it counts as come to rest."""
_LOOKS = 12
_LONGEST = 15.0
_FAILED = 1
"""The exit status of a program whose preparation failed, and of the interpreter with a traceback."""
_RELEASE = 3.0
"""Seconds for a VM to go when its last holder was killed: sockets and rings are collected by another task."""


class Oracle(Protocol):
    """Who sees VMs live and die."""

    name: str

    def environment(self) -> dict[str, str]:
        """What the program is to be given besides."""

    def count(self, family: Family) -> tuple[int, int]:
        """How many VMs the family made, and how many of them are alive."""

    def close(self) -> None:
        """Nothing more is asked."""


def run(place: Place, program: str, oracle: Oracle) -> Seen:
    """Runs the command of ``place``, in which ``program`` is the file that it comes to execute.

    Raises Unreadable where it fails or does not come to rest.
    """
    family = Family()
    family.program = program
    environment = {**os.environ, **oracle.environment(), **family.environment()}
    with TemporaryFile() as errors:
        return _watched(place, family, environment, errors, oracle)


def _watched(
    place: Place, family: Family, environment: dict[str, str], errors: IO[bytes], oracle: Oracle
) -> Seen:
    process = subprocess.Popen(
        place.command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
    )
    family.main = process.pid
    family.seen.add(process.pid)
    try:
        _wait(family, process, place.command[-1])
        made, left = oracle.count(family)
        status = process.poll()
        holders = family.holders()
        outside = place.outside()
    finally:
        family.end()
        process.wait()
    if status == _FAILED:
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip()
        raise Unreadable(f"{place.command[-1]}: could not do what it is for: {said or 'it says nothing'}")
    until = monotonic() + _RELEASE
    while (released := oracle.count(family)[1] == 0) is False and monotonic() < until:
        sleep(0.005)
    return Seen(made, left, holders, released, status, outside)


def _wait(family: Family, process: subprocess.Popen[bytes], name: str) -> None:
    started = quiet = monotonic()
    looks = 0
    # A look at a busy machine may be late: the time alone does not say that nothing ran.
    while looks < _LOOKS or monotonic() - quiet < _GRACE:
        if monotonic() - started > _LONGEST:
            raise Unreadable(f"{name}: does not come to rest within {_LONGEST:.0f} s")
        process.poll()
        if not family.rests():
            quiet, looks = monotonic(), 0
            sleep(0.002)
        elif looks == 0 and process.returncode is not None and not family.pids():
            return
        else:
            looks += 1
            sleep(_GRACE / _LOOKS)
