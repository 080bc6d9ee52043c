"""``python -m tools bench``: a check of a tree, cold, warm and as a hook, beside two yardsticks and
other tools over the same files, in the same run.

The ratios make a time mean something on another machine: they depend on it less. Candidates take turns, and
the order rotates, so that a slow minute hits all of them. All times are of whole processes, the start of the
interpreter included. Everything reads a copy of the sources, which was just written: it is in the page cache.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from tools.checked import command, environment
from tools.memory import Measured, measure
from tools.peers import Peer
from tools.trees import REPOSITORY, Tree, Unreadable
from vmfdlint.discover import Search, discover

COLD, WARM, HOOK, HOOK_VM, VERSION, GROWN = "cold", "warm", "hook", "hook-vm", "version", "grown"
PARSE, SCAN = "parse", "scan"
OWN = {
    COLD: "whole tree, no cache",
    WARM: "whole tree, nothing changed since the last run",
    HOOK: "one file that names no KVM was changed, `--project . FILE`",
    HOOK_VM: "one file with a finding was changed, `--project . FILE`",
    VERSION: "`vmfdlint --version`",
    PARSE: "one core parses every file with tree-sitter",
    SCAN: "one core reads every file, one regular expression over it",
}
COPIES = 8
_CHECKED = re.compile(r"^Checked ([\d,]+) files?.*: ([\d,]+) findings?", re.MULTILINE)
_ROOM = re.compile(r"^ +([\d.,]+)  s (\w+)$", re.MULTILINE)
_AT = re.compile(r"([^\n:]+):\d+:\d+: ")


class Runs(msgspec.Struct, frozen=True):
    """The runs of one candidate, in the order they were made. ``given_up`` after so many seconds;
    ``findings`` are of the last run, None where it reports none."""

    seconds: tuple[float, ...]
    peak_bytes: tuple[int, ...]
    given_up: float | None = None
    findings: int | None = None

    @property
    def median_seconds(self) -> float:
        return median(self.seconds)

    @property
    def peak(self) -> int:
        return max(self.peak_bytes)


class Bench(msgspec.Struct, frozen=True):
    """One tree, measured. ``load`` is the load of the machine in the last minute, before and after; ``rooms``
    the seconds in each room, a value a cold run; ``hooks`` the files that were changed."""

    tree: str
    files: int
    bytes: int
    findings: int
    commit: str
    date: str
    cpus: int
    jobs: int
    rounds: int
    load: tuple[float, float]
    hooks: tuple[str, str]
    rooms: dict[str, tuple[float, ...]]
    runs: dict[str, Runs]

    def ratio(self, name: str, yardstick: str) -> float:
        """How many times as long as the yardstick a candidate takes."""
        return self.runs[name].median_seconds / self.runs[yardstick].median_seconds

    @property
    def growth(self) -> float | None:
        """Time for each MB of several copies side by side, for one is 1."""
        if GROWN not in self.runs or self.runs[GROWN].given_up:
            return None
        return self.ratio(GROWN, COLD) / COPIES


class Candidate(msgspec.Struct, frozen=True):
    """``line`` runs in ``at``; ``before`` and ``after`` make ready and put back, outside of what is timed."""

    line: list[str]
    at: Path
    stdin: bytes = b""
    right: tuple[int, ...] = (0, 1)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    limit: float | None = None


def rounds(names: Sequence[str], repeat: int) -> Iterator[str]:
    """Whose turn it is: every candidate once a round, each round beginning with another."""
    for number in range(repeat):
        first = number % len(names)
        yield from (*names[first:], *names[:first])


def bench(
    tree: Tree, jobs: int, repeat: int, peers: dict[str, tuple[Peer, str]], limit: float, grown: int
) -> Bench:
    """Measures one tree. A peer is given up after ``limit`` seconds, and not tried again. ``grown`` rounds
    are made over several copies side by side. Raises Unreadable where vmfdlint fails or reads other files."""
    names, size = sources(tree)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        place = root / "tree"
        for name in names:
            _copied(Path(name), place / Path(name).relative_to(tree.root.resolve()))
        first = _first(tree, jobs, place, root / "warm")
        shutil.copytree(root / "warm", root / "hook")
        hooks = _hook_files(place, names, tree, first)
        candidates = own(place, root, jobs, names, hooks)
        for name, (peer, program) in peers.items():
            line = peer.line(program, jobs or _cpus())
            candidates[name] = Candidate(line, place, right=peer.right, limit=limit)
        made: dict[str, list[Measured]] = {name: [] for name in candidates}
        for name in rounds(tuple(candidates), repeat):
            if not any(one.exit_code == -9 for one in made[name]):
                made[name].append(run(tree, name, candidates[name]))
        if grown:
            for number in range(COPIES):
                shutil.copytree(place, root / "grown" / str(number), copy_function=os.link)
            many = Candidate(check(jobs, "--no-cache", "."), root / "grown")
            made[GROWN] = [run(tree, GROWN, many) for _ in range(grown)]
    checks = [said(tree, one.output) for one in made[COLD]]
    if any(one.files != len(names) for one in checks):
        raise Unreadable(f"{tree.name}: {checks[0].files} files were read of {len(names)}")
    counted: dict[str, int | None] = {
        name: said(tree, made[name][-1].output).findings
        for name in (COLD, WARM, HOOK, HOOK_VM, GROWN)
        if name in made
    }
    for name, (peer, _) in peers.items():
        done = made[name][-1]
        counted[name] = None if done.exit_code == -9 else peer.count(done)
    return Bench(
        tree=tree.name,
        files=len(names),
        bytes=size,
        findings=checks[0].findings,
        commit=commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        cpus=_cpus(),
        jobs=jobs or _cpus(),
        rounds=repeat,
        load=(round(before, 1), round(os.getloadavg()[0], 1)),
        hooks=hooks,
        rooms={room: tuple(one.rooms[room] for one in checks) for room in checks[0].rooms},
        runs={
            name: Runs(
                tuple(round(one.seconds, 3) for one in ran),
                tuple(one.peak_bytes for one in ran),
                limit if ran[-1].exit_code == -9 else None,
                counted.get(name),
            )
            for name, ran in made.items()
        },
    )


def check(jobs: int, *more: str) -> list[str]:
    """The command line of a check, without a say of the tree in it."""
    return [
        sys.executable, "-P", "-m", "vmfdlint", "check", "--isolated", "--no-respect-gitignore",
        "--output-format", "concise", "--jobs", str(jobs), *more,
    ]  # fmt: skip


class Said(msgspec.Struct, frozen=True):
    """What a check says at its end. The format is one for people: those for programs try fixes too, each with
    another analysis."""

    files: int
    findings: int
    first: str
    rooms: dict[str, float]


def said(tree: Tree, output: bytes) -> Said:
    """Reads a ``concise`` report; the rooms are in one with statistics. Raises Unreadable."""
    text = output.decode("utf-8", "replace")
    end = _CHECKED.search(text)
    if end is None:
        raise Unreadable(f"{tree.name}: the report of vmfdlint is not of the form known here: {text[-500:]}")
    first = _AT.match(text)
    rooms = {room: float(seconds.replace(",", "")) for seconds, room in _ROOM.findall(text)}
    files, findings = (int(part.replace(",", "")) for part in end.groups())
    return Said(files, findings, first[1] if first else "", rooms)


def own(
    place: Path, root: Path, jobs: int, names: Sequence[str], hooks: tuple[str, str]
) -> dict[str, Candidate]:
    """What is measured of vmfdlint itself, and the yardsticks."""
    files = sorted(str(path) for path in place.rglob("*") if path.is_file())
    listing = b"".join(os.fsencode(name) + b"\0" for name in files)
    found = {
        # Counting has a cost, and takes no short way: only where the rooms are told.
        COLD: Candidate(check(jobs, "--no-cache", "--statistics", "."), place),
        WARM: Candidate(check(jobs, "--cache-dir", str(root / "warm"), "."), place),
        VERSION: Candidate([sys.executable, "-P", "-m", "vmfdlint", "--version"], place),
    }
    for name, file in zip((HOOK, HOOK_VM), hooks, strict=True):
        changed = Changed(place / file)
        line = check(jobs, "--cache-dir", str(root / "hook"), "--project", ".", file)
        found[name] = Candidate(line, place, before=changed.change, after=changed.back)
    for name in (PARSE, SCAN):
        line = [sys.executable, "-P", "-m", "tools.yardstick", name]
        found[name] = Candidate(line, place, stdin=listing, right=(0,))
    return found


class Changed:
    """A file with a line more at its end, another one each time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = path.read_bytes()
        self._times = 0

    def change(self) -> None:
        self._times += 1
        comment = "# %d\n" if self._path.suffix == ".py" else "/* %d */\n"
        self._path.write_bytes(self._data + (comment % self._times).encode())

    def back(self) -> None:
        self._path.write_bytes(self._data)


