"""Whether a file's text states what a name is, before the file is parsed for it. In: bytes and a name. Out: a
guess that is never wrong with "no". Cached: many files ask the same of one header."""

import re
from functools import lru_cache

from vmfdlint.frontends.c.text import uses

_TYPEDEF = re.compile(rb"\btypedef\b")
_DECLARATOR = re.compile(rb"[\w\s*(),]*")
_TAG = re.compile(rb"\b(?:struct|union)\s+(?:\w+\s+)?\Z")
_OPENED = re.compile(rb"\s*(?:\w+\s*)?\{")
_REACH = 200


@lru_cache(maxsize=65536)
def states_type(data: bytes, name: str) -> bool:
    """Whether ``name`` stands in a typedef, or behind the braces of a record."""
    for at in uses(data, name.encode("utf-8", "replace")):
        before = data[_delimiter(data, at) + 1 : at]
        if b"typedef" in before and _TYPEDEF.search(before):
            return True
        if _behind_braces(data, at) and _DECLARATOR.fullmatch(before):
            return True
    return False


@lru_cache(maxsize=65536)
def states_members(data: bytes, name: str) -> bool:
    """Whether a record of the tag ``name`` has its members here, or one without a tag gives them to it."""
    word = name.encode("utf-8", "replace")
    at = data.find(word)
    while at >= 0:
        opened = data[at - 1 : at].isspace() and _OPENED.match(data, at + len(word))
        if opened and _TAG.search(data, max(0, at - _REACH), at):
            return True
        at = data.find(word, at + 1)
    return any(_behind_braces(data, at) for at in uses(data, word))


@lru_cache(maxsize=4096)
def states_constants(data: bytes, _name: str) -> bool:
    """Whether a file has an enum at all."""
    return any(True for _ in uses(data, b"enum"))


def _delimiter(data: bytes, at: int) -> int:
    """Offset of the last ``;``, ``{`` or ``}`` before ``at``, or -1."""
    found = data.rfind(b";", 0, at)
    for other in (b"{", b"}"):
        found = max(found, data.rfind(other, found + 1, at))
    return found


def _behind_braces(data: bytes, at: int) -> bool:
    start = _delimiter(data, at)
    return start >= 0 and data[start] == 0x7D
