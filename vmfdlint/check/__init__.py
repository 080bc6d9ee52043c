"""Rules against what the solver observed. In: a solved program, rules as data. Out: findings, safe sites.

Knows no language and no API; a new rule is a file in rules/.
"""

from vmfdlint.check.claims import judged_claims
from vmfdlint.check.flow import call_chain, flow_text
from vmfdlint.check.inventory import inventory
from vmfdlint.check.ledger import ledger
from vmfdlint.check.match import incidents, match
from vmfdlint.check.review import suggestions
from vmfdlint.check.safe import safe_sites
from vmfdlint.check.subject import subjects

__all__ = [
    "call_chain",
    "flow_text",
    "incidents",
    "inventory",
    "judged_claims",
    "ledger",
    "match",
    "safe_sites",
    "subjects",
    "suggestions",
]
