"""SARIF 2.1.0, for code scanning and editors: results with code flows, fingerprints, notifications.

Columns are UTF-16 code units, as consumers count; a Span's bytes are converted. One thread flow tells the
whole story in order, child steps marked in their text, because viewers show only the first. The JSON is
compact: uploads are limited in size.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from vmfdlint.base import Problem, Span
from vmfdlint.check.finding import Finding, Level, Outcome, Related, Role, RuleDoc, Step
from vmfdlint.report.context import Context
from vmfdlint.report.doc import one_line
from vmfdlint.report.prints import line_hashes, trace_prints
from vmfdlint.report.sarif_rules import notification_rules, rule_descriptor, taxonomy
from vmfdlint.report.words import FATAL

NAME = "sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
BASE = "%SRCROOT%"
HOME = "https://vmfdlint.example.org"

_KINDS: Mapping[Role, Sequence[str]] = {
    Role.CREATE: ("acquire", "resource"),
    Role.MOVE: ("value", "resource"),
    Role.CALL: ("call", "function"),
    Role.RETURN: ("return", "function"),
    Role.GUARD: ("branch",),
    Role.EVENT: ("danger", "call"),
    Role.SURVIVE: ("danger", "resource"),
    Role.RELEASE: ("release", "resource"),
    Role.EXIT: ("exit", "function"),
}
_IMPORTANCE: Mapping[Role, str] = {
    Role.CREATE: "essential",
    Role.EVENT: "essential",
    Role.SURVIVE: "essential",
    Role.RELEASE: "essential",
    Role.GUARD: "unimportant",
}
_RANK = {Level.ERROR: 90.0, Level.WARNING: 60.0, Level.NOTE: 30.0}

Json = dict[str, object]


def render(outcome: Outcome, context: Context) -> bytes:
    """Outcome -> one SARIF log with one run, compact JSON."""
    rules = _reported_rules(outcome)
    files = _Files(context, outcome.findings)
    prints = trace_prints(outcome.findings, context)
    hashes = _line_hashes(outcome.findings, context)
    weaknesses = sorted({number for rule in rules for number in rule.cwe})
    results = [
        _result(finding, rules, (print_, hashes.get((finding.at.path, finding.at.line))), files, context)
        for finding, print_ in zip(outcome.findings, prints, strict=True)
    ]
    run: Json = {
        "tool": {"driver": _driver(rules, weaknesses, context)},
        "taxonomies": [taxonomy(weaknesses)],
        "invocations": [_invocation(outcome, files, context)],
        "originalUriBaseIds": {BASE: _root(context)},
        "artifacts": files.artifacts(),
        "automationDetails": {"id": "vmfdlint/c/"},
        "columnKind": "utf16CodeUnits",
        "defaultEncoding": "utf-8",
        "newlineSequences": ["\r\n", "\n"],
        "results": results,
    }
    return msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + b"\n"


class _Files:
    """The files the log speaks of, each with an index into ``artifacts``."""

    def __init__(self, context: Context, findings: Sequence[Finding]) -> None:
        self.context = context
        self.result_files = {finding.at.path for finding in findings}
        steps = {step.at.path for finding in findings for step in finding.trace}
        related = {one.at.path for finding in findings for one in finding.related}
        self.paths = sorted(self.result_files | steps | related)
        self.index = {path: index for index, path in enumerate(self.paths)}

    def location(self, path: str) -> Json:
        if path.startswith("/"):
            return {"uri": "file://" + quote(path)}
        where: Json = {"uri": quote(path), "uriBaseId": BASE}
        return where | {"index": self.index[path]} if path in self.index else where

    def artifacts(self) -> list[Json]:
        made = []
        for path in self.paths:
            roles = ["analysisTarget", "resultFile"] if path in self.result_files else ["analysisTarget"]
            one: Json = {
                "location": {"uri": quote(path), "uriBaseId": BASE},
                "roles": roles,
                "sourceLanguage": "c",
                "mimeType": "text/x-c",
            }
            source = self.context.sources.get(path)
            if source is not None:
                one |= {"length": len(source.data), "hashes": {"sha-256": source.content_hash}}
            made.append(one)
        return made

    def physical(self, at: Span) -> Json:
        """A place with its text and the lines around it."""
        context = self.context
        region: Json = {
            "startLine": at.line,
            "startColumn": context.column(at.path, at.line, at.col),
            "endLine": at.end_line,
            "endColumn": context.column(at.path, at.end_line, at.end_col),
        }
        place: Json = {"artifactLocation": self.location(at.path), "region": region}
        text = context.text(at)
        source = context.sources.get(at.path)
        if text and source is not None:
            region["snippet"] = {"text": text}
            first, last = max(1, at.line - 1), min(at.end_line + 1, len(source.line_starts))
            lines = "".join(context.line(at.path, number) + "\n" for number in range(first, last + 1))
            place["contextRegion"] = {"startLine": first, "endLine": last, "snippet": {"text": lines}}
        return place


def _driver(rules: Sequence[RuleDoc], weaknesses: Sequence[int], context: Context) -> Json:
    return {
        "name": "vmfdlint",
        "fullName": f"vmfdlint {context.version}",
        "organization": "vmfdlint project",
        "version": context.version,
        "semanticVersion": context.version,
        "informationUri": HOME,
        "language": "en-US",
        "rules": [rule_descriptor(rule, weaknesses) for rule in rules],
        "notifications": notification_rules(),
        "supportedTaxonomies": [{"name": "CWE", "index": 0}],
    }


def _result(
    finding: Finding,
    rules: Sequence[RuleDoc],
    prints: tuple[str, str | None],
    files: _Files,
    context: Context,
) -> Json:
    trace_print, line_hash = prints
    related = _related(finding)
    partial = {"vmfdlintTrace/v1": trace_print}
    if line_hash is not None:
        partial["primaryLocationLineHash"] = line_hash
    result: Json = {
        "ruleId": finding.rule,
        "kind": "fail",
        "level": str(finding.level),
        "rank": _RANK[finding.level] - (10.0 if finding.via else 0.0),
        "message": {"text": _message(finding, related)},
        "locations": [_located(finding.at, finding.function, files)],
        "partialFingerprints": partial,
    }
    ids = [rule.id for rule in rules]
    if finding.rule in ids:
        result["ruleIndex"] = ids.index(finding.rule)
    if related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": files.physical(one.at), "message": {"text": _plain(one.text)}}
            for number, one in enumerate(related, 1)
        ]
    if finding.trace:
        steps = [_flow_step(number, step, files) for number, step in enumerate(finding.trace, 1)]
        flow: Json = {"id": "story", "locations": steps}
        result["codeFlows"] = [
            {"message": {"text": "How the VM comes to outlive its owner."}, "threadFlows": [flow]}
        ]
    properties: Json = {"certainty": str(finding.certainty)}
    if finding.via:
        properties["via"] = finding.via
    if finding.programs:
        properties["programs"] = finding.programs
    return result | {"properties": properties}


def _located(at: Span, function: str, files: _Files) -> Json:
    where: Json = {"physicalLocation": files.physical(at)}
    if function:
        where["logicalLocations"] = [{"name": function, "fullyQualifiedName": function, "kind": "function"}]
    return where


def _flow_step(number: int, step: Step, files: _Files) -> Json:
    child = "[child] " if step.child else ""
    made: Json = {
        "location": _located(step.at, step.function, files)
        | {"message": {"text": child + _plain(step.text)}},
        "kinds": _KINDS[step.role],
        "nestingLevel": step.depth,
        "executionOrder": number,
        "importance": _IMPORTANCE.get(step.role, "important"),
    }
    if step.holders:
        made["state"] = {"vm": {"text": "held by " + _plain("; ".join(step.holders))}}
    return made


def _related(finding: Finding) -> Sequence[Related]:
    """What the message links to: the finding's own places, else where the descriptor was created."""
    if finding.related:
        return finding.related
    created = [step for step in finding.trace if step.role is Role.CREATE and step.at != finding.at]
    return [Related(created[0].at, created[0].text)] if created else []


