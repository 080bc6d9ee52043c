"""A tree -> what ``vmfdlint check`` finds in it, by its command line in a process of its own.

Settings in the tree would change the result, so a tree that carries some is refused.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

import vmfdlint
from tools.trees import Tree, Unreadable
from vmfdlint.config import ConfigError, find
from vmfdlint.finding import Certainty, Level

_FINISHED = (0, 1)
"""Exit codes of a check that could do it all."""


class Found(msgspec.Struct, frozen=True, order=True):
    """A finding as far as the tools look at it. ``file`` is relative to the root of its tree."""

    file: str
    line: int
    rule: str
    level: Level
    function: str = ""
    message: str = ""
    certainty: Certainty = Certainty.MUST

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.rule} {self.level}"


class Checked(msgspec.Struct, frozen=True):
    """What one check came to."""

    findings: tuple[Found, ...]
    files: int
    seconds: float


class _At(msgspec.Struct):
    path: str
    line: int


class _Finding(msgspec.Struct):
    rule: str
    level: Level
    at: _At
    function: str
    message: str
    certainty: Certainty


class _Statistics(msgspec.Struct):
    files: int
    seconds: tuple[tuple[str, float], ...] = ()


class _Report(msgspec.Struct):
    """The part of the ``json`` format that is read here."""

    schema: int
    findings: tuple[_Finding, ...]
    statistics: _Statistics


def command(tree: Tree, jobs: int = 0) -> list[str]:
    """The command line that checks a tree; it is to be run in the tree's root with :func:`environment`.

    Raises Unreadable.
    """
    paths = tree.paths()
    try:
        settings = find(tree.root)
    except ConfigError as error:
        raise Unreadable(f"{tree.name}: {error}") from error
    if settings is not None:
        raise Unreadable(
            f"{tree.name}: the settings in {settings} would change what is found: move them away"
        )
    read = tree.sheet.read
    line = [sys.executable, "-P", "-m", "vmfdlint", "check", "--output-format", "json", "--statistics"]
    line += [
        "--jobs",
        str(jobs),
        "--respect-gitignore" if read.respect_gitignore else "--no-respect-gitignore",
    ]
    for pattern in read.exclude:
        line += ["--exclude", pattern]
    return [*line, "--", *paths]


def environment() -> dict[str, str]:
    """The environment of a child that is to import the same vmfdlint and the same tools as this process."""
    ours = [str(Path(vmfdlint.__file__).parent.parent), str(Path(__file__).parent.parent)]
    given = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*ours, *([given] if given else [])])}


def check(tree: Tree, jobs: int = 0) -> Checked:
    """Checks a tree. Raises Unreadable where vmfdlint could not do it all, or found nothing to read."""
    ran = subprocess.run(command(tree, jobs), cwd=tree.root, env=environment(), capture_output=True)
    said = ran.stderr.decode("utf-8", "replace").strip()
    if ran.returncode not in _FINISHED:
        raise Unreadable(f"{tree.name}: vmfdlint ended with exit code {ran.returncode}: {said}")
    return read_report(tree.name, ran.stdout)


def read_report(name: str, data: bytes) -> Checked:
    """The bytes of a ``json`` report -> its findings, in order. Raises Unreadable."""
    try:
        report = msgspec.json.decode(data, type=_Report)
    except msgspec.DecodeError as error:
        raise Unreadable(f"{name}: the report of vmfdlint is not of the form known here: {error}") from error
    if not report.statistics.files:
        raise Unreadable(f"{name}: no C sources were found in it: is it the whole tree?")
    findings = sorted(
        Found(each.at.path, each.at.line, each.rule, each.level, each.function, each.message, each.certainty)
        for each in report.findings
    )
    seconds = sum(seconds for _room, seconds in report.statistics.seconds)
    return Checked(tuple(findings), report.statistics.files, seconds)