def run(tree: Tree, name: str, candidate: Candidate) -> Measured:
    """One turn. Raises Unreadable where it fails."""
    candidate.before()
    given = {key: value for key, value in environment().items() if not key.startswith("VMFDLINT_")}
    measured = measure(candidate.line, candidate.at, given, candidate.stdin, candidate.limit)
    candidate.after()
    if measured.exit_code not in (*candidate.right, *((-9,) if candidate.limit else ())):
        told = measured.errors.decode("utf-8", "replace").strip()[-2000:]
        raise Unreadable(f"{tree.name}: {name} ended with exit code {measured.exit_code}: {told}")
    return measured


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


def commit() -> str:
    """What is checked out here, short; with a + where something is changed."""
    line = ["git", "describe", "--always", "--dirty=+", "--abbrev=12"]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()


def _first(tree: Tree, jobs: int, place: Path, cache: Path) -> Measured:
    """Fills a cache. Raises Unreadable; settings in the tree were refused before."""
    command(tree, jobs)
    return run(tree, "filling the cache", Candidate(check(jobs, "--cache-dir", str(cache), "."), place))


def _hook_files(place: Path, names: Sequence[str], tree: Tree, first: Measured) -> tuple[str, str]:
    """A C file that names no KVM, of middle size, and the file of the first finding, or one that names it."""
    paths = [Path(name).relative_to(tree.root.resolve()).as_posix() for name in names if name.endswith(".c")]
    telling = [path for path in paths if b"kvm" in (place / path).read_bytes().lower()]
    plain = sorted(set(paths) - set(telling), key=lambda path: ((place / path).stat().st_size, path))
    found = said(tree, first.output).first
    if not plain or not (found or telling):
        raise Unreadable(f"{tree.name}: no files for the hook: one with KVM and one without")
    return plain[len(plain) // 2], found or telling[0]


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _cpus() -> int:
    return len(os.sched_getaffinity(0))
