"""What a file includes where its program is compiled for Linux. In: its directives, a line each and without
comments. Out: the names, as they stand there.
"""

import re

from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import drop_dead, mask

_INCLUDE = re.compile(rb'#[ \t]*include[ \t]*["<]([^">\n]+)[">]')
_NAME = re.compile(rb'[ \t]*["<]([^">\n]+)[">]')
_KNOWN = frozenset(name.encode() for name in MACROS.undefined | MACROS.defined)


def included(lines: bytes, used: set[bytes]) -> tuple[str, ...]:
    """The names in ``#include`` lines, but for branches that are known not to be compiled. ``used``: the
    words of the directives, for most files have no condition of which anything is known."""
    names = _INCLUDE.findall(lines) if _KNOWN.isdisjoint(used) else _live(lines)
    return tuple(name.decode("utf-8", "replace") for name in names)


def _live(lines: bytes) -> list[bytes]:
    masked = mask(lines)
    drop_dead(masked)
    shown = (each for each in masked.directives if each.keyword == "include" and each.shown is not None)
    return [name[1] for each in shown if (name := _NAME.match(each.rest)) is not None]
