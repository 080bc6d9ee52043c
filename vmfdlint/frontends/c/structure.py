"""Directives in places where the grammar knows none. In: masked text. Out: the same, with such directives
blank.

The grammar accepts a conditional around whole statements, members, enumerators and file-level declarations.
Elsewhere (inside an initialiser, an argument list, a chain of else, a function header) the directive lines
are taken out: all branches stay where they read as a list of elements, the first that is not empty otherwise.
"""

import re

import msgspec

from vmfdlint.frontends.c.mask import BRANCHES, OPENERS, Directive, Masked, blank
from vmfdlint.frontends.c.text import WORD, ahead, back

_TOKEN = re.compile(
    rb"(?>(?:[^(){}#]++|(\((?>(?:[^(){}#]*+\([^(){}#]*+\))*)[^(){}#]*+\)))*)([(){}#])",
)
"""The next bracket or directive. Parentheses around nothing of the kind but one more level of them are passed
over; the last such pair is the first group."""
_RECORD = re.compile(rb"\b(struct|union|enum)\b[^;{}()]*\Z")
_ELSE = re.compile(rb"else\b")
_ENDS = {"f": frozenset(b";{})"), "b": frozenset(b";{}:"), "s": frozenset(b";{}:"), "e": frozenset(b",{")}

# Deeper nesting of conditionals is not code that people wrote; each level is searched through once more.
_NESTING = 64


class _Branch(msgspec.Struct):
    """What follows one directive of a group. ``first``/``last``: its outermost code bytes, -1 where it is
    empty.
    """

    start: int
    end: int = 0
    first: int = -1
    last: int = -1
    depth: int = 0
    dipped: bool = False


class _Group(msgspec.Struct):
    """One conditional group while it is read, with the nesting at its start."""

    stack: list[str]
    before: int
    directives: list[Directive]
    branches: list[_Branch]
    after_first: list[str] | None = None
    floor: int = 0


