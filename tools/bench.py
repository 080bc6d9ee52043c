"""``python -m tools bench``: a check of a tree beside two yardsticks over the same files, in the same run.

The yardsticks make a time mean something on another machine: the ratios depend on it less. Candidates take
turns, and the order rotates, so that a slow minute hits all of them; of several rounds the median counts. All
times are of whole processes, the start of the interpreter included. A first walk over the tree, which finds
the files, brings them into the page cache for everyone.
"""

import os
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

import msgspec

from tools.checked import Found, command, environment, read_report
from tools.memory import Measured, measure
from tools.trees import Tree, Unreadable
from vmfdlint.discover import Search, discover

CHECK, PARSE, SCAN = "check", "parse", "scan"
CANDIDATES = {
    CHECK: "vmfdlint check",
    PARSE: "one core parses every file with tree-sitter",
    SCAN: "one core reads every file, one regular expression over it",
}


class Runs(msgspec.Struct, frozen=True):
    """The runs of one candidate, in the order they were made."""

    seconds: tuple[float, ...]
    peak_bytes: tuple[int, ...]

    @property
    def median_seconds(self) -> float:
        return median(self.seconds)

    @property
    def peak(self) -> int:
        return max(self.peak_bytes)


class Bench(msgspec.Struct, frozen=True):
    """One tree, measured. ``load`` is the load of the machine in the last minute, before and after."""

    tree: str
    files: int
    bytes: int
    findings: int
    cpus: int
    jobs: int
    load: tuple[float, float]
    runs: dict[str, Runs]

    def ratio(self, yardstick: str) -> float:
        """How many times as long the check takes."""
        return self.runs[CHECK].median_seconds / self.runs[yardstick].median_seconds


def rounds(repeat: int) -> Iterator[str]:
    """Whose turn it is: every candidate once a round, each round beginning with another."""
    names = list(CANDIDATES)
    for number in range(repeat):
        first = number % len(names)
        yield from names[first:] + names[:first]


def bench(tree: Tree, jobs: int, repeat: int) -> Bench:
    """Measures one tree. Raises Unreadable where a candidate fails, or reads other files than the check."""
    line = command(tree, jobs)
    names, size = sources(tree)
    listing = b"".join(os.fsencode(name) + b"\0" for name in names)
    before = os.getloadavg()[0]
    seconds: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    peaks: dict[str, list[int]] = {name: [] for name in CANDIDATES}
    findings: tuple[Found, ...] = ()
    for name in rounds(repeat):
        arguments = line if name == CHECK else [sys.executable, "-P", "-m", "tools.yardstick", name]
        measured = _measured(tree, name, arguments, b"" if name == CHECK else listing)
        seconds[name].append(measured.seconds)
        peaks[name].append(measured.peak_bytes)
        if name == CHECK:
            checked = read_report(tree.name, measured.output)
            findings = checked.findings
            read = checked.files
        else:
            read = int(measured.output.split()[0])
        if read != len(names):
            raise Unreadable(f"{tree.name}: {name} read {read} files of {len(names)}: did the tree change?")
    return Bench(
        tree=tree.name,
        files=len(names),
        bytes=size,
        findings=len(findings),
        cpus=len(os.sched_getaffinity(0)),
        jobs=jobs,
        load=(before, os.getloadavg()[0]),
        runs={name: Runs(tuple(seconds[name]), tuple(peaks[name])) for name in CANDIDATES},
    )


def sources(tree: Tree) -> tuple[tuple[str, ...], int]:
    """The files a check of the tree reads, as absolute names, and their bytes together. Raises Unreadable."""
    read = tree.sheet.read
    search = Search(
        exclude=read.exclude, exclude_base=tree.root.as_posix(), respect_gitignore=read.respect_gitignore
    )
    found = discover([str(tree.root / path) for path in tree.paths()], search)
    if not found.files:
        raise Unreadable(f"{tree.name}: no C sources were found in it: is it the whole tree?")
    names = tuple(str(found.root / source.path) for source in found.files)
    return names, sum(len(source.data) for source in found.files)


def _measured(tree: Tree, name: str, arguments: list[str], stdin: bytes) -> Measured:
    measured = measure(arguments, tree.root, environment(), stdin)
    if measured.exit_code not in ((0, 1) if name == CHECK else (0,)):
        said = measured.errors.decode("utf-8", "replace").strip()
        raise Unreadable(f"{tree.name}: {name} ended with exit code {measured.exit_code}: {said}")
    return measured


def text(result: Bench) -> str:
    """One tree for people."""
    lines = [
        f"{result.tree}: {result.files:,} files, {result.bytes / 1e6:.1f} MB, {result.findings} findings",
        f"  {result.cpus} CPUs, --jobs {result.jobs}, load {result.load[0]:.1f} before and "
        f"{result.load[1]:.1f} after",
    ]
    for name in CANDIDATES:
        runs = result.runs[name]
        ratio = "" if name == CHECK else f"; check takes {result.ratio(name):.2f} times as long"
        spread = ""
        if len(runs.seconds) > 1:
            spread = f" (median of {len(runs.seconds)}: {min(runs.seconds):.2f} to {max(runs.seconds):.2f})"
        lines.append(
            f"  {name:<5}  {runs.median_seconds:8.2f} s{spread}, peak {runs.peak / 1e6:,.0f} MB{ratio}"
        )
    lines += [f"  {name} = {what}" for name, what in CANDIDATES.items()]
    return "\n".join(lines) + "\n"


def document(results: list[Bench]) -> dict[str, Any]:
    """Everything measured, for --json."""
    return {"schema": 1, "trees": [_tree_document(result) for result in results]}


def _tree_document(result: Bench) -> dict[str, Any]:
    runs = {
        name: {
            "median_seconds": each.median_seconds,
            "peak_bytes": each.peak,
            **msgspec.structs.asdict(each),
        }
        for name, each in result.runs.items()
    }
    ratios = {name: result.ratio(name) for name in CANDIDATES if name != CHECK}
    return {**msgspec.structs.asdict(result), "runs": runs, "ratios": ratios}
