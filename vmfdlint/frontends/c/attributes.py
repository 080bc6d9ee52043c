"""Attribute words and cleanup functions, read from the original bytes. In: bytes and offsets. Out: names."""

import re

from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import mask

_REACH = 400
_WORD = re.compile(r"[A-Za-z_]\w*")
_REST = re.compile(rb",\s*\.\.\.\s*\)")
_CLEANUP_CALL = re.compile(rb"\b(?:cleanup|__cleanup__|_cleanup_|__cleanup)\s*\(\s*([A-Za-z_]\w*)\s*\)")
_AUTOPTR = re.compile(rb"\b(?:g_autoptr|G_AUTOPTR|g_auto|g_autolist)\s*\(\s*(?:struct\s+)?(\w+)\s*\)")
_FREE = re.compile(rb"\b__free\s*\(\s*(\w+)\s*\)")
_NAME = re.compile(rb"[A-Za-z_]\w*")


def _widened(source: bytes, start: int) -> int:
    """The pre-pass blanks leading attribute words, so a node may start after them: go back to the statement
    before.
    """
    floor = max(0, start - _REACH)
    last = max(source.rfind(stop, floor, start) + 1 for stop in (b";", b"{", b"}"))
    comment = source.rfind(b"*/", floor, start)
    last = max(floor, last, comment + 2 if comment >= 0 else 0)
    directive = source.rfind(b"#", floor, start)
    while directive >= 0:
        end = source.find(b"\n", directive, start) + 1
        if 0 < end <= last:
            break
        line = source.rfind(b"\n", 0, directive) + 1
        if end and line >= floor and not source[line:directive].strip(b" \t"):
            return end
        directive = source.rfind(b"#", floor, directive)
    return last


def attributes_of(source: bytes, start: int, end: int) -> tuple[str, ...]:
    """Attribute words of a function header, read from the original bytes ``source[start:end]`` and just
    before.

    Returns a sorted tuple out of ``constructor``, ``inline``, ``noreturn``, ``static``, ``variadic``,
    ``weak``.
    """
    piece = bytes(mask(source[_widened(source, start) : end]).text)
    found = {"variadic"} if b"..." in piece and _REST.search(piece) else set()
    for word in _WORD.findall(piece.decode("latin-1")):
        meaning = MACROS.meanings.get(word) or MACROS.meanings.get(word.strip("_"))
        if meaning:
            found.add(meaning)
    return tuple(sorted(found))


def declaration_text(source: bytes, start: int, end: int) -> str:
    """A declaration in the original bytes up to its initialiser, with the attribute words just before it."""
    piece = bytes(mask(source[_widened(source, start) : end]).text).split(b"=", 1)[0]
    return piece.decode("latin-1")


def cleanup_of(source: bytes, start: int, end: int) -> str | None:
    """The function that runs when the local declared in the original bytes ``source[start:end]`` leaves
    scope.

    Reads the declaration up to its initialiser, and attribute words just before it; None where nothing runs.
    """
    piece = declaration_text(source, start, end).encode("latin-1")
    match = _CLEANUP_CALL.search(piece) or _FREE.search(piece)
    if match:
        return match.group(1).decode()
    match = _AUTOPTR.search(piece)
    if match:
        name = match.group(1).decode()
        return MACROS.cleanup_types.get(name, f"glib_autoptr_cleanup_{name}")
    for word in _NAME.findall(piece):
        if word in MACROS.cleanup:
            return MACROS.cleanup[word]
    return None
