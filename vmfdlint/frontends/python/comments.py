"""How comments of Python are told from strings, and how one is written."""

import re

COMMENTS = re.compile(
    rb"""(?P<comment>\#[^\n]*)
    |\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z)|'{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
    |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL | re.VERBOSE,
)
"""Finds strings and comments, so that neither is taken for the other; the group ``comment`` is a comment."""
COMMENT = "# {}"
