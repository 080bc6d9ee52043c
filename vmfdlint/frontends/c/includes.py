"""What a file includes where its program is compiled for Linux. In: its directives, a line each and without
comments. Out: the names, as they stand there.
"""

import re

from vmfdlint.frontends.c.conditions import holds
from vmfdlint.frontends.c.macros import MACROS

_LINE = re.compile(
    rb"^[ \t]*#[ \t]*(include|if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b"
    rb"((?>(?:[^\n\\]|\\(?:\r\n|.))*))",
    re.M | re.S,
)
_INCLUDE = re.compile(rb'#[ \t]*include[ \t]*["<]([^">\n]+)[">]')
_NAME = re.compile(rb'\s*["<]([^">\n]+)[">]')
_KNOWN = frozenset(name.encode() for name in MACROS.undefined | MACROS.defined)


def included(lines: bytes, used: set[bytes]) -> tuple[str, ...]:
    """The names in ``#include`` lines, but for branches that are known not to be compiled. ``used``: the
    words of the directives, for most files have no condition of which anything is known."""
    names = _INCLUDE.findall(lines) if _KNOWN.isdisjoint(used) else _live(lines)
    return tuple(name.decode("utf-8", "replace") for name in names)


def _live(lines: bytes) -> list[bytes]:
    found: list[bytes] = []
    off = [False]  # of the file and each #if around: whether it is left out here
    settled = [True]  # of these: whether no branch that follows can be compiled
    for match in _LINE.finditer(lines):
        keyword, rest = match[1].decode(), match[2]
        if keyword == "include":
            name = _NAME.match(rest)
            if name is not None and not off[-1]:
                found.append(name[1])
            continue
        if keyword.startswith("if"):
            off.append(off[-1])
            settled.append(off[-1])
        elif len(off) == 1:
            continue
        if keyword == "endif":
            off.pop()
            settled.pop()
            continue
        value = True if keyword == "else" else holds(keyword, rest.decode("latin-1"))
        off[-1] = settled[-1] or value is False
        settled[-1] |= value is True
    return found
