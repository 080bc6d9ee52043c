"""What is kept of a finding to know it again: no line number."""

from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.check.finding import Finding

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
        Entry(finding.at.path, finding.rule, finding.function, _text(finding, texts), finding.fingerprint)
        for finding in findings
    )


def _text(finding: Finding, texts: Texts) -> str:
    source = texts.get(finding.at.path)
    if source is None:
        return ""
    at, starts = finding.at, source.line_starts
    if at.end_line > len(starts):
        return ""
    raw = source.data[starts[at.line - 1] + at.col - 1 : starts[at.end_line - 1] + at.end_col - 1]
    return " ".join(raw.decode("utf-8", "replace").split())[:_LONGEST]
