"""Findings as SARIF results: place, links, fingerprints, flows, fixes; and the limits on them.

GitHub takes 25,000 results, keeps the gravest 5,000 of them, shows 1,000 steps of a flow and 100 further
places of a result, and refuses a log of more than 10 MB after compression.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.base import Span
from vmfdlint.finding import (
    Finding,
    Fix,
    Level,
    Outcome,
    Related,
    Role,
    RuleDoc,
    SafeSite,
    Step,
    Suppressed,
)
from vmfdlint.report.context import Context
from vmfdlint.report.doc import one_line
from vmfdlint.report.prints import line_hashes, trace_prints
from vmfdlint.report.sarif_files import Files, Json

_MOST_RESULTS = 25_000
_MOST_STEPS = 1_000
_MOST_RELATED = 100
# Results in full; the flows and snippets of more than these would make the log too large.
_DETAILED = 5_000
_DETAILED_BYTES = 60_000_000

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
_GRAVITY = {level: order for order, level in enumerate(Level)}


class Results:
    """The results of a log. ``encoded`` are in the order of the report; the gravest are in full.

    ``dropped`` counts the findings that are not among them, ``short`` the results without flow and snippets.
    """

    def __init__(self, outcome: Outcome, rules: Sequence[RuleDoc], context: Context) -> None:
        gravest = sorted(range(len(outcome.findings)), key=lambda n: _GRAVITY[outcome.findings[n].level])
        kept = gravest[:_MOST_RESULTS]
        findings = [outcome.findings[number] for number in sorted(kept)]
        if context.show_suppressed:
            findings += [one.finding for one in outcome.suppressed]
        passed = outcome.safe if context.show_safe else ()
        self.files = Files(context, findings, [site.at.path for site in passed])
        self.dropped = len(outcome.findings) - len(kept)
        self.short = 0
        self._index = {rule.id: index for index, rule in enumerate(rules)}
        self._hashes = _line_hashes([*(one.at for one in findings), *(one.at for one in passed)], context)
        prints = trace_prints(outcome.findings, context)
        made: dict[int, bytes] = {}
        size = 0
        for order, number in enumerate(kept):
            finding = outcome.findings[number]
            full = order < _DETAILED and size < _DETAILED_BYTES
            self.short += not full
            made[number] = msgspec.json.encode(self._result(finding, prints[number], full))
            size += len(made[number])
        self.encoded = [msgspec.Raw(made[number]) for number in sorted(made)]
        shown = outcome.suppressed if context.show_suppressed else ()
        room = _MOST_RESULTS - len(made)
        # GitHub takes no notice of a suppression, and shows an alert: they are in the log on request only.
        for one, print_ in zip(shown[:room], trace_prints([s.finding for s in shown], context), strict=False):
            self.encoded.append(msgspec.Raw(msgspec.json.encode(self._suppressed(one, print_))))
        room = _MOST_RESULTS - len(self.encoded)
        # Nor of a kind: these too are there on request only.
        self.encoded += [msgspec.Raw(msgspec.json.encode(self._passed(site))) for site in passed[:room]]

    def _suppressed(self, one: Suppressed, trace_print: str) -> Json:
        by: Json = {
            "kind": "inSource",
            "status": "accepted",
            "location": {"physicalLocation": self.files.physical(one.at)},
        }
        by |= {"justification": one.reason} if one.reason else {}
        made = self._result(one.finding, trace_print, True) | {"suppressions": [by]}
        # Whether it was known before was not asked: it does not count.
        return made | ({"baselineState": "unchanged"} if self.files.context.compared else {})

    def _passed(self, site: SafeSite) -> Json:
        made: Json = {
            "ruleId": site.rule,
            "kind": "pass",
            "level": "none",
            "message": {"text": f"Safe {site.act}: {plain(site.text)}"},
            "locations": [_located(site, site.function, self.files)],
        }
        line_hash = self._hashes.get((site.at.path, site.at.line))
        if line_hash is not None:
            made["partialFingerprints"] = {"primaryLocationLineHash": line_hash}
        if site.rule in self._index:
            made["ruleIndex"] = self._index[site.rule]
        return made | ({"baselineState": "unchanged"} if self.files.context.compared else {})

    def _result(self, finding: Finding, trace_print: str, full: bool) -> Json:
        related = _related(finding)[:_MOST_RELATED]
        partial = {"vmfdlintTrace/v1": trace_print}
        line_hash = self._hashes.get((finding.at.path, finding.at.line))
        if line_hash is not None:
            partial["primaryLocationLineHash"] = line_hash
        result: Json = {
            "ruleId": finding.rule,
            "kind": "fail",
            "level": str(finding.level),
            "rank": _RANK[finding.level] - (10.0 if finding.via else 0.0),
            "message": {"text": _message(finding, related)},
            "locations": [_located(finding, finding.function, self.files, full)],
            "partialFingerprints": partial,
        }
        if self.files.context.compared:
            result["baselineState"] = "new"
        if finding.rule in self._index:
            result["ruleIndex"] = self._index[finding.rule]
        if related:
            result["relatedLocations"] = [
                {
                    "id": number,
                    "physicalLocation": self.files.physical(one.at, full),
                    "message": {"text": plain(one.text)},
                }
                for number, one in enumerate(related, 1)
            ]
        if finding.trace and full:
            result["codeFlows"] = [_code_flow(finding, self.files)]
        if finding.fixes:
            result["fixes"] = [_fix(fix, self.files) for fix in finding.fixes]
        properties: Json = {"certainty": str(finding.certainty)}
        if finding.via:
            properties["via"] = finding.via
        if finding.programs:
            properties["programs"] = finding.programs
        return result | {"properties": properties}


def plain(text: str) -> str:
    """Text in which nothing looks like a link: SARIF reads ``[words](1)`` as one."""
    return re.sub(r"\[([^\[\]]*)\]\(", r"\\[\1\\](", one_line(text))


def _located(place: Finding | Step | SafeSite, function: str, files: Files, full: bool = True) -> Json:
    where: Json = {"physicalLocation": files.physical(place.at, full)}
    if function:
        where["logicalLocations"] = [{"name": function, "fullyQualifiedName": function, "kind": "function"}]
    return where


def _code_flow(finding: Finding, files: Files) -> Json:
    """The whole story as the first thread flow, for viewers show only that; the child's part as a second."""
    steps = list(enumerate(finding.trace[:_MOST_STEPS], 1))
    flows = [{"id": "story", "locations": [_flow_step(number, step, files) for number, step in steps]}]
    child = [_flow_step(number, step, files) for number, step in steps if step.child]
    if child:
        flows.append({"id": "child", "locations": child})
    return {"message": {"text": "How the VM comes to outlive its owner."}, "threadFlows": flows}


