"""Findings of one tree against its labels and its sheet: musts, mays, traps, a verdict on each finding."""

from enum import StrEnum

import msgspec

from tools.checked import Found
from tools.expected import Difference
from tools.labels import SEVERITIES, Categories, Label


class Match(msgspec.Struct, frozen=True):
    """A finding and the label it counts for."""

    finding: Found
    label: Label


class Score(msgspec.Struct, frozen=True):
    """How the findings of a tree do against its labels.

    ``allowed`` are findings at a trap that are not above its highest level. ``unlabelled`` are near no label
    of their category. The three counts are of labels.
    """

    must: int
    may: int
    traps: int
    found: tuple[Match, ...] = ()
    missed: tuple[Label, ...] = ()
    may_found: tuple[Match, ...] = ()
    sprung: tuple[Match, ...] = ()
    allowed: tuple[Match, ...] = ()
    unlabelled: tuple[Found, ...] = ()

    @property
    def must_found(self) -> int:
        """Labels, not findings: two findings at one label count once."""
        return self.must - len(self.missed)


class Verdict(StrEnum):
    """What is known about a finding."""

    TRUE = "true"
    FALSE = "false"
    UNREAD = "unread"


class Precision(msgspec.Struct, frozen=True):
    """Findings by verdict. A finding that nobody read is not counted as right."""

    true: int
    false: int
    unread: int

    @property
    def share(self) -> float | None:
        """True ones among all; None where there are no findings."""
        every = self.true + self.false + self.unread
        return self.true / every if every else None

    def __add__(self, other: "Precision") -> "Precision":
        return Precision(self.true + other.true, self.false + other.false, self.unread + other.unread)


def nearest(finding: Found, labels: tuple[Label, ...], categories: Categories) -> Label | None:
    """The label a finding counts for: the nearest in its category; a true one before a trap as near."""
    best: tuple[int, bool] | None = None
    chosen = None
    for label in labels:
        away = label.distance(finding.file, finding.line)
        if away is None or not categories.hold(label.category, finding.rule):
            continue
        rank = (away, label.trap)
        if best is None or rank < best:
            best, chosen = rank, label
    return chosen


def score(findings: tuple[Found, ...], labels: tuple[Label, ...], categories: Categories) -> Score:
    """Every finding counts for one label at most; a label may have several findings."""
    by_fate: dict[str, list[Match]] = {"must": [], "may": [], "sprung": [], "allowed": []}
    unlabelled = []
    for finding in findings:
        label = nearest(finding, labels, categories)
        if label is None:
            unlabelled.append(finding)
            continue
        fate: str = label.expect
        if label.trap:
            fate = "sprung" if SEVERITIES.index(finding.level.value) > label.allowed else "allowed"
        by_fate[fate].append(Match(finding, label))
    musts = [label for label in labels if label.expect == "must"]
    hit = [match.label for match in by_fate["must"]]
    return Score(
        must=len(musts),
        may=sum(label.expect == "may" for label in labels),
        traps=sum(label.trap for label in labels),
        found=tuple(by_fate["must"]),
        missed=tuple(label for label in musts if label not in hit),
        may_found=tuple(by_fate["may"]),
        sprung=tuple(by_fate["sprung"]),
        allowed=tuple(by_fate["allowed"]),
        unlabelled=tuple(unlabelled),
    )


def precision(findings: tuple[Found, ...], difference: Difference, scored: Score | None) -> Precision:
    """Counts findings by verdict: a sheet or a label that says false outweighs one that says true."""
    counts = dict.fromkeys(Verdict, 0)
    for verdict in verdicts(findings, difference, scored):
        counts[verdict] += 1
    return Precision(counts[Verdict.TRUE], counts[Verdict.FALSE], counts[Verdict.UNREAD])


def verdicts(findings: tuple[Found, ...], difference: Difference, scored: Score | None) -> list[Verdict]:
    """One verdict for each finding, in order."""
    sheet = {id(found): entry for found, entry in difference.kept}
    sprung = {id(match.finding) for match in scored.sprung} if scored else set()
    right = set()
    if scored:
        right = {id(match.finding) for match in (*scored.found, *scored.may_found, *scored.allowed)}
    result = []
    for found in findings:
        entry = sheet.get(id(found))
        if id(found) in sprung or (entry is not None and entry.wrong.strip()):
            result.append(Verdict.FALSE)
        elif id(found) in right or (entry is not None and entry.why.strip()):
            result.append(Verdict.TRUE)
        else:
            result.append(Verdict.UNREAD)
    return result
