"""What a C file says to others: its text without the bodies of its functions, and without comments.

In: bytes. Out: bytes of the same meaning for whoever asks what a name of this file is. What its functions do
inside concerns nobody else who asks that.
"""

import re
from functools import lru_cache

from vmfdlint.base import SourceText

_OPAQUE = re.compile(
    rb'("(?>(?:[^"\\\n]|\\(?:\r\n|.))*)["\n]?'
    rb"|'(?:[^'\\\n]|\\.){0,12}+'"
    rb"|#(?>(?:[^\n\\/]++|\\(?:\r\n|.)|/\*.*?\*/|/)*))"
    rb"|/\*.*?(?:\*/|\Z)|//(?>(?:[^\n\\]|\\(?:\r\n|.))*)"
    rb"|(\n?[{}])",
    re.S,
)
_AGGREGATE = re.compile(rb"=[^()]*\Z|\b(?:struct|union|enum|extern)\b[^()=;]*\Z|\A\s*\Z")


def seen_by_others(source: SourceText) -> SourceText:
    """A file as other files may read it. A header is all there for those who include it."""
    return SourceText(source.path, outside(source.data)) if source.path.endswith(".c") else source


@lru_cache(maxsize=1024)
def outside(data: bytes) -> bytes:
    """The text outside the bodies of functions, each of which leaves ``{}``. Where braces do not match, a
    brace in the first column ends everything, as in the scan."""
    kept: list[bytes] = []
    start = depth = 0
    inside = False
    for match in _OPAQUE.finditer(data):
        if match[1] is not None:
            continue
        if match[2] is None:  # a comment
            if not inside:
                kept += (data[start : match.start()], b" ")
                start = match.end()
            continue
        if match[2][-1] == 0x7B:
            if depth == 0 and not inside and _opens_body(b"".join((*kept[-4:], data[start : match.start()]))):
                kept.append(data[start : match.start()])
                inside = True
            depth += 1
            continue
        depth = 0 if len(match[2]) == 2 else max(depth - 1, 0)
        if depth == 0 and inside:
            kept.append(b"{}")
            start = match.end()
            inside = False
    if not inside:
        kept.append(data[start:])
    return b"".join(kept)


def _opens_body(before: bytes) -> bool:
    """Whether a brace at file level opens a function: something with parentheses stands before it that is no
    initialiser and no record."""
    head = re.split(rb"[;}]", before)[-1]
    return b"(" in head and _AGGREGATE.search(head) is None
