"""The LIST of a fleet: lines to trees, each with a name of its own."""

import os
import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from vmfdlint.config import ConfigError

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:)\S*")


class Tree(msgspec.Struct, frozen=True):
    """One tree. ``path`` as it was written, ``url`` where it was cloned from, if the list says so. ``name``
    is no other tree's: reports and files are called by it."""

    name: str
    path: str
    url: str = ""


def trees_in(text: bytes, origin: str) -> tuple[Tree, ...]:
    """A line a tree: ``PATH``, or ``URL PATH`` where it was cloned to; ``#`` begins a comment line.

    What is named twice is one tree. Raises ConfigError.
    """
    found: dict[str, tuple[str, str]] = {}
    for number, raw in enumerate(text.split(b"\n"), 1):
        line = os.fsdecode(raw).strip()
        if not line or line.startswith("#"):
            continue
        url = ""
        if _ADDRESS.match(line):
            url, _, line = line.partition(" ")
            line = line.strip()
            if not line:
                hint = "clone it, and write where to behind it"
                raise ConfigError(f"{url} says no PATH: {hint}", origin, number)
        found.setdefault(os.path.normpath(line), (line, url))
    if not found:
        raise ConfigError("names no tree: a line is PATH or URL PATH", origin)
    names = _names(list(found))
    return tuple(Tree(name, *about) for name, about in zip(names, found.values(), strict=True))


def _names(paths: Sequence[str]) -> list[str]:
    """The last parts of each path, as many as tell it from the others; where none do, a number too."""
    parts = [[part for part in path.split("/") if part not in ("", ".", "..")] or ["tree"] for path in paths]
    lengths = [1] * len(parts)
    while True:
        names = ["-".join(one[-length:]) for one, length in zip(parts, lengths, strict=True)]
        several = {name for name, times in Counter(names).items() if times > 1}
        longer = [
            min(length + 1, len(one)) if name in several else length
            for name, one, length in zip(names, parts, lengths, strict=True)
        ]
        if longer == lengths:
            break
        lengths = longer
    taken: set[str] = set()
    for at, name in enumerate(names):
        number = 1
        while names[at] in taken:
            number += 1
            names[at] = f"{name}-{number}"
        taken.add(names[at])
    return names
