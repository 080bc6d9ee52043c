"""One line a finding, for editors and problem matchers."""

from collections.abc import Iterable, Iterator

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.words import closing, heading, safe_lines

NAME = "concise"


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> UTF-8 text, ``path:line:col: VMFD101 [error] message`` per finding, with --show-safe
    one per safe site, and the closing lines."""
    lines = [heading(finding, context) for finding in outcome.findings]
    lines += safe_lines(outcome, context)
    lines += closing(outcome, context)
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One after the other: their paths say which tree they are of."""
    return (report for _, report in reports)
