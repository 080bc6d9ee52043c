"""What is told of a place: the pages of the rules that are found or named there, as ``vmfdlint rule`` has
them."""

from collections.abc import Sequence

from lsprotocol.types import Hover, MarkupContent, MarkupKind, Position, Range

from vmfdlint.app import rule_at, rule_page
from vmfdlint.server.documents import Document, Known

_BETWEEN = "\n---\n\n"


def hover(
    document: Document, known: Known | None, at: Position, forms: Sequence[MarkupKind | str] | None
) -> Hover | None:
    """The hover at a position; None where there is nothing to say. ``forms`` are what the client shows."""
    offset = document.text.offset(at)
    named = rule_at(document.source, offset)
    if named is not None:
        return Hover(_content(named[1], forms), document.text.range(named[0]))
    pages: dict[str, Range] = {}
    for remark, span, place in document.placed(known) if known is not None else ():
        start, end = document.source.offsets(span)
        if start <= offset < end or offset == start:
            pages.setdefault(remark.rule, place)
    if not pages:
        return None
    text = _BETWEEN.join(rule_page(rule) for rule in pages)
    return Hover(_content(text, forms), next(iter(pages.values())))


def _content(text: str, forms: Sequence[MarkupKind | str] | None) -> MarkupContent:
    plain = forms is not None and MarkupKind.Markdown not in forms
    return MarkupContent(MarkupKind.PlainText if plain else MarkupKind.Markdown, text)