def _message(finding: Finding, related: Sequence[Related]) -> str:
    """The message with a link to every related place: GitHub shows one only where it is linked."""
    text = _plain(finding.message)
    words = (_link_text(f"{one.text} at line {one.at.line}") for one in related)
    links = "; ".join(f"[{link}]({number})" for number, link in enumerate(words, 1))
    return f"{text.rstrip('.')}. See: {links}." if links else text


def _plain(text: str) -> str:
    """Text in which nothing looks like a link: SARIF reads ``[words](1)`` as one."""
    return re.sub(r"\[([^\[\]]*)\]\(", r"\\[\1\\](", one_line(text))


def _link_text(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _line_hashes(findings: Sequence[Finding], context: Context) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        wanted.setdefault(finding.at.path, set()).add(finding.at.line)
    found = {}
    for path, lines in wanted.items():
        source = context.sources.get(path)
        if source is not None:
            hashes = line_hashes(source, frozenset(lines))
            found.update({(path, line): text for line, text in hashes.items()})
    return found


def _reported_rules(outcome: Outcome) -> tuple[RuleDoc, ...]:
    """Every rule that has a page, so that a rule without results shows as checked."""
    return tuple(sorted(outcome.rules, key=lambda rule: rule.id))


def _invocation(outcome: Outcome, files: _Files, context: Context) -> Json:
    made: Json = {
        "executionSuccessful": not any(problem.kind in FATAL for problem in outcome.problems),
        "exitCode": context.exit_code,
    }
    if context.root:
        made["workingDirectory"] = _root(context)
    about = {
        "commandLine": context.command,
        "startTimeUtc": context.started,
        "endTimeUtc": context.ended,
    }
    made |= {name: text for name, text in about.items() if text}
    notifications = [_notification(problem, files) for problem in outcome.problems]
    notifications += [
        {"descriptor": {"id": "vmfdlint/notice"}, "level": "note", "message": {"text": _plain(notice)}}
        for notice in outcome.notices
    ]
    return made | ({"toolExecutionNotifications": notifications} if notifications else {})


def _notification(problem: Problem, files: _Files) -> Json:
    made: Json = {
        "descriptor": {"id": f"vmfdlint/{problem.kind}"},
        "level": "error" if problem.kind in FATAL else "note",
        "message": {"text": _plain(problem.text)},
    }
    if problem.at is not None:
        made["locations"] = [{"physicalLocation": files.physical(problem.at)}]
    elif problem.path:
        made["locations"] = [{"physicalLocation": {"artifactLocation": files.location(problem.path)}}]
    return made


def _root(context: Context) -> Json:
    if not context.root:
        return {"description": {"text": "The directory that was checked."}}
    return {"uri": "file://" + quote(context.root.rstrip("/")) + "/"}
