"""The words in braces of a change, and lines of a source as they are indented there."""

import re
from collections.abc import Callable

from vmfdlint.base import SourceText

_FIELD = re.compile(r"\{(\w+)(?: ([^{}]*))?\}")


class NotHere(Exception):
    """The source does not have the form that a change is for."""


def filled(text: str, look_up: Callable[[str, str], str]) -> str:
    """``text`` with what ``look_up(word, rest)`` gives for each word in braces. Raises NotHere with it."""
    return _FIELD.sub(lambda match: look_up(match[1], match[2] or ""), text)


def is_constant(name: str) -> bool:
    """Whether a name is spelled as names of constants are: ``O_RDWR``."""
    return name.isupper()


def with_variable(text: str, name: str) -> str:
    """``text`` with a name for ``{variable}``. Raises NotHere for any other word."""

    def look_up(word: str, _rest: str) -> str:
        if word != "variable":
            raise NotHere
        return name

    return filled(text, look_up)


def line_start(source: SourceText, offset: int) -> int:
    """The offset at which the line of a byte starts."""
    return source.data.rfind(b"\n", 0, offset) + 1


def line_end(source: SourceText, offset: int) -> int:
    """The offset behind the last byte of the line of a byte, before what ends it."""
    end = source.data.find(b"\n", offset)
    end = len(source.data) if end < 0 else end
    return end - source.data[offset:end].endswith(b"\r")


def line_ending(source: SourceText) -> str:
    """What ends a line of the file."""
    return "\r\n" if b"\r\n" in source.data[:4096] else "\n"


def indent_at(source: SourceText, offset: int) -> str:
    """The white space before a byte that is the first of its line. Raises NotHere where it is not."""
    before = source.data[line_start(source, offset) : offset]
    if before.strip(b" \t"):
        raise NotHere
    return before.decode()


def text_at(source: SourceText, start: int, end: int) -> str:
    """The text of some bytes. Raises NotHere where they are not UTF-8."""
    try:
        return source.data[start:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotHere from error
