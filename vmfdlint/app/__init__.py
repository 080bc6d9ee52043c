"""The walk: calls each room's door in order. The only room beside cli that knows all others.

In: Options. Out: bytes to print and an exit code. Prints nothing itself. A module a command..
"""

from vmfdlint.app.analysis import analyze, rule_docs
from vmfdlint.app.baseline import baseline_create, baseline_show, baseline_update
from vmfdlint.app.check import check, files
from vmfdlint.app.clean import clean
from vmfdlint.app.diff import diff
from vmfdlint.app.editor import Change, Look, Remark, Seen, rule_at, rule_page, silencing
from vmfdlint.app.fleet import Asked, Standing, fleet
from vmfdlint.app.fleet_list import Tree, trees_in
from vmfdlint.app.ignore import add_ignore
from vmfdlint.app.looking import Looking
from vmfdlint.app.rules import proven_docs, rules
from vmfdlint.app.run import Run, Surroundings, Written, again
from vmfdlint.app.settings import options_for, settings

__all__ = [
    "Asked",
    "Change",
    "Look",
    "Looking",
    "Remark",
    "Run",
    "Seen",
    "Standing",
    "Surroundings",
    "Tree",
    "Written",
    "add_ignore",
    "again",
    "analyze",
    "baseline_create",
    "baseline_show",
    "baseline_update",
    "check",
    "clean",
    "diff",
    "files",
    "fleet",
    "options_for",
    "proven_docs",
    "rule_at",
    "rule_docs",
    "rule_page",
    "rules",
    "settings",
    "silencing",
    "trees_in",
]