def _flow_step(number: int, step: Step, files: Files) -> Json:
    child = "[child] " if step.child else ""
    made: Json = {
        "location": _located(step, step.function, files) | {"message": {"text": child + plain(step.text)}},
        "kinds": _KINDS[step.role],
        "nestingLevel": step.depth,
        "executionOrder": number,
        "importance": _IMPORTANCE.get(step.role, "important"),
    }
    if step.holders:
        made["state"] = {"vm": {"text": "held by " + plain("; ".join(step.holders))}}
    return made


def _fix(fix: Fix, files: Files) -> Json:
    changes: dict[str, list[Json]] = {}
    for edit in fix.edits:
        replacement: Json = {"deletedRegion": files.region(edit.at), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.at.path, []).append(replacement)
    return {
        "description": {"text": f"{plain(fix.title)} ({'safe' if fix.safe else 'unsafe'} fix)."},
        "artifactChanges": [
            {"artifactLocation": files.location(path), "replacements": edits}
            for path, edits in changes.items()
        ],
    }


def _related(finding: Finding) -> Sequence[Related]:
    """What the message links to: the finding's own places, else where the descriptor was created."""
    if finding.related:
        return finding.related
    created = [step for step in finding.trace if step.role is Role.CREATE and step.at != finding.at]
    return [Related(created[0].at, created[0].text)] if created else []


def _message(finding: Finding, related: Sequence[Related]) -> str:
    """The message with a link to every related place: GitHub shows one only where it is linked."""
    text = plain(finding.message)
    words = (_link_text(f"{one.text} at line {one.at.line}") for one in related)
    links = "; ".join(f"[{link}]({number})" for number, link in enumerate(words, 1))
    return f"{text.rstrip('.')}. See: {links}." if links else text


def _link_text(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _line_hashes(places: Sequence[Span], context: Context) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for at in places:
        wanted.setdefault(at.path, set()).add(at.line)
    found = {}
    for path, lines in wanted.items():
        source = context.sources.get(path)
        if source is not None:
            hashes = line_hashes(source, frozenset(lines))
            found.update({(path, line): text for line, text in hashes.items()})
    return found
