"""Outcome -> bytes, one module a format. In: what the check room found and a Context. Out: bytes.

A format is a module of this folder with ``NAME: str`` and ``render(outcome, context) -> bytes``; it is found
by being here. Knows no engine word.
"""

from vmfdlint.report.change import change_json, change_markdown
from vmfdlint.report.context import Checkout, Context
from vmfdlint.report.cwe import cwe_page
from vmfdlint.report.doc import one_line, rule_markdown, rule_table, rules_json
from vmfdlint.report.registry import Format, formats, merges
from vmfdlint.report.why import why_json, why_text
from vmfdlint.report.words import FATAL, closing, count, printable, problem_lines

PEOPLE = frozenset({"full", "concise", "grouped"})
"""Formats that end with the closing lines themselves; after the others these go to the error stream."""

WITH_FIXES = frozenset({"json", "json-lines", "rdjson", "sarif"})
"""Formats that have a place for fixes."""

__all__ = [
    "FATAL",
    "PEOPLE",
    "WITH_FIXES",
    "Checkout",
    "Context",
    "Format",
    "change_json",
    "change_markdown",
    "closing",
    "count",
    "cwe_page",
    "formats",
    "merges",
    "one_line",
    "printable",
    "problem_lines",
    "rule_markdown",
    "rule_table",
    "rules_json",
    "why_json",
    "why_text",
]
