"""Bytes -> the text that Python would read (PEP 263). In: a file. Out: text and encoding; fails for nothing.

The text begins behind a byte order mark; its line ends are those of the file. An encoding that does not keep
the letters of ASCII where they are (UTF-7, UTF-16) counts as unknown, as it does for Python.
"""

import codecs
import re

import msgspec

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#|$)")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ASCII = bytes(range(128))
_HEAD = 1000


class Decoded(msgspec.Struct, frozen=True):
    """``problem`` says what was wrong with the encoding, and at which line; "" if nothing was."""

    text: str
    encoding: str
    problem: str = ""
    line: int = 1


def decode(data: bytes) -> Decoded:
    """The text of a file.

    One that is not what it says is read as Latin-1, where every byte is a letter: what it holds beside ASCII
    stands in comments and messages.
    """
    marked = data.startswith(codecs.BOM_UTF8)
    body = data.removeprefix(codecs.BOM_UTF8)
    name, line = ("utf-8", 1) if marked else _named(body)
    if not _known(name):
        problem = f"names an encoding that Python does not know ({name})"
        return Decoded(body.decode("latin-1"), "latin-1", problem, line)
    try:
        return Decoded(body.decode(name), name)
    except UnicodeError:
        return Decoded(body.decode("latin-1"), "latin-1")


def _known(name: str) -> bool:
    try:
        return _ASCII.decode(name) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        return False


def _named(body: bytes) -> tuple[str, int]:
    """The encoding that a comment in the first two lines names, and its line; UTF-8 where there is none."""
    for number, line in enumerate(_LINE_END.split(body[:_HEAD])[:2], 1):
        found = _COOKIE.match(line)
        if found:
            return found[1].decode("ascii", "replace"), number
        if not _BLANK.match(line):
            break
    return "utf-8", 1
