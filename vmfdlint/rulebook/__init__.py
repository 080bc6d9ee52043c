"""Rules as data. In: rules/<family>/*.toml, rules/evidence/*.json. Out: what each matches, says and rests on.

Knows no language, no API and no engine; a new rule is a file in rules/.
"""

from vmfdlint.rulebook.evidence import load_evidence
from vmfdlint.rulebook.load import RuleError, load_rules
from vmfdlint.rulebook.rule import Rule

__all__ = ["Rule", "RuleError", "load_evidence", "load_rules"]
