"""``python -m tools same``: one tree checked in every way that may not matter, and whether the bytes are the
same: the number of processes, who does the work, what the cache holds, what is read.

In: a tree. Out: the SHA-256 of each way's JSON report. For ``--exhaustive`` the counts of what was read are
left out of both sides, for there it reads more.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from tools.checked import command, environment
from tools.memory import measure
from tools.trees import Tree, Unreadable

DASK, EXHAUSTIVE = "dask", "exhaustive"
_CACHE = "CACHE"
WAYS: dict[str, tuple[str, ...]] = {
    "no-cache": ("--no-cache",),
    "cold-cache": ("--cache-dir", _CACHE),
    "warm-cache": ("--cache-dir", _CACHE),
    "one-process": ("--no-cache", "-j", "1"),
    "two-processes": ("--no-cache", "-j", "2"),
    "serial": ("--no-cache", "--executor", "serial"),
    DASK: ("--no-cache", "--executor", DASK),
    EXHAUSTIVE: ("--exhaustive",),
}
"""Name of a way -> its options; two of the values are put in when it is run."""


class Way(msgspec.Struct, frozen=True):
    """One way: the hash of its report, and of the report without counts; how long it took."""

    name: str
    whole: str
    answers: str
    seconds: float


class Same(msgspec.Struct, frozen=True):
    """All ways of one tree; those in ``left_out`` could not be had."""

    tree: str
    ways: tuple[Way, ...]
    left_out: tuple[str, ...] = ()

    @property
    def differing(self) -> tuple[str, ...]:
        """Those that do not say what the first one says."""
        first = self.ways[0]
        return tuple(
            way.name
            for way in self.ways
            if (way.answers != first.answers if way.name == EXHAUSTIVE else way.whole != first.whole)
        )


def same(tree: Tree, names: tuple[str, ...]) -> Same:
    """Checks a tree in these ways, the first of which the others are compared with. Raises Unreadable."""
    left_out = tuple(name for name in names if name == DASK and find_spec("distributed") is None)
    ways = []
    with tempfile.TemporaryDirectory() as cache, _cluster(DASK in names and not left_out) as address:
        for name in names:
            if name not in left_out:
                put_in = {_CACHE: cache, DASK: address}
                ways.append(_checked(tree, name, [put_in.get(word, word) for word in WAYS[name]]))
    return Same(tree.name, tuple(ways), left_out)


def text(result: Same) -> str:
    """For people."""
    lines = [f"{result.tree}:"]
    for way in result.ways:
        mark = "DIFFERS" if way.name in result.differing else "same"
        lines.append(f"  {way.name:<14} {way.seconds:8.1f} s  {way.whole[:16]} {way.answers[:16]}  {mark}")
    lines += [f"  {name:<14} not to be had here" for name in result.left_out]
    return "\n".join(lines) + "\n"


def answers(report: bytes) -> bytes:
    """A report without the counts of what was read."""
    document = msgspec.json.decode(report, type=dict[str, msgspec.Raw])
    document.pop("statistics")
    return msgspec.json.encode(document)


def _checked(tree: Tree, name: str, options: list[str]) -> Way:
    line = command(tree)
    for word in ("--statistics", "--jobs", "0"):  # wall times differ; the way says how many processes
        line.remove(word)
    at = line.index("check") + 1
    given = {key: value for key, value in environment().items() if not key.startswith("VMFDLINT_")}
    ran = measure([*line[:at], *options, *line[at:]], tree.root, given)
    if ran.exit_code not in (0, 1):
        said = ran.errors.decode("utf-8", "replace").strip()
        raise Unreadable(f"{tree.name}: {name} ended with exit code {ran.exit_code}: {said}")
    return Way(name, _hash(ran.output), _hash(answers(ran.output)), ran.seconds)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _cluster(wanted: bool) -> Iterator[str]:
    """The address of a Dask cluster of two worker processes on this machine."""
    if not wanted:
        yield ""
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = environment()["PYTHONPATH"]
    scratch = Path(tempfile.gettempdir())
    try:
        made: Any = import_module("distributed")
        with made.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(scratch)
        ) as cluster:
            yield "dask://" + cluster.scheduler_address.partition("://")[2]
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
