"""A baseline held against edits that mean nothing: no known finding comes back, none is lost.

In: a directory, a seed, how many edits. A copy of the directory is edited in batches, and checked after each
against the baseline of the original.
"""

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from tools.benign import EditedTree
from tools.checked import environment
from tools.trees import Unreadable

_KEPT = "baseline.json"


class Batch(msgspec.Struct, frozen=True):
    """What was done, and what a check said of it: which findings came ``back``, how many are ``lost``."""

    edits: tuple[str, ...]
    back: tuple[str, ...]
    lost: int

    @property
    def holds(self) -> bool:
        return not self.back and not self.lost


class Held(msgspec.Struct, frozen=True):
    """``known``: how many findings the baseline has; ``files`` they speak of."""

    known: int
    files: int
    batches: tuple[Batch, ...]

    @property
    def holds(self) -> bool:
        return bool(self.known) and all(batch.holds for batch in self.batches)


def hold(source: Path, seed: int, edits: int, size: int, options: tuple[str, ...] = ()) -> Held:
    """Edits a copy of ``source``, ``size`` edits before each check. Raises Unreadable."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "tree"
        shutil.copytree(source, root, symlinks=True)
        kept = Path(scratch) / _KEPT
        _vmfdlint(root, "baseline", "create", "-o", str(kept), *options)
        findings = _findings(root, options)
        paths = frozenset(path for one in findings for path in _paths(one) if (root / path).is_file())
        tree = EditedTree(root, paths, random.Random(seed))
        batches = []
        while edits > 0:
            done = tuple(tree.edit() for _ in range(min(size, edits)))
            edits -= size
            batches.append(Batch(done, *_against(root, kept, len(findings), options)))
        return Held(len(findings), len(paths), tuple(batches))


def text(held: Held) -> str:
    """For people."""
    lines = []
    for number, batch in enumerate(held.batches, 1):
        lines.append(f"{number}: {len(batch.edits)} edits, {len(batch.back)} back, {batch.lost} lost")
        lines += [f"  back: {one}" for one in batch.back]
        lines += [] if batch.holds else [f"  edit: {edit}" for edit in batch.edits]
    done = Counter(edit.partition(" ")[0] for batch in held.batches for edit in batch.edits)
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(done.items()))
    verdict = "all stay known" if held.holds else "NOT all stay known"
    lines.append(
        f"{held.known} findings known, in {held.files} files; {done.total()} edits ({kinds}): {verdict}"
    )
    return "\n".join(lines) + "\n"


def _against(root: Path, kept: Path, known: int, options: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """The findings that are not known, and how many entries nothing was matched with."""
    summary = kept.with_name("summary.txt")
    given = ("--baseline", str(kept), "--output-format", f"concise:{summary}")
    back = tuple(
        f"{one['at']['path']}:{one['at']['line']} {one['rule']} in {one['function']}"
        for one in _findings(root, (*given, *options))
    )
    met = re.search(r"\((\d+) known before\)", summary.read_text(encoding="utf-8").splitlines()[-1])
    return back, known - (int(met[1]) if met else 0)


def _paths(finding: dict[str, Any]) -> set[str]:
    places = (finding, *finding.get("trace", ()), *finding.get("related", ()))
    return {place["at"]["path"] for place in places}


def _findings(root: Path, options: tuple[str, ...]) -> list[dict[str, Any]]:
    said = _vmfdlint(root, "check", "--exit-zero", "--output-format", "json", *options)
    found: list[dict[str, Any]] = json.loads(said)["findings"]
    return found


def _vmfdlint(root: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "vmfdlint", *arguments, "--isolated", "."]
    ran = subprocess.run(command, cwd=root, env=environment(), capture_output=True, check=False)
    if ran.returncode not in (0, 1):
        raise Unreadable(f"vmfdlint {' '.join(arguments)}: {ran.stderr.decode(errors='replace').strip()}")
    return ran.stdout
