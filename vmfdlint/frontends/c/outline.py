"""The definitions of a file that its text shows beyond doubt. In: bytes. Out: names with attribute words.

No parse: what is asked of most files is whether they define a name, and whether for others, too. A header
counts here where it starts a line after the end of a statement and holds nothing but words that are known,
one name of a type, and parameters; in stretches that are compiled. One with macros is left to the parser.
"""

import re
from collections import deque
from functools import lru_cache

from vmfdlint.frontends.c.attributes import attributes_of
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import drop_dead, mask
from vmfdlint.frontends.c.text import WORD, back

_DEFINITION = re.compile(
    rb"\n([A-Za-z_][\w \t*]*+(?>(?:\n[\w \t*]*+)?))"
    rb"\((?>(?:[\w\s,*]|\[[\w ]*+\]|\.\.\.|\(\s*+\*[\w\s]*+\)\s*+\([\w\s,*]*+\))+)\)\s*+\{"
)
_BODY_OR_RECORD = re.compile(rb"[^\s=,{]\s*+\{")
"""A brace that does not open an initialiser."""
_NO_BRACE = bytes(byte for byte in range(256) if byte not in b"{}")
_WORDS = re.compile(rb"\w+|\*")
_STORAGE = MACROS.attributes | frozenset(b"static extern inline __inline __inline__ const volatile".split())
_TAGGED = frozenset((b"struct", b"union", b"enum"))
_PLAIN = frozenset(b"void char short int long float double signed unsigned bool _Bool".split())
_NO_TYPE = frozenset(b"if for while switch return else do sizeof typedef".split()) | _PLAIN | _TAGGED
_NO_NAME = _NO_TYPE | MACROS.attributes


@lru_cache(maxsize=8)
def _compiled(data: bytes) -> bytearray:
    """The text without comments, contents of strings, directives, and branches that are not compiled."""
    masked = mask(data)
    drop_dead(masked)
    return masked.text


def outline(data: bytes) -> dict[str, tuple[str, ...]]:
    """Names of functions -> the attribute words of their first definition that is plain to see."""
    text = _compiled(data)
    found: dict[str, tuple[str, ...]] = {}
    for match in _DEFINITION.finditer(text):
        name = _defined(text, match)
        if name and name not in found:
            found[name] = attributes_of(data, match.start() + 1, match.end() - 1)
    return found


def holders(data: bytes, offset: int) -> tuple[str, ...] | None:
    """The function that holds the name at a byte offset; () for one in an initialiser at file level, None
    where the text does not show which it is."""
    text = _compiled(data)
    if text[offset] not in WORD:
        return None
    closed = max(0, text.rfind(b"\n}", 0, offset))
    header = next(iter(deque(_DEFINITION.finditer(text, closed, offset), maxlen=1)), None)
    before = header.start() if header else closed + 2 if closed else 0
    if text.count(b"{", 0, before) != text.count(b"}", 0, before):
        return None
    if header:
        name = _defined(text, header)
        return (name,) if name and "}" not in _open(text[header.end() : offset]) else None
    between = text[closed:offset]
    head, assigned, _ = between[between.rfind(b";") + 1 :].partition(b"=")
    return () if assigned and b"(" not in head and not _BODY_OR_RECORD.search(between) else None


def _open(text: bytearray) -> str:
    """The braces of a text without those that go in pairs."""
    braces = bytes(text.translate(None, _NO_BRACE))
    while b"{}" in braces:
        braces = braces.replace(b"{}", b"")
    return braces.decode("ascii")


def _defined(text: bytearray, header: re.Match[bytes]) -> str:
    """The name that a header defines; "" where that is not plain."""
    last = back(text, header.start())
    words = _WORDS.findall(header.group(1))
    name = words.pop()
    if (last >= 0 and text[last] not in b";}") or name == b"*" or name in _NO_NAME:
        return ""
    return str(name.decode("ascii")) if _is_type(words) else ""


def _is_type(words: list[bytes]) -> bool:
    """Whether the words before a name are its type, whatever is defined elsewhere."""
    while words and (words[-1] == b"*" or words[-1] in _STORAGE):
        words.pop()
    words = [word for word in words if word not in _STORAGE]
    if len(words) == 2 and words[0] in _TAGGED:
        return words[1] not in _NO_TYPE and words[1] != b"*"
    if len(words) == 1 and words[0] not in _NO_TYPE:
        return words[0] != b"*" and not words[0][:1].isdigit()
    return bool(words) and all(word in _PLAIN for word in words)
