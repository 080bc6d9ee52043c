"""Small searches over masked source bytes. In: a bytearray and offsets. Out: offsets."""

import re
from collections.abc import Iterator

WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPACE = frozenset(b" \t\r\n\f\v#\\")
_CODE = re.compile(rb"[^ \t\r\n\f\v#\\]")
_PAREN = re.compile(rb"[()]")
_SEPARATOR = re.compile(rb"[()\[\]{},]")
_REACH = 8_000
_SPLIT = bytes(byte if byte in WORD else 32 for byte in range(256))


def words(text: bytes | bytearray) -> set[bytes]:
    """Every distinct run of word characters, numbers included."""
    return set(bytes(text.translate(_SPLIT)).split())


def uses(text: bytes | bytearray, word: bytes) -> Iterator[int]:
    """Offsets at which the whole word stands; the text may be edited, at equal length, in between."""
    size = len(word)
    at = text.find(word)
    while at >= 0:
        end = at + size
        if (at == 0 or text[at - 1] not in WORD) and (end == len(text) or text[end] not in WORD):
            yield at
        at = text.find(word, end)


def back(text: bytearray, at: int) -> int:
    """Offset of the last code byte before ``at``, or -1."""
    at -= 1
    while at >= 0 and text[at] in _SPACE:
        at -= 1
    return at


def ahead(text: bytearray, at: int, end: int | None = None) -> int:
    """Offset of the first code byte in ``text[at:end]``, or -1."""
    found = _CODE.search(text, at, len(text) if end is None else end)
    return found.start() if found else -1


def word_before(text: bytearray, at: int) -> bytes:
    """The word that ends at the last code byte before ``at``; empty if that byte is not a word character."""
    last = back(text, at)
    start = last + 1
    while start > 0 and text[start - 1] in WORD:
        start -= 1
    return bytes(text[start : last + 1])


def opening(text: bytearray, at: int) -> int:
    """Offset of the parenthesis that follows ``at`` after blanks, or -1."""
    found = ahead(text, at, at + 200)
    return found if found >= 0 and text[found] == 0x28 else -1


def closing(text: bytearray, opened: int) -> int:
    """Offset of the parenthesis that closes the one at ``opened``, or -1 where none is near."""
    depth = 0
    for match in _PAREN.finditer(text, opened, opened + _REACH):
        depth += 1 if text[match.start()] == 0x28 else -1
        if depth == 0:
            return match.start()
    return -1


def arguments(text: bytearray, opened: int, closed: int) -> list[tuple[int, int]]:
    """Offsets of the top-level comma-separated pieces between two parentheses, blanks included."""
    pieces: list[tuple[int, int]] = []
    depth = 0
    start = opened + 1
    for match in _SEPARATOR.finditer(text, start, closed):
        byte = text[match.start()]
        if byte == 0x2C:
            if depth == 0:
                pieces.append((start, match.start()))
                start = match.end()
        else:
            depth += 1 if byte in b"([{" else -1
    pieces.append((start, closed))
    return pieces


def last_component(path: bytes) -> bytes:
    """``/cgroup.procs`` of ``%s/vm/cgroup.procs``: by it a file is found whatever the path begins with."""
    return b"/" + path.rpartition(b"/")[2]
