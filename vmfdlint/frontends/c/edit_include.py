"""A header that a change needs: included already, or a line for it among the other ones."""

import re
from collections.abc import Iterator, Mapping

from vmfdlint.base import SourceText
from vmfdlint.frontends.changes import Replacement
from vmfdlint.frontends.edit_text import NotHere, line_ending

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|\"([^\"\n]+)\")[^\n]*\n?", re.MULTILINE)
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(?:if|ifdef|ifndef)\b|(^[ \t]*#[ \t]*endif\b)", re.MULTILINE)
_STEPS = 3
"""How many headers of the program lead to one of the system, at most."""


def include(source: SourceText, sources: Mapping[str, SourceText], header: str) -> tuple[Replacement, ...]:
    """The line ``#include <header>`` where the file does not have it yet, in itself or by a header of the
    program. Raises NotHere where no include stands in the file to put it beside."""
    if any(header in _system(reached) for reached in _reached(source, sources)):
        return ()
    blocks = _blocks(source.data)
    if not blocks:
        raise NotHere
    block = min(blocks, key=lambda block: _depth(source.data, block[0].start()))
    following = (match.start() for match in block if match[1].decode("utf-8", "replace") > header)
    at = next(following, block[-1].end())
    return (Replacement(at, at, f"#include <{header}>{line_ending(source)}"),)


def _system(source: SourceText) -> frozenset[str]:
    return frozenset(
        match[1].decode("utf-8", "replace") for match in _INCLUDE.finditer(source.data) if match[1]
    )


def _reached(source: SourceText, sources: Mapping[str, SourceText]) -> Iterator[SourceText]:
    """The file, and the headers of the program that it comes to include."""
    seen = {source.path}
    frontier = [source]
    for _step in range(_STEPS + 1):
        yield from frontier
        names = {
            match[2].decode("utf-8", "replace")
            for one in frontier
            for match in _INCLUDE.finditer(one.data)
            if match[2]
        }
        ends = tuple("/" + name.rpartition("../")[2] for name in names)
        following = (
            [path for path in sources if path not in seen and ("/" + path).endswith(ends)] if ends else []
        )
        seen.update(following)
        frontier = [sources[path] for path in following]


def _blocks(data: bytes) -> list[list[re.Match[bytes]]]:
    """The runs of lines that include headers of the system."""
    found: list[list[re.Match[bytes]]] = []
    for match in _INCLUDE.finditer(data):
        if not match[1] or not match[0].endswith(b"\n"):
            continue
        if found and found[-1][-1].end() == match.start():
            found[-1].append(match)
        else:
            found.append([match])
    return found


def _depth(data: bytes, offset: int) -> int:
    """How many conditions are open at a byte."""
    return sum(-1 if match[1] else 1 for match in _CONDITION.finditer(data, 0, offset))
