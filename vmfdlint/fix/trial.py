"""Findings -> the same with the fixes that hold: the changed program is analysed, and nothing is worse.

A fix holds where its finding is gone, no other one is new or graver, and no file is read worse than before.
Fixes are tried together, for they seldom have to do with each other. Where they fail together, those that a
new finding speaks of are tried apart, and in halves where that is all of them.
"""

import gc
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

import msgspec

from vmfdlint.base import LIMITS, ProblemKind, SourceText
from vmfdlint.finding import Finding, Fix, Level, Outcome, Subject
from vmfdlint.fix.apply import Applied, applied
from vmfdlint.fix.propose import Editors, proposals
from vmfdlint.fix.rows import Version

Analysis: TypeAlias = Callable[[tuple[SourceText, ...]], Outcome]
"""Sources -> everything found in them, before anything is left out."""

_Pair: TypeAlias = tuple[Finding, Fix]
_GRAVITY = {level: order for order, level in enumerate(reversed(Level))}


def offer(
    findings: Sequence[Finding],
    before: Outcome,
    sources: Mapping[str, SourceText],
    analysis: Analysis,
    python_version: Version = (),
) -> tuple[Finding, ...]:
    """The findings, each with the first of its fixes that holds. ``before`` is everything found in
    ``sources``, which are written for a version of Python, the newest where none is given."""
    editors = Editors(sources)
    trial = _Trial(before, editors, analysis)

    def proposed_for(finding: Finding) -> tuple[Fix, ...]:
        subject = before.subjects.get((finding.rule, finding.at), Subject())
        return tuple(proposals(finding, subject, editors, python_version))

    proposed = [(finding, proposed_for(finding)) for finding in findings]
    good: dict[tuple[str, object], Fix] = {}
    # The second choice of a finding is tried where the first one did not hold.
    for choice in zip_longest(*(fixes for _finding, fixes in proposed)):
        pairs = [
            (finding, fix)
            for (finding, _fixes), fix in zip(proposed, choice, strict=True)
            if fix is not None and (finding.rule, finding.at) not in good
        ]
        good.update({(finding.rule, finding.at): fix for finding, fix in trial.holding(pairs)})
    return tuple(
        msgspec.structs.replace(finding, fixes=(good[finding.rule, finding.at],))
        if (finding.rule, finding.at) in good
        else finding
        for finding in findings
    )


class _Trial:
    """Tries fixes out, a limited number of times."""

    def __init__(self, before: Outcome, editors: Editors, analysis: Analysis) -> None:
        self._before = before
        self._editors = editors
        self._analysis = analysis
        self._left = LIMITS.fix_trials

    def holding(self, pairs: Sequence[_Pair]) -> list[_Pair]:
        """The pairs whose fix holds."""
        if not pairs or not self._left:
            return []
        made = applied(self._editors.sources, [fix for _finding, fix in pairs])
        together = [pair for pair, taken in zip(pairs, made.taken, strict=True) if taken]
        apart = [pair for pair, taken in zip(pairs, made.taken, strict=True) if not taken]
        failed, suspected = self._judged(together, made)
        if not failed and not suspected:
            return together + self.holding(apart)
        good = self.holding([p for n, p in enumerate(together) if n not in failed and n not in suspected])
        doubted = [pair for number, pair in enumerate(together) if number in suspected - failed]
        half = len(doubted) // 2 if len(doubted) == len(together) else len(doubted)
        if len(together) > 1:
            good += self.holding(doubted[:half]) + self.holding(doubted[half:])
        return good + self.holding(apart)

    def _judged(self, pairs: Sequence[_Pair], made: Applied) -> tuple[set[int], set[int]]:
        """The numbers of the pairs whose finding is still there, and of those that may have made something
        worse."""
        sources = self._editors.sources
        changed = {**sources, **made.sources}
        again = Editors(changed)
        worse = {path for path in made.sources if again.of(path).unread > self._editors.of(path).unread}
        if worse:
            return set(), _changing(pairs, worse)
        self._left -= 1
        gc.collect()  # the command line runs no collector, and what was analysed before is one large circle
        after = self._analysis(tuple(changed.values()))
        unread = _unread(after) - _unread(self._before)
        suspected = _changing(pairs, {path for _kind, path in unread}) if unread else set()

        def key(finding: Finding) -> tuple[str, tuple[str, int]]:
            return finding.rule, made.moved(sources[finding.at.path], finding.at)

        known = {key(one): one.level for one in self._before.findings if one.at.path in sources}
        asked = {key(finding): number for number, (finding, _fix) in enumerate(pairs)}
        failed: set[int] = set()
        for finding in after.findings:
            if finding.at.path not in changed:
                continue
            place = finding.rule, (finding.at.path, changed[finding.at.path].offsets(finding.at)[0])
            if place in asked:
                failed.add(asked[place])
            elif place not in known or _GRAVITY[finding.level] > _GRAVITY[known[place]]:
                suspected |= _changing(pairs, _paths(finding))
        return failed, suspected


def _changing(pairs: Sequence[_Pair], paths: set[str]) -> set[int]:
    """The numbers of the pairs whose fix changes one of the files; of all where none does."""
    found = {n for n, (_finding, fix) in enumerate(pairs) if any(edit.at.path in paths for edit in fix.edits)}
    return found or set(range(len(pairs)))


def _paths(finding: Finding) -> set[str]:
    """The files a finding speaks of."""
    places = (finding.at, *(step.at for step in finding.trace), *(one.at for one in finding.related))
    return {at.path for at in places}


def _unread(outcome: Outcome) -> Counter[tuple[str, str]]:
    """How many problems each file has that say it was not read in full."""
    kinds = (ProblemKind.PARSE, ProblemKind.CRASH)
    return Counter(
        (problem.kind.value, problem.path) for problem in outcome.problems if problem.kind in kinds
    )
