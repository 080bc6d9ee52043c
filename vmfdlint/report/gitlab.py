"""GitLab Code Quality: what a merge request shows beside its changed lines.

GitLab shows one entry for each fingerprint, and compares them between branches: each finding has its own, and
no line number goes in.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from vmfdlint.finding import Level, Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.doc import one_line
from vmfdlint.report.prints import trace_prints

NAME = "gitlab"
_SEVERITIES: Mapping[Level, str] = {Level.ERROR: "critical", Level.WARNING: "major", Level.NOTE: "minor"}


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> a JSON array, one object a finding; paths are relative to the top of the work tree."""
    prints = trace_prints(outcome.findings, context)
    found = [
        {
            "description": one_line(finding.message),
            "check_name": finding.rule,
            "fingerprint": hashlib.sha256(print_.encode()).hexdigest(),
            "severity": _SEVERITIES[finding.level],
            "location": {
                "path": context.within + finding.at.path,
                "lines": {"begin": finding.at.line, "end": finding.at.end_line},
            },
        }
        for finding, print_ in zip(outcome.findings, prints, strict=True)
    ]
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
