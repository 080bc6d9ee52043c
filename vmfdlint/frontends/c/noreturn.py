"""Functions that a file declares not to return. In: bytes. Out: names. One pass of a regular expression a
file."""

import re
from functools import lru_cache

from vmfdlint.frontends.c.even import even
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import mask

_WORDS = sorted({word.strip("_") for word, meaning in MACROS.meanings.items() if meaning == "noreturn"})
_WORD = re.compile(rb"(?<!\w)_*(?:" + "|".join(_WORDS).encode() + rb")_*(?!\w)")
_BEFORE = re.compile(rb"[;{}][^;{}]*\Z")
_AFTER = re.compile(rb"[;{]")
_NAME = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_OPEN_ATTRIBUTE = re.compile(rb"\b__attribute(?:__)?\s*\(\s*\([^;{}]*\Z")
_REACH = 600


@lru_cache(maxsize=4096)
def noreturn_functions(data: bytes) -> frozenset[str]:
    """Names of the functions with a declaration that carries a word for "does not return", before or
    after it."""
    found: set[str] = set()
    if not any(word.encode() in data for word in _WORDS) or not _WORD.search(data):
        return frozenset()
    data = bytes(mask(data).text)
    for match in _WORD.finditer(data):
        floor = max(0, match.start() - _REACH)
        before = _BEFORE.search(data, floor, match.start())
        start = before.start() + 1 if before else floor
        after = _AFTER.search(data, match.end(), match.end() + _REACH)
        if after is None:
            continue
        before_word = _OPEN_ATTRIBUTE.sub(b"", data[start : match.start()])
        if before_word.count(b"(") > before_word.count(b")"):
            # The word belongs to a parameter that is a pointer to a function.
            continue
        name = _NAME.search(even(data[start : after.start()] + b";"))
        if name:
            found.add(name[1].decode())
    return frozenset(found)
