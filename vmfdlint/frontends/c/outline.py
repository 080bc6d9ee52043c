"""The definitions of a file that its text shows beyond doubt. In: bytes. Out: names with attribute words.

No parse: what is asked of most files is whether they define a name, and whether for others, too. A header
counts here where it starts a line after the end of a statement and holds nothing but words that are known,
one name of a type, and parameters; in stretches that are compiled. One with macros is left to the parser.
"""

import re

from vmfdlint.frontends.c.attributes import attributes_of
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import drop_dead, mask
from vmfdlint.frontends.c.text import back

_DEFINITION = re.compile(
    rb"\n([A-Za-z_][\w \t*]*+(?:\n[\w \t*]*+)?+)"
    rb"\((?:[\w\s,*]|\[[\w ]*+\]|\.\.\.|\(\s*+\*[\w\s]*+\)\s*+\([\w\s,*]*+\))++\)\s*+\{"
)
_WORDS = re.compile(rb"\w+|\*")
_STORAGE = MACROS.attributes | frozenset(b"static extern inline __inline __inline__ const volatile".split())
_TAGGED = frozenset((b"struct", b"union", b"enum"))
_PLAIN = frozenset(b"void char short int long float double signed unsigned bool _Bool".split())
_NO_NAME = frozenset(b"if for while switch return else do sizeof typedef".split()) | _PLAIN | _TAGGED


def outline(data: bytes) -> dict[str, tuple[str, ...]]:
    """Names of functions -> the attribute words of their first definition that is plain to see."""
    masked = mask(data)
    drop_dead(masked)
    text = masked.text
    found: dict[str, tuple[str, ...]] = {}
    for match in _DEFINITION.finditer(text):
        last = back(text, match.start())
        if last >= 0 and text[last] not in b";}":
            continue
        words = _WORDS.findall(match.group(1))
        name = words.pop()
        if name == b"*" or name in _NO_NAME or name in MACROS.attributes or not _is_type(words):
            continue
        found.setdefault(name.decode("ascii"), attributes_of(data, match.start() + 1, match.end() - 1))
    return found


def _is_type(words: list[bytes]) -> bool:
    """Whether the words before a name are its type, whatever is defined elsewhere."""
    while words and (words[-1] == b"*" or words[-1] in _STORAGE):
        words.pop()
    words = [word for word in words if word not in _STORAGE]
    if len(words) == 2 and words[0] in _TAGGED:
        return words[1] not in _NO_NAME and words[1] != b"*"
    if len(words) == 1 and words[0] not in _NO_NAME:
        return words[0] != b"*" and not words[0][:1].isdigit()
    return bool(words) and all(word in _PLAIN for word in words)
