"""Where a name stands in a text, and what stands around it. In: bytes. Out: offsets, names.

By ``bytes.find``, which is many times faster than a regular expression that looks at what stands around.
"""

import re
from collections.abc import Iterator

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPACE = frozenset(b" \t\n\r\f\v")
_TELLING = re.compile(rb"[()]")
_NAME = 200
"""Bytes in which a name is looked for."""
_CALLED = re.compile(rb"([A-Za-z_]\w*)\s*\Z")


def occurrences(data: bytes, name: bytes) -> Iterator[int]:
    """Offsets at which ``name`` stands as a whole word, ascending; none for an empty one."""
    at = data.find(name) if name else -1
    while at >= 0:
        end = at + len(name)
        if (at == 0 or data[at - 1] not in _WORD) and (end == len(data) or data[end] not in _WORD):
            yield at
            at = data.find(name, end)
        else:
            at = data.find(name, at + 1)


def member_sign(data: bytes, at: int) -> int:
    """Offset of the ``.`` or ``->`` before a name at an offset, blanks between them; -1 where none stands
    there."""
    last = at - 1
    while last >= 0 and data[last] in _SPACE:
        last -= 1
    if data[last : last + 1] == b".":
        return last
    return last - 1 if last > 0 and data[last - 1 : last + 1] == b"->" else -1


def statement_start(data: bytes, at: int) -> int:
    """Offset behind the last ``;`` or brace before an offset."""
    return max(data.rfind(end, 0, at) for end in (b";", b"{", b"}")) + 1


def given_to(data: bytes, at: int) -> Iterator[str]:
    """The names before the parentheses that are open at an offset, innermost first, back to where the
    statement begins."""
    start = statement_start(data, at)
    closed = 0
    for match in reversed(list(_TELLING.finditer(data, start, at))):
        if match[0] == b")":
            closed += 1
        elif closed:
            closed -= 1
        elif called := _CALLED.search(data, max(start, match.start() - _NAME), match.start()):
            yield called[1].decode()
