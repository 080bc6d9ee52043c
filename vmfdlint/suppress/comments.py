"""Where the comments of a file are: a lexical pass over strings and comments, as its front-end tells them."""

from collections.abc import Iterator

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.frontends.comments import COMMENTS


class Comment(msgspec.Struct, frozen=True):
    """``text`` without what makes it a comment. ``alone``: nothing else stands on its lines."""

    at: Span
    text: str
    alone: bool


def comments(source: SourceText, language: str) -> Iterator[Comment]:
    """The comments of a file, in order. A language that is not known has none."""
    lexer = COMMENTS.get(language)
    for match in lexer.finditer(source.data) if lexer else ():
        if match["comment"] is not None:
            yield _comment(source, *match.span())


def _comment(source: SourceText, start: int, end: int) -> Comment:
    raw = source.data[start:end]
    at = source.span(start, start + len(raw.rstrip(b"\r")))
    line_start = source.line_starts[at.line - 1]
    line_end = source.data.find(b"\n", end)
    after = source.data[end:] if line_end < 0 else source.data[end:line_end]
    alone = not source.data[line_start:start].strip() and not after.strip()
    text = raw.decode("utf-8", "replace").removesuffix("*/").lstrip("/*#")
    return Comment(at, text.strip(), alone)


def is_code(source: SourceText, number: int, found: list[Comment]) -> bool:
    """Whether a line (from 1) holds more than blanks and comments."""
    inside = (one for one in found if one.alone and one.at.line <= number <= one.at.end_line)
    return bool(source.line(number).strip()) and next(inside, None) is None
