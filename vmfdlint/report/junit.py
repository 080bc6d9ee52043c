"""JUnit XML, as Jenkins defines it (junit-10.xsd): a suite for each file, a failed case for each finding.

What could not be done is a case with an error, so that a run that saw half of a tree does not look green.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from vmfdlint.finding import Finding, Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.words import FATAL, place, printable

NAME = "junit"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> one XML document. A run without findings and errors has one case, which passes."""
    fatal = [problem for problem in outcome.problems if problem.kind in FATAL]
    cases = [
        _case(str(problem.kind), problem.path or "vmfdlint", "error", str(problem.kind), problem.text, "")
        for problem in fatal
    ]
    if not fatal and not outcome.findings:
        cases = [f"    <testcase{_attributes(name='no finding', classname='vmfdlint', time='0.0')}/>"]
    suites = [_suite("vmfdlint", cases, 0, len(fatal))] if cases else []
    for path, findings in groupby(outcome.findings, key=lambda finding: finding.at.path):
        failures = [_failure(finding, context) for finding in findings]
        suites.append(_suite(path, failures, len(failures), 0))
    total = len(fatal) + len(outcome.findings)
    head = _attributes(
        name="vmfdlint",
        tests=str(total or 1),
        failures=str(len(outcome.findings)),
        errors=str(len(fatal)),
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{head}>", *suites, "</testsuites>"]
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def _suite(name: str, cases: Sequence[str], failures: int, errors: int) -> str:
    head = _attributes(name=name, tests=str(len(cases)), failures=str(failures), errors=str(errors))
    return "\n".join([f"  <testsuite{head}>", *cases, "  </testsuite>"])


def _failure(finding: Finding, context: Context) -> str:
    steps = [
        f"{number}. {'[child] ' if step.child else ''}{place(step.at, context)}: {printable(step.text)}"
        for number, step in enumerate(finding.trace, 1)
    ]
    where = f"{place(finding.at, context)}: {printable(finding.message)}"
    name = f"{finding.rule} at line {finding.at.line}"
    body = "\n".join([where, *steps])
    return _case(name, finding.at.path, "failure", str(finding.level), finding.message, body)


def _case(name: str, of: str, what: str, kind: str, message: str, body: str) -> str:
    told = _attributes(type=kind, message=message)
    return (
        f"    <testcase{_attributes(name=name, classname=of, time='0.0')}>"
        f"<{what}{told}>{escape(_xml(body))}</{what}></testcase>"
    )


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(_xml(printable(value)))}" for name, value in values.items())


def _xml(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return _NOT_XML.sub("\ufffd", text)
