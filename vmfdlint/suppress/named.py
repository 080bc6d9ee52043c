"""Which rules the word in a comment means that silences findings. In: a source and a place in it."""

import re
from collections.abc import Sequence

from vmfdlint.base import SourceText, Span
from vmfdlint.config import ConfigError, resolve_rules
from vmfdlint.suppress.comments import comments
from vmfdlint.suppress.directives import MARKS, directives

_WORD = re.compile(rb"[\w-]+")


def named_at(
    source: SourceText, language: str, offset: int, known: Sequence[tuple[str, str]]
) -> tuple[Span, frozenset[str]] | None:
    """The word at a byte and the ids that it selects; None where no comment names a rule there.

    ``known`` holds (id, name) of every rule.
    """
    if not any(mark in source.data for mark in MARKS.get(language, ())):
        return None
    for comment in comments(source, language):
        start, end = source.offsets(comment.at)
        if not start <= offset < end:
            continue
        selectors = {rule for one in directives(comment, language) for rule in one.rules}
        for word in _WORD.finditer(source.data, start, end):
            text = word[0].decode("utf-8", "replace")
            if word.start() <= offset < word.end() and text in selectors:
                return _resolved(source.span(*word.span()), text, known)
    return None


def _resolved(
    at: Span, selector: str, known: Sequence[tuple[str, str]]
) -> tuple[Span, frozenset[str]] | None:
    try:
        return at, resolve_rules((selector,), (), known, ("", ""))
    except ConfigError:
        return None
