"""Directives against findings: what is silenced by what, and which directives silence nothing."""

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.finding import Claimed, Finding, LeftOut, Level, Outcome, Role, RuleDoc, Suppressed
from vmfdlint.suppress.directives import ENABLE, EXPECT, FILE
from vmfdlint.suppress.file import FileDirectives, Stretch

UNUSED = "VMFD901"
WITHOUT_REASON = "VMFD902"
WHY = "suppressed by a comment"


class Sources(msgspec.Struct, frozen=True):
    """The checked files and what each is written in, by path."""

    texts: Mapping[str, SourceText]
    languages: Mapping[str, str]


def suppress(outcome: Outcome, sources: Sources, ran: Set[str], whole: bool = True) -> Outcome:
    """The Outcome without the silenced findings, and with those about the comments themselves.

    A comment silences a finding on its line, on the line below it where it stands alone, in its range or its
    file; it counts at the finding's place and where the descriptor was created. ``ran`` are the rules that
    were looked for: what another one would have silenced is not known. Nor is it where ``whole`` is false,
    because only a part of the program was read: then no comment is called unused, and no claim untrue. A true
    claim about a lifetime silences the findings it speaks of.
    """
    known = [(rule.id, rule.name) for rule in outcome.rules]
    files = {
        path: FileDirectives(source, sources.languages.get(path, ""), known)
        for path, source in sources.texts.items()
    }
    files = {path: one for path, one in files.items() if one.found}
    if not files:
        return outcome
    kept: list[Finding] = []
    silenced: list[Suppressed] = []
    used: set[tuple[str, int]] = set()
    meant = {one: claimed.claim for claimed in outcome.claims for one in claimed.meant}
    for finding in outcome.findings:
        by = [(path, number) for path, number in _silencing(finding, files)]
        used.update(by)
        claim = meant.get((finding.at, finding.rule))
        if claim is not None and not by:
            silenced.append(Suppressed(finding, claim.at, claim.reason))
        elif by:
            path, number = by[0]
            one = files[path].stretches[number].directive
            silenced.append(Suppressed(finding, one.comment.at, one.reason))
        else:
            kept.append(finding)
    docs = {rule.id: rule for rule in outcome.rules}
    told = [
        finding
        for path, one in files.items()
        for finding in _lint(path, one, used, ran, whole, docs)
        if finding.rule in ran and not _in_file(finding, one)
    ]
    told += [
        one
        for one in _untrue(outcome.claims, docs)
        if whole and UNUSED in ran and not _in_file(one, files[one.at.path])
    ]
    ordered = sorted([*kept, *told], key=lambda finding: (finding.at, finding.rule))
    left = (LeftOut(len(silenced), WHY),) if silenced else ()
    return msgspec.structs.replace(
        outcome,
        findings=tuple(ordered),
        suppressed=(*outcome.suppressed, *silenced),
        left_out=(*outcome.left_out, *left),
    )


def silenced_somewhere(outcome: Outcome, sources: Sources) -> frozenset[str]:
    """The rules that a comment of any file silences, or a claim may. Where not everything was followed, it is
    not known of what else a finding would speak, and whose comment would count for it."""
    known = [(rule.id, rule.name) for rule in outcome.rules]
    found: set[str] = set()
    for path, source in sources.texts.items():
        one = FileDirectives(source, sources.languages.get(path, ""), known)
        found.update(*(stretch.ids for stretch in one.stretches))
        found.update(rule.id for rule in outcome.rules if one.claims)
    return frozenset(found)


def _silencing(finding: Finding, files: Mapping[str, FileDirectives]) -> Iterator[tuple[str, int]]:
    """The stretches, by file and number, that silence a finding."""
    places = [finding.at, *(step.at for step in finding.trace if step.role is Role.CREATE)]
    for at in places:
        one = files.get(at.path)
        for number, stretch in enumerate(one.stretches if one else ()):
            if finding.rule in stretch.ids and stretch.covers(at):
                yield at.path, number


def _in_file(finding: Finding, one: FileDirectives) -> bool:
    return any(finding.rule in s.ids for s in one.stretches if s.directive.verb == FILE)


def _lint(
    path: str,
    one: FileDirectives,
    used: Set[tuple[str, int]],
    ran: Set[str],
    whole: bool,
    docs: Mapping[str, RuleDoc],
) -> Iterator[Finding]:
    for fault in one.faults:
        text = f"this comment cannot be followed: {fault.text}"
        yield _finding(UNUSED, fault.directive.comment.at, text, docs)
    for number, stretch in enumerate(one.stretches):
        # A comment about this rule itself has nothing to wait for.
        if (path, number) in used or not whole or not stretch.ids <= ran or stretch.ids & {UNUSED}:
            continue
        yield _unused(stretch, docs)
    for directive in one.found:
        if not directive.reason and not directive.fault and directive.verb != ENABLE:
            yield _finding(WITHOUT_REASON, directive.comment.at, f"{directive.text} gives no reason", docs)


def _untrue(claims: Sequence[Claimed], docs: Mapping[str, RuleDoc]) -> Iterator[Finding]:
    """Claims about lifetimes that are not true, or not any more."""
    for one in claims:
        if one.wrong:
            text = f"holds({one.claim.holder}) until={one.claim.until} is not true: {one.wrong}"
            yield _finding(UNUSED, one.claim.at, text, docs)


def _unused(stretch: Stretch, docs: Mapping[str, RuleDoc]) -> Finding:
    at = stretch.directive.comment.at
    if stretch.directive.verb == EXPECT:
        text = f"{stretch.rule} was expected here and is not found any more"
        made = _finding(UNUSED, at, text, docs)
        return msgspec.structs.replace(made, level=Level.ERROR)
    return _finding(UNUSED, at, f"nothing of {stretch.rule} is found here: delete this", docs)


def _finding(rule: str, at: Span, text: str, docs: Mapping[str, RuleDoc]) -> Finding:
    level = docs[rule].level if rule in docs else Level.WARNING
    return Finding(rule, level, at, "", text, ())
