"""A summary as a table in Markdown, for the page of a CI run (GitHub's step summary) or a review comment."""

from vmfdlint.finding import Finding, Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.doc import one_line
from vmfdlint.report.words import closing, count, printable, problem_lines

NAME = "markdown"
# GitHub refuses a summary of more than 1 MiB; a step may write more than ours into it.
_LARGEST = 900_000
_MARKUP = {ord(char): f"&#{ord(char)};" for char in "&<>\\`*_[]|~#@"}


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> Markdown: what was done, what could not be, a line a finding up to 900 kB."""
    plain = closing(outcome, context)
    failed = [f"- {in_cell(line)}" for line in problem_lines(outcome.problems, context)]
    head = ["## vmfdlint", "", *(f"{in_cell(line)}\n" for line in plain), *failed, *([""] if failed else [])]
    if not outcome.findings:
        return _encoded(head)
    head += ["| | rule | where | what |", "|---|---|---|---|"]
    size, rows = sum(map(len, head)), []
    for finding in outcome.findings:
        row = _row(finding, context)
        size += len(row.encode("utf-8", "replace")) + 1
        if size > _LARGEST:
            break
        rows.append(row)
    left = len(outcome.findings) - len(rows)
    more = ["", f"{count(left, 'more finding')}: the table would be too large."] if left else []
    return _encoded([*head, *rows, *more])


def _encoded(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def _row(finding: Finding, context: Context) -> str:
    where = f"{context.within}{finding.at.path}:{finding.at.line}"
    return f"| {finding.level} | {finding.rule} | {in_cell(where)} | {in_cell(finding.message)} |"


def in_cell(text: str) -> str:
    """Text in which nothing is markup: as its own HTML, on one line."""
    return printable(one_line(text)).translate(_MARKUP)
