"""How comments of C are told from strings, and how one is written."""

import re

COMMENTS = re.compile(
    rb"""(?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
    |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL | re.VERBOSE,
)
"""Finds strings and comments, so that neither is taken for the other; the group ``comment`` is a comment."""
COMMENT = "/* {} */"
"""A comment that something may follow on its line."""
