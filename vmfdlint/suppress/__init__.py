"""Comments that silence findings. In: an Outcome and the sources. Out: what is left, and what is silenced.

A comment that silences nothing, or cannot be read, is a finding itself (VMFD901, VMFD902).
"""

from vmfdlint.suppress.add import Added, add_comments
from vmfdlint.suppress.apply import UNUSED, WITHOUT_REASON, Sources, silenced_somewhere, suppress
from vmfdlint.suppress.file import claims
from vmfdlint.suppress.named import named_at

__all__ = [
    "UNUSED",
    "WITHOUT_REASON",
    "Added",
    "Sources",
    "add_comments",
    "claims",
    "named_at",
    "silenced_somewhere",
    "suppress",
]
