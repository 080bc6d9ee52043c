"""Workflow commands of GitHub Actions: findings as annotations at their lines.

Of each level GitHub shows the first ten of a step and drops the rest without a word. Here ten of a level at
most are commands; the rest are plain lines of the log, with a notice that counts them.
"""

from collections.abc import Mapping

from vmfdlint.finding import Finding, Level, Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.doc import one_line
from vmfdlint.report.words import FATAL, count, place, printable

NAME = "github"
_SHOWN = 10
_COMMANDS: Mapping[Level, str] = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> ``::error file=...,line=...::message`` a finding; what could not be done comes first."""
    fatal = [problem for problem in outcome.problems if problem.kind in FATAL]
    lines = [
        _command("error", {"title": "vmfdlint"}, f"{problem.path}: {problem.text}".removeprefix(": "))
        for problem in fatal[:_SHOWN]
    ]
    left = dict.fromkeys(Level, _SHOWN) | {Level.ERROR: _SHOWN - len(lines)}
    names = {rule.id: rule.name for rule in outcome.rules}
    by_level = {level: [one for one in outcome.findings if one.level is level] for level in Level}
    if any(len(found) > left[level] for level, found in by_level.items()):
        left[Level.NOTE] -= 1  # the line that counts the rest is a notice itself
    rest: list[Finding] = []
    for level, found in by_level.items():
        lines += [_annotation(finding, names, context) for finding in found[: left[level]]]
        rest += found[left[level] :]
    if rest:
        text = f"{count(len(rest), 'more finding')} in the log of this step: GitHub shows ten of a level"
        lines.append(_command("notice", {"title": "vmfdlint"}, text))
        lines += [_logged(finding, context) for finding in rest]
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def _annotation(finding: Finding, names: Mapping[str, str], context: Context) -> str:
    at = finding.at
    where = {"file": context.within + at.path, "line": str(at.line), "endLine": str(at.end_line)}
    if at.line == at.end_line:
        # Columns are taken within one line only, and the end is the last column, not the one behind it.
        start, end = (context.column(at.path, at.line, col) for col in (at.col, at.end_col))
        where |= {"col": str(start), "endColumn": str(max(start, end - 1))}
    where["title"] = f"{finding.rule} {names.get(finding.rule, '')}".strip()
    return _command(_COMMANDS[finding.level], where, one_line(finding.message))


def _command(name: str, properties: Mapping[str, str], text: str) -> str:
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{name} {told}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    """Text as the runner undoes it: ``%``, line ends and, in a property, ``:`` and ``,`` as their codes."""
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return printable(text)


def _logged(finding: Finding, context: Context) -> str:
    """A line that the runner takes for no command, whatever the scanned text holds."""
    text = f"{finding.level}: {place(finding.at, context)}: {finding.rule} {printable(finding.message)}"
    return text.replace("##[", "## [")
