"""Everything a run found, for programs. ``schema`` numbers the form; additions do not change it."""

from collections.abc import Iterable, Iterator

import msgspec

from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context

NAME = "json"
SCHEMA = 1


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> one JSON object, indented. Columns count bytes from 1, ends are exclusive, as in a Span.

    Wall times are in it only with --statistics: otherwise two runs give the same bytes.
    """
    statistics = outcome.statistics
    if not context.statistics:
        statistics = msgspec.structs.replace(statistics, seconds=())
    document = {
        "schema": SCHEMA,
        "tool": {"name": "vmfdlint", "version": context.version},
        "root": context.root,
        "exit_code": context.exit_code,
        "findings": outcome.findings,
        "problems": outcome.problems,
        "safe": outcome.safe if context.show_safe else (),
        "notices": outcome.notices,
        "left_out": outcome.left_out,
        "suppressed": outcome.suppressed if context.show_suppressed else (),
        "statistics": statistics,
        "rules": [rule for rule in outcome.rules if any(f.rule == rule.id for f in outcome.findings)],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def merged(reports: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One object with a list of ``tree`` and ``report``."""
    yield b'{\n "schema": %d,\n "trees": [' % SCHEMA
    before = b"\n"
    for tree, report in reports:
        yield before + b'{"tree": %b, "report": %b}' % (msgspec.json.encode(tree), report.rstrip())
        before = b",\n"
    yield b"\n ]\n}\n"
