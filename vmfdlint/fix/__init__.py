"""Changes that remove findings. In: findings and sources. Out: the findings with their fixes, changed bytes,
patches.

What removes which finding is data (rules/fixes/*.toml); how it is written, a front-end knows. A fix is
offered only where it was tried: the changed sources are analysed again.
"""

from vmfdlint.fix.apply import Applied, applied
from vmfdlint.fix.patch import diff, patches
from vmfdlint.fix.rows import fixable
from vmfdlint.fix.trial import Analysis, offer

__all__ = ["Analysis", "Applied", "applied", "diff", "fixable", "offer", "patches"]
