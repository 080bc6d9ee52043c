"""What is kept of a finding to know it again: no line number."""

from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.finding import Finding

Texts = Mapping[str, SourceText]
"""The checked files by path."""

_LONGEST = 200


class Entry(msgspec.Struct, frozen=True, order=True):
    """One known finding. ``text`` is the reported code on one line; ``fingerprint`` knows the way to it."""

    path: str
    rule: str
    function: str
    text: str
    fingerprint: str


def entries(findings: Sequence[Finding], texts: Texts) -> tuple[Entry, ...]:
    """An entry for each finding, in their order."""
    return tuple(
        Entry(
            finding.at.path, finding.rule, finding.function, code_at(finding.at, texts), finding.fingerprint
        )
        for finding in findings
    )


def code_at(at: Span, texts: Texts) -> str:
    """The code at a place, on one line; empty where the file is not at hand."""
    source = texts.get(at.path)
    if source is None or at.end_line > len(source.line_starts):
        return ""
    starts = source.line_starts
    raw = source.data[starts[at.line - 1] + at.col - 1 : starts[at.end_line - 1] + at.end_col - 1]
    return " ".join(raw.decode("utf-8", "replace").split())[:_LONGEST]
