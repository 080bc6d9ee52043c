"""Reviewdog's diagnostic format, for review comments: findings, and fixes as suggestions.

Columns count bytes of UTF-8 from 1 and ends are exclusive, as in a Span.
"""

from collections.abc import Mapping
from itertools import pairwise

import msgspec

from vmfdlint.base import Span
from vmfdlint.finding import Finding, Fix, Level, Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.cwe import cwe_page
from vmfdlint.report.doc import one_line

NAME = "rdjson"
_SEVERITIES: Mapping[Level, str] = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}

Json = dict[str, object]


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> one JSON object with all diagnostics."""
    weaknesses = {rule.id: rule.cwe for rule in outcome.rules}
    document = {
        "source": {"name": "vmfdlint"},
        "diagnostics": [_diagnostic(one, weaknesses.get(one.rule, ()), context) for one in outcome.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _diagnostic(finding: Finding, weaknesses: tuple[int, ...], context: Context) -> Json:
    made: Json = {
        "message": one_line(finding.message),
        "location": _location(finding.at),
        "severity": _SEVERITIES[finding.level],
        "code": {"value": finding.rule} | ({"url": cwe_page(weaknesses[0])} if weaknesses else {}),
    }
    related = [(step.at, step.text) for step in finding.trace] or [(o.at, o.text) for o in finding.related]
    if related:
        made["related_locations"] = [
            {"message": one_line(text), "location": _location(at)} for at, text in related
        ]
    asked = [_suggestion(fix, finding.at.path, context) for fix in finding.fixes]
    suggestions = [one for one in asked if one is not None]
    return made | ({"suggestions": suggestions} if suggestions else {})


def _suggestion(fix: Fix, path: str, context: Context) -> Json | None:
    """A fix as one stretch of the file that the comment stands in, for a reader takes a suggestion by itself;
    None where it changes another file too."""
    edits = sorted(fix.edits, key=lambda edit: edit.at)
    if any(edit.at.path != path for edit in edits):
        return None
    text = edits[0].text
    for before, edit in pairwise(edits):
        kept = Span(path, before.at.end_line, before.at.end_col, edit.at.line, edit.at.col)
        text += context.text(kept) + edit.text
    first, last = edits[0].at, edits[-1].at
    return {"range": _range(Span(path, first.line, first.col, last.end_line, last.end_col)), "text": text}


def _location(at: Span) -> Json:
    return {"path": at.path, "range": _range(at)}


def _range(at: Span) -> Json:
    start, end = {"line": at.line, "column": at.col}, {"line": at.end_line, "column": at.end_col}
    return {"start": start, "end": end}
