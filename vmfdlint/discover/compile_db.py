"""compile_commands.json -> which files are built into what. Read where one lies in a tree; nothing is run.

The database names no link step, but the object files do: meson puts the objects of a target into
``TARGET.p/``, CMake into ``CMakeFiles/TARGET.dir/`` (JSON Compilation Database, clang documentation).
"""

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from vmfdlint.base import Problem, ProblemKind

NAME = "compile_commands.json"
_TARGET = re.compile(r"(?:^|/)CMakeFiles/([^/]+)\.dir/|(?:^|/)([^/]+)\.p/")


class Command(msgspec.Struct, frozen=True):
    """One entry of the database."""

    directory: str
    file: str
    output: str = ""
    command: str = ""
    arguments: tuple[str, ...] = ()


def build_targets(
    directories: Sequence[str], shown: Callable[[str], str]
) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """The databases in the directories, or right below them -> the targets of each file listed, sorted; ()
    where its object file does not tell.

    ``shown`` turns an absolute path into the name the file has in reports. A database that cannot be read is
    a Problem.
    """
    found: dict[str, set[str]] = defaultdict(set)
    problems: list[Problem] = []
    for database in _databases(directories):
        try:
            entries = msgspec.json.decode(database.read_bytes(), type=list[Command])
        except (OSError, msgspec.DecodeError) as error:
            text = f"cannot be read as a compilation database ({error}): build it again, or remove it"
            problems.append(Problem(ProblemKind.IO, text, shown(database.as_posix())))
            continue
        base = database.parent
        for entry in entries:
            directory = base / entry.directory
            listed = found[shown(os.path.normpath(directory / entry.file))]
            if target := _target(entry):
                listed.add(target)
    return {path: tuple(sorted(targets)) for path, targets in sorted(found.items())}, problems


def _databases(directories: Sequence[str]) -> Iterator[Path]:
    """The files of that name in a directory and right below it (``build/``), each once."""
    seen: set[str] = set()
    for directory in map(Path, directories):
        for path in (directory / NAME, *sorted(directory.glob(f"*/{NAME}"))):
            real = os.path.realpath(path)
            if os.path.isfile(path) and real not in seen:  # noqa: PTH113 - Path raises where it may not look
                seen.add(real)
                yield path


def _target(entry: Command) -> str:
    match = _TARGET.search(entry.output or _output(entry))
    return (match[1] or match[2]) if match else ""


def _output(entry: Command) -> str:
    """The object file, from the compiler's ``-o``."""
    try:
        words = list(entry.arguments) or shlex.split(entry.command)
    except ValueError:  # a quote without its end
        return ""
    return next((after for word, after in pairwise(words) if word == "-o"), "")
