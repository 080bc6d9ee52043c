"""The pre-pass: rewrites what the C grammar cannot read, byte for byte, so that every offset stays true."""

import re

from vmfdlint.frontends.c.attributes import attributes_of, cleanup_of
from vmfdlint.frontends.c.bare_uses import mend_uses
from vmfdlint.frontends.c.mask import Masked, drop_dead, mask
from vmfdlint.frontends.c.rewrite import rewrite
from vmfdlint.frontends.c.structure import mend_directives

__all__ = ["attributes_of", "cleanup_of", "even"]

_NAMED_REST = re.compile(rb"(?<=[(, \t])[A-Za-z_]\w*[ \t]*(?=\.\.\.\s*\))|(?<=[(, \t])[A-Za-z_]\w*(?=\.\.\.)")


def _blank_name(match: re.Match[bytes]) -> bytes:
    """The grammar knows ``...`` as the last parameter of a macro, but not GNU C's ``args...``."""
    return b" " * len(match.group())


def even(data: bytes) -> bytes:
    """The same bytes with unreadable constructs replaced: equal length, equal line ends. Never fails.

    Comments become blanks. Dead branches of conditionals too. What stands for what: see :mod:`rewrite`.
    """
    masked = mask(data)
    if masked.directives:
        drop_dead(masked)
    rewrite(masked.text)
    mend_uses(masked.text, masked.directives)
    if masked.directives:
        mend_directives(masked)
    return _shown(masked, data)


def _shown(masked: Masked, data: bytes) -> bytes:
    """Put back the contents of strings and the directives that stay."""
    text = masked.text
    for start, end in masked.strings:
        if text[start] == data[start] and text[end - 1] == data[end - 1]:
            text[start:end] = data[start:end]
    for directive in masked.directives:
        if directive.shown is None:
            text[directive.start] = 32
        elif directive.keyword == "define" and b"..." in directive.shown:
            text[directive.start : directive.end] = _NAMED_REST.sub(_blank_name, directive.shown)
        else:
            text[directive.start : directive.end] = directive.shown
    return bytes(text)
