"""Findings under the file they are in, for people who go through a tree file by file."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.words import closing, leveled, paint, printable

NAME = "grouped"


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> UTF-8 text: each path once, below it ``line:col VMFD101 [error] message``."""
    lines: list[str] = []
    for path, findings in groupby(outcome.findings, key=lambda finding: finding.at.path):
        below = list(findings)
        width = max(len(f"{one.at.line}:{one.at.col}") for one in below)
        lines.append(paint(printable(f"{context.prefix}{path}"), "1", context) + ":")
        for one in below:
            where = f"{one.at.line}:{one.at.col}"
            lines.append(f"  {where:<{width}} {leveled(one, context)}")
        lines.append("")
    lines += closing(outcome, context)
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One after the other: their paths say which tree they are of."""
    return (report for _, report in reports)
