"""Which macros of a file stand for one of a set of names or path literals, found without a parse."""

import re

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.text import last_component

_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n\\]|\\\r?\n|\\.)*)", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_]\w*|\"[^\"\n]*\"")


def aliases(source: SourceText, names: frozenset[str]) -> frozenset[str]:
    """Names of macros in ``source`` whose bodies mention one of ``names`` (identifiers, or texts as path
    literals: the whole of them, or the last component with its slash)."""
    wanted = {name.encode() for name in names}
    found: set[str] = set()
    for match in _DEFINE.finditer(source.data):
        words = {word.strip(b'"') for word in _WORD.findall(match[2])}
        words |= {last_component(word) for word in words if b"/" in word}
        if words & wanted and match[1] not in wanted:
            found.add(match[1].decode())
    return frozenset(found)
