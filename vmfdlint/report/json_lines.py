"""One JSON object a finding and a line, for programs that read while they wait."""

import msgspec

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context

NAME = "json-lines"


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> JSON Lines: the findings of the ``json`` format. No line where nothing is found."""
    return msgspec.json.Encoder().encode_lines(outcome.findings)
