"""How comments of each language are told from strings, and how one is written. Needs no front-end."""

import re
from collections.abc import Mapping

from vmfdlint.frontends.languages import PYTHON, C

COMMENTS: Mapping[str, re.Pattern[bytes]] = {
    C: re.compile(
        rb"""(?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
        |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
        re.DOTALL | re.VERBOSE,
    ),
    PYTHON: re.compile(
        rb"""(?P<comment>\#[^\n]*)
        |\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z)|'{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
        |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
        re.DOTALL | re.VERBOSE,
    ),
}
"""By language: finds strings and comments, so that neither is taken for the other; the group ``comment`` is a
comment."""
WRITTEN: Mapping[str, str] = {C: "/* {} */", PYTHON: "# {}"}
"""By language: a comment; in C something may follow it on its line."""
