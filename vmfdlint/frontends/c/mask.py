"""Hides what is not code. In: bytes. Out: bytes of equal length where comments, strings and directives are
blank.
"""

import re

import msgspec

from vmfdlint.frontends.c.conditions import holds

_OPAQUE = re.compile(
    rb'"(?>(?:[^"\\\n]++|\\(?:\r\n|.))*)["\n]?'
    rb"|'(?:[^'\\\n]|\\.){0,12}+'"
    rb"|/(?:\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)(?:\*/|\Z)|/(?>(?:[^\n\\]++|\\(?:\r\n|.))*))"
    rb"|#(?>(?:[^\n\\/]++|\\(?:\r\n|.)|/\*.*?\*/|/)*)",
    re.S,
)
_DIRECTIVE = re.compile(rb"#[ \t]*([a-z]+)(.*)", re.S)
_COMMENT = re.compile(rb'("(?>(?:[^"\\\n]|\\.)*)")|/\*.*?(?:\*/|\Z)|//(?>(?:[^\n\\]|\\.)*)', re.S)
_BLANK = bytes(byte if byte == 0x0A else 32 for byte in range(256))
OPENERS = frozenset({"if", "ifdef", "ifndef"})
BRANCHES = frozenset({"elif", "elifdef", "elifndef", "else"})


class Directive(msgspec.Struct):
    """One preprocessor line with its continuations. ``shown`` is what stands there in the end, None for
    blank.
    """

    start: int
    end: int
    keyword: str
    rest: bytes
    shown: bytes | None


class Masked(msgspec.Struct):
    """``text`` has ``#`` where a directive starts, quotes around blanks for a string, blank comments."""

    text: bytearray
    strings: list[tuple[int, int]]
    directives: list[Directive]


def blank(piece: bytes | bytearray) -> bytes:
    """Spaces of the same length; line feeds stay."""
    return bytes(piece.translate(_BLANK))


def _continued(match: re.Match[bytes]) -> bytes:
    """A comment inside a directive, blank, whose lines still belong to the directive. Strings stay."""
    if match.group(1):
        return match.group()
    return re.sub(rb" (?=\n)", rb"\\", blank(match.group()))


def mask(data: bytes) -> Masked:
    """Split a file into code and the rest; a NUL byte counts as a blank."""
    strings: list[tuple[int, int]] = []
    directives: list[Directive] = []

    text = bytearray(data)
    for match in _OPAQUE.finditer(data):
        start, end = match.span()
        first = data[start]
        if first == 0x23:
            piece = match.group()
            parts = _DIRECTIVE.match(piece)
            keyword, rest = (parts.group(1).decode(), parts.group(2)) if parts else ("", b"")
            shown = (
                _COMMENT.sub(_continued, piece)
                if keyword == "define" and (b"/*" in piece or b"//" in piece)
                else piece
            )
            directives.append(Directive(start, end, keyword, rest, shown))
            start += 1
        elif first != 0x2F:
            start += 1
            if data[end - 1] == first and end > start:
                strings.append((start - 1, end))
                end -= 1
        text[start:end] = data[start:end].translate(_BLANK)
    if b"\0" in text:
        text = text.replace(b"\0", b" ")
    return Masked(text, strings, directives)


def drop_dead(masked: Masked) -> None:
    """Blank branches known not to be compiled, and the directives of conditions known to hold."""
    groups: list[_Group] = []
    dead: list[tuple[int, int]] = []
    for directive in masked.directives:
        keyword = directive.keyword
        if keyword in OPENERS:
            group = _Group(hidden=bool(groups) and groups[-1].off)
            groups.append(group)
            group.branch(directive, _condition(directive))
        elif keyword in BRANCHES and groups:
            group = groups[-1]
            if group.off and not group.hidden:
                dead.append((group.since, directive.start))
            group.branch(directive, _condition(directive))
        elif keyword == "endif" and groups:
            group = groups.pop()
            if group.off and not group.hidden:
                dead.append((group.since, directive.start))
            if not group.open:
                directive.shown = None
    text = masked.text
    for start, end in dead:
        text[start:end] = blank(text[start:end])
    _hide_inside(masked.directives, dead)


def _hide_inside(directives: list[Directive], dead: list[tuple[int, int]]) -> None:
    """Directives within a dead stretch are blank; both lists are in source order."""
    at = 0
    for directive in directives:
        while at < len(dead) and dead[at][1] <= directive.start:
            at += 1
        if at < len(dead) and dead[at][0] <= directive.start:
            directive.shown = None


def _condition(directive: Directive) -> bool | None:
    if directive.keyword == "else":
        return True
    return holds(directive.keyword, directive.rest.decode("latin-1"))


class _Group:
    """One #if … #endif while it is read. ``open`` says that a directive of the group is still shown."""

    def __init__(self, hidden: bool) -> None:
        self.hidden = hidden
        self.taken = False
        self.off = hidden
        self.open = False
        self.since = 0

    def branch(self, directive: Directive, value: bool | None) -> None:
        """Enter the branch after ``directive``, whose condition has the given value."""
        self.since = directive.end
        if self.hidden:
            return
        if self.taken or value is False:
            self.off = True
            directive.shown = None
            return
        self.off = False
        if value and not self.open:
            directive.shown = None
        elif directive.keyword not in OPENERS and not self.open:
            directive.shown = _as_opener(directive)
            self.open = True
        else:
            if value and directive.keyword != "else" and directive.shown is not None:
                directive.shown = b"#else" + blank(directive.shown[5:])
            self.open = True
        self.taken = value is True


def _as_opener(directive: Directive) -> bytes | None:
    """``#elif X`` whose earlier branches are dead, as ``#if   X``; an ``#elifdef`` likewise."""
    shown = directive.shown
    return (
        None
        if shown is None
        else shown.replace(b"elif", b"if  " if directive.keyword == "elif" else b"  if", 1)
    )
