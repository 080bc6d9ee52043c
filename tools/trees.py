"""Unpacked source trees and the sheets that say how to read them and what to expect of them.

In: ``NAME=PATH`` words, a TOML table of them, ``tests/corpus/NAME.toml``. Out: frozen values. Unreadable says
which tree or file could not be used, and why.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from vmfdlint.finding import Level

REPOSITORY = Path(__file__).parent.parent
SHEETS = REPOSITORY / "tests" / "corpus"

Value = TypeVar("Value")


class Unreadable(Exception):
    """A tree, a sheet or a label file that could not be read; the text says why and what to do."""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """What is read of a tree. ``paths`` are relative to its root, ``*`` stands for any name in them."""

    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One finding that is known. ``why`` says in a sentence why it is right; a known false alarm has its
    cause in ``wrong`` instead. With neither, nobody has read it yet.
    """

    file: str
    line: int
    rule: str
    level: Level
    why: str = ""
    wrong: str = ""

    @property
    def explained(self) -> bool:
        """Whether exactly one of the two reasons is there."""
        return bool(self.why.strip()) != bool(self.wrong.strip())


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tree's data file. ``version`` is the release the lines belong to, for people; ``also`` names the
    files of parts of the tree, whose findings are expected here, too."""

    version: str = ""
    read: Reading = Reading()
    also: tuple[str, ...] = ()
    finding: tuple[Expected, ...] = ()


class Tree(msgspec.Struct, frozen=True):
    """A named tree on disk with its sheet; ``file`` is where the sheet stands, whether or not it is there."""

    name: str
    root: Path
    file: Path
    sheet: Sheet

    def paths(self) -> tuple[str, ...]:
        """What to read, relative to the root, patterns resolved. Raises Unreadable where there is nothing."""
        if not self.root.is_dir():
            raise Unreadable(f"{self.name}: {self.root} is not a directory: unpack the tree there")
        found: list[str] = []
        for path in self.sheet.read.paths:
            if "*" in path:
                below = sorted(entry.relative_to(self.root).as_posix() for entry in self.root.glob(path))
            else:
                below = [path] if (self.root / path).exists() else []
            if not below:
                raise Unreadable(f"{self.name}: there is no {path} in {self.root}: is it the whole tree?")
            found += below
        return tuple(found)


def trees(words: Iterable[str], table: Path | None, sheets: Path = SHEETS) -> tuple[Tree, ...]:
    """``NAME=PATH`` words and the ``[trees]`` of a TOML file -> trees, sorted by name. Raises Unreadable."""
    roots: dict[str, str] = {}
    if table is not None:
        roots |= read_toml(table, dict[str, dict[str, str]]).get("trees", {})
    for word in words:
        name, equals, path = word.partition("=")
        if not (name and equals and path):
            raise Unreadable(f"{word!r} is not NAME=PATH, as in qemu=/src/qemu-7.2")
        roots[name] = path
    return tuple(tree_at(name, Path(path), sheets) for name, path in sorted(roots.items()))


def tree_at(name: str, root: Path, sheets: Path = SHEETS) -> Tree:
    """The tree with its sheet, an empty one where there is none yet. Raises Unreadable."""
    file = sheets / f"{name}.toml"
    sheet = read_toml(file, Sheet) if file.exists() else Sheet()
    parts = (read_toml(sheets / f"{part}.toml", Sheet).finding for part in sheet.also)
    findings = (*sheet.finding, *(one for part in parts for one in part))
    ordered = tuple(sorted(findings, key=lambda one: (one.file, one.line, one.rule)))
    return Tree(name, root.absolute(), file, msgspec.structs.replace(sheet, finding=ordered))


def read_toml(path: Path, kind: type[Value]) -> Value:
    """A TOML file as a value of ``kind``. Raises Unreadable with the file's name."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise Unreadable(f"{path}: {error}") from error
