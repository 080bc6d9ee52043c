"""Where a name stands in a text. In: bytes. Out: offsets.

By ``bytes.find``, which is many times faster than a regular expression that looks at what stands around.
"""

from collections.abc import Iterator

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


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
