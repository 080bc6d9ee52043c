"""One JSON object a finding and a line, for programs that read while they wait."""

from collections.abc import Iterable, Iterator

import msgspec

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context

NAME = "json-lines"


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> JSON Lines: the findings of the ``json`` format. No line where nothing is found."""
    return msgspec.json.Encoder().encode_lines(outcome.findings)


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The lines of all, each with its ``tree`` in front."""
    for tree, report in reports:
        for line in report.splitlines():
            yield msgspec.json.encode({"tree": tree, **msgspec.json.decode(line)}) + b"\n"