class _Walk:
    """One pass over brackets and directives, keeping the kind of each open bracket.

    Kinds: ``f`` file, ``b`` block, ``s`` struct or union, ``e`` enum, ``i`` initialiser, ``p`` parentheses.
    """

    def __init__(self, masked: Masked) -> None:
        self.text = masked.text
        self.stack: list[str] = []
        self.groups: list[_Group] = []
        self.opened: list[int] = []
        self.closed = -1
        self.blanks: list[tuple[int, int]] = []

    @property
    def kind(self) -> str:
        return self.stack[-1] if self.stack else "f"

    def bracket(self, byte: int, at: int) -> None:
        """Take one of ``( ) { }`` at offset ``at``."""
        stack = self.stack
        if byte == 0x28:
            self.opened.append(at)
            stack.append("p")
        elif byte == 0x7B:
            stack.append(self.brace(at))
        elif byte == 0x29:
            if stack and stack[-1] == "p":
                stack.pop()
            if self.opened:
                self.closed = self.opened.pop()
        else:
            # A brace closes what it can: parentheses left open inside are damage that must not spread.
            while stack and stack.pop() == "p":
                pass
            if not stack:
                self.opened.clear()
        if self.groups and len(stack) < self.groups[-1].floor:
            self.groups[-1].branches[-1].dipped = True

    def brace(self, at: int) -> str:
        """The kind of the ``{`` at offset ``at``."""
        text = self.text
        last = back(text, at)
        outer = self.kind
        if last < 0:
            return "b"
        byte = text[last]
        if outer == "i":
            return "b" if byte == 0x28 else "i"
        if byte in b"=,[":
            return "i"
        if byte == 0x29:
            before = back(text, self.closed)
            if outer == "p":
                return "i" if before < 0 or text[before] not in WORD else "b"
            return "i" if before >= 0 and text[before] in b"=(,&|?:+-<>" else "b"
        if byte in WORD:
            found = _RECORD.search(text[max(0, last - 200) : last + 1])
            if found:
                return "e" if found.group(1) == b"enum" else "s"
        return "b"

    def open(self, directive: Directive) -> None:
        """#if, #ifdef, #ifndef."""
        group = _Group(
            list(self.stack), back(self.text, directive.start), [directive], [], None, len(self.stack)
        )
        group.branches.append(_Branch(directive.end))
        self.groups.append(group)

    def finish_branch(self, group: _Group, end: int) -> None:
        """Note where the current branch of a group ends and how its nesting differs from the start."""
        branch = group.branches[-1]
        branch.end = end
        branch.first = ahead(self.text, branch.start, end)
        if branch.first >= 0:
            branch.last = back(self.text, end)
            branch.depth = len(self.stack) - len(group.stack)
            if group.after_first is None:
                group.after_first = list(self.stack)

    def branch(self, directive: Directive) -> None:
        """#else, #elif."""
        group = self.groups[-1]
        self.finish_branch(group, directive.start)
        group.directives.append(directive)
        group.branches.append(_Branch(directive.end))
        self.stack = list(group.stack)

    def close(self, directive: Directive) -> None:
        """#endif: decide what becomes of the group."""
        group = self.groups.pop()
        self.finish_branch(group, directive.start)
        group.directives.append(directive)
        if self.breaks(group, directive.end):
            for each in group.directives:
                each.shown = None
            self.choose(group)
        self.stack = group.after_first if group.after_first is not None else list(group.stack)

    def breaks(self, group: _Group, end: int) -> bool:
        """Whether the grammar would stumble over this conditional."""
        text = self.text
        kind = group.stack[-1] if group.stack else "f"
        ends = _ENDS.get(kind)
        full = [branch for branch in group.branches if branch.first >= 0]
        if ends is None:
            return True
        if group.before >= 0 and text[group.before] not in ends:
            return bool(full) or kind in "es"
        follow = ahead(text, end, min(end + 400, len(text)))
        if any(branch.depth or branch.dipped or text[branch.last] not in ends for branch in full):
            return True
        if kind == "f":
            headers = any(text[branch.last] == 0x29 for branch in full)
            return headers and follow >= 0 and text[follow] == 0x7B
        if kind == "b":
            starts = [branch.first for branch in full] + ([follow] if follow >= 0 else [])
            return any(_ELSE.match(text, start) for start in starts)
        return False

    def choose(self, group: _Group) -> None:
        """Blank the branches that cannot stand side by side once the directives are gone."""
        full = [branch for branch in group.branches if branch.first >= 0]
        if len(full) < 2:
            return
        text = self.text
        elements = group.stack and group.stack[-1] in "ie"
        balanced = not any(branch.depth or branch.dipped for branch in full)
        if elements and balanced and all(text[b.last] == 0x2C for b in full):
            return
        if elements and balanced and all(text[b.first] == 0x2C for b in full):
            return
        self.blanks += [(branch.start, branch.end) for branch in full[1:]]


def mend_directives(masked: Masked) -> None:
    """Blank directives, and branches where needed, that stand where the grammar has no place for them."""
    text = masked.text
    directives = {
        directive.start: directive for directive in masked.directives if directive.shown is not None
    }
    if not directives:
        return
    walk = _Walk(masked)
    for match in _TOKEN.finditer(text, 0, max(directives) + 1):
        at = match.start(2)
        if match.start(1) >= 0:
            walk.closed = match.start(1)
        byte = text[at]
        if byte != 0x23:
            walk.bracket(byte, at)
            continue
        directive = directives.get(at)
        if directive is None:
            continue
        keyword = directive.keyword
        if keyword in OPENERS:
            if len(walk.groups) == _NESTING:
                break
            walk.open(directive)
        elif keyword in BRANCHES:
            if walk.groups:
                walk.branch(directive)
        elif keyword == "endif":
            if walk.groups:
                walk.close(directive)
        elif walk.kind in "ipe" or (walk.kind == "s" and keyword == "include"):
            directive.shown = None
        elif walk.stack:
            before = back(text, at)
            if before >= 0 and text[before] not in _ENDS["b"]:
                directive.shown = None
    for start, end in walk.blanks:
        text[start:end] = blank(text[start:end])
        for directive in masked.directives:
            if start <= directive.start < end:
                directive.shown = None
