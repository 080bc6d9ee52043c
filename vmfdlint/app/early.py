"""What a change brings in, told before all else is looked for (``--fail-fast``).

In: what was followed of the descriptors that meet a change, and what was found before it. Out: the findings
that are surely new.
"""

from vmfdlint.check import match
from vmfdlint.finding import Certainty, Finding, Outcome
from vmfdlint.rulebook import Rule
from vmfdlint.solve import Early

NOTICE = "Ended with what is new since the last run (--fail-fast): nothing else was looked for."


def new_findings(
    early: Early, rules: tuple[Rule, ...], selected: frozenset[str], before: Outcome
) -> tuple[Finding, ...]:
    """The certain findings of a kind that the function they are in had not before."""
    found = match(early, rules, selected)
    familiar = {_kind(finding) for finding in before.findings}
    return tuple(one for one in found if one.certainty is Certainty.MUST and _kind(one) not in familiar)


def _kind(finding: Finding) -> tuple[str, str, str]:
    """What tells a new finding from one whose words or places changed."""
    return finding.rule, finding.at.path, finding.function
