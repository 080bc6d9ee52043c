"""Findings -> the same with the fixes that hold: the changed program is analysed, and nothing is worse.

A fix holds where its finding is gone, no other one is new or graver, and no file is read worse than before.
Fixes are tried together, for they seldom have to do with each other; where they fail together, in halves.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

import msgspec

from vmfdlint.base import LIMITS, ProblemKind, SourceText
from vmfdlint.check.finding import Finding, Fix, Level, Outcome, Subject
from vmfdlint.fix.apply import Applied, applied
from vmfdlint.fix.propose import Editors, proposals

Analysis: TypeAlias = Callable[[tuple[SourceText, ...]], Outcome]
"""Sources -> everything found in them, before anything is left out."""

_Pair: TypeAlias = tuple[Finding, Fix]
_GRAVITY = {level: order for order, level in enumerate(reversed(Level))}


def offer(
    findings: Sequence[Finding],
    before: Outcome,
    sources: Mapping[str, SourceText],
    analysis: Analysis,
) -> tuple[Finding, ...]:
    """The findings, each with the first of its fixes that holds. ``before`` is everything found in
    ``sources``."""
    editors = Editors(sources)
    trial = _Trial(before, editors, analysis)
    proposed = [
        (
            finding,
            tuple(proposals(finding, before.subjects.get((finding.rule, finding.at), Subject()), editors)),
        )
        for finding in findings
    ]
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
        if self._holds([finding for finding, _fix in together], made):
            return together + self.holding(apart)
        if len(together) == 1:
            return self.holding(apart)
        half = len(together) // 2
        return self.holding(together[:half]) + self.holding(together[half:]) + self.holding(apart)

    def _holds(self, fixed: Sequence[Finding], made: Applied) -> bool:
        sources = self._editors.sources
        changed = {**sources, **made.sources}
        again = Editors(changed)
        if any(again.of(path).unread > self._editors.of(path).unread for path in made.sources):
            return False
        self._left -= 1
        after = self._analysis(tuple(changed.values()))
        if _unread(after) - _unread(self._before):
            return False

        def key(finding: Finding) -> tuple[str, tuple[str, int]]:
            return finding.rule, made.moved(sources[finding.at.path], finding.at)

        known = {key(finding): finding.level for finding in self._before.findings}
        for finding in fixed:
            known.pop(key(finding), None)
        for finding in after.findings:
            place = finding.at.path, changed[finding.at.path].offsets(finding.at)[0]
            level = known.get((finding.rule, place))
            if level is None or _GRAVITY[finding.level] > _GRAVITY[level]:
                return False
        return True


def _unread(outcome: Outcome) -> Counter[tuple[str, str]]:
    """How many problems each file has that say it was not read in full."""
    kinds = (ProblemKind.PARSE, ProblemKind.CRASH)
    return Counter(
        (problem.kind.value, problem.path) for problem in outcome.problems if problem.kind in kinds
    )
