"""Macros used as statements without a semicolon: ``CLOSE(vcpu)`` where the macro brings its own.

In: masked text (see :mod:`mask`). Out: the same, at equal length, where such a use is the assignment
``CLOSE=vcpu;``, or ``CLOSE ;`` where it has no arguments. The original bytes still tell what it is.
"""

import re
from collections.abc import Iterable

from vmfdlint.frontends.c.mask import Directive
from vmfdlint.frontends.c.text import WORD, ahead, back, closing, word_before

_USE = re.compile(rb"\n[ \t]++([A-Za-z_]\w*+)[ \t]*+\(")
_END = re.compile(rb"[ \t\r]*+(?:\n|\Z)")
_DEFINED = re.compile(rb"\s*([A-Za-z_]\w*)\([^()]*\)((?:\s|\\\n)*)(\w*)")
_OPENS = frozenset(b"for while if else switch do".split())
"""What begins the body of a macro that a statement follows, or may follow."""
_SHOUTED = re.compile(rb"[A-Z][A-Z0-9_]*\Z")
_NO_USE = frozenset(b"if for while switch return sizeof".split())


def mend_uses(text: bytearray, directives: Iterable[Directive]) -> None:
    """Rewrites the uses that the text shows beyond doubt: of a macro of this file before another statement,
    of any in capitals before the end of a block."""
    own = _defined(directives)
    for match in _USE.finditer(text):
        name, opened = match.group(1), match.end() - 1
        if name in _NO_USE or not (name in own or _SHOUTED.match(name)):
            continue
        closed = closing(text, opened)
        if closed < 0 or not _END.match(text, closed + 1) or not _begins(text, match.start(1)):
            continue
        following = ahead(text, closed + 1)
        if following >= 0 and (text[following] == 0x7D or (name in own and text[following] in WORD)):
            _rewrite(text, opened, closed)


def _defined(directives: Iterable[Directive]) -> frozenset[bytes]:
    """The macros with parameters that the file defines as statements of their own."""
    found = set()
    for directive in directives:
        if directive.keyword != "define" or directive.shown is None:
            continue
        head = _DEFINED.match(directive.rest)
        if head is not None and (head[3] not in _OPENS or _is_whole(directive)):
            found.add(head[1])
    return frozenset(found)


def _is_whole(directive: Directive) -> bool:
    """Whether the body of a macro is a whole statement: it ends as one, or as ``do … while (0)`` does."""
    body = directive.rest.rstrip()
    return body.endswith((b";", b"}"))


def _begins(text: bytearray, at: int) -> bool:
    """Whether a statement begins at an offset in a block."""
    last = back(text, at)
    return last >= 0 and (text[last] in b";{}:" or word_before(text, at) in (b"else", b"do"))


def _rewrite(text: bytearray, opened: int, closed: int) -> None:
    text[opened] = 0x3D if ahead(text, opened + 1, closed) >= 0 else 32
    text[closed] = 0x3B
