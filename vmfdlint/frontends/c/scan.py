"""The lexical pass over one file. In: bytes. Out: a Scan. Uses regular expressions alone, and never fails."""

import re

from vmfdlint.base import packed
from vmfdlint.frontends.c.includes import included
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.text import WORD, last_component, words
from vmfdlint.frontends.contract import Scan

_OPAQUE = re.compile(
    rb'"(?>(?:[^"\\\n]++|\\(?:\r\n|.))*)["\n]?'
    rb"|'(?:[^'\\\n]|\\.){0,12}+'"
    rb"|/(?:\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)(?:\*/|\Z)|/(?>(?:[^\n\\]++|\\(?:\r\n|.))*))"
    rb"|#(?>(?:[^\n\\/]++|\\(?:\r\n|.)|/\*.*?\*/|/)*)",
    re.S,
)
_COMMENT = re.compile(rb'("(?>(?:[^"\\\n]|\\.)*)")|/\*.*?(?:\*/|\Z)|//.*', re.S)
_PATH = re.compile(rb'"(/(?>(?:[^"\\\n]|\\.)*))"')
_STRING = re.compile(rb'"(?>(?:[^"\\\n]|\\.)*)"')
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+([A-Za-z_]\w*)")
_BRACE = re.compile(rb"[{}]")
_NO_BRACE = bytes(byte for byte in range(256) if byte not in b"{}")
_TAGS = tuple(
    # The word comes first, for what a pattern begins with is found fast.
    re.compile(word + rb"(?<!\w" + word + rb")\s+(?:\w+\s+)?([A-Za-z_]\w*)\s*\{")
    for word in (b"struct", b"union", b"enum")
)
_RECORD = re.compile(
    rb"\b(?:struct|union|enum)\b[^()=]*\Z|\b(?:struct|union|enum)\s+\w+\s*\([^()]*\)[^()=]*\Z"
)
_ENUM = re.compile(rb"enum\b(?<!\wenum)[^{};()]{0,200}\{([^{}]*)\}")
_ENUMERATOR = re.compile(rb"(?:\A|,)\s*([A-Za-z_]\w*)")
_ATTRIBUTE = re.compile(
    rb"\b(?:"
    + b"|".join(sorted(MACROS.attribute_calls))
    + rb")\s*(?:\((?>(?:[^()]++|\((?>(?:[^()]++|\([^()]*+\))*)\))*)\))"
)
_OLD_STYLE = re.compile(rb"\b([A-Za-z_]\w*)\s*\([\w\s,]+\)\s*(?:[\w\s*,\[\]]+;\s*)+\Z")
_INNERMOST = re.compile(rb"\([^()]*+\)")
_WORD = bytes(WORD)
_TRAILING_WORDS = re.compile(rb"(?:\s+[A-Za-z_]\w*)+\s*\Z")
_NAME_CALLED = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_POINTER_RESULT = re.compile(rb"\(\s*\*+\s*([A-Za-z_]\w*)\s*\(")
_POINTED = re.compile(rb"\(\s*\*+\s*(?:const\s+)?([A-Za-z_]\w*)")
_FUNCTION_TYPE = re.compile(rb"\(\s*\**\s*([A-Za-z_]\w*)\s*\)\s*\(")
_INITIALISER = re.compile(rb"=[^,]*+")
_INDEX = re.compile(rb"\[[^\]]*+\]?")
_BITS = re.compile(rb":[^,]*")
_TELLING = tuple(sorted(word.encode() for word, meaning in MACROS.meanings.items() if meaning == "noreturn"))
_TELLING_STRETCHES = tuple(
    word for word in _TELLING if not any(other in word for other in _TELLING if other != word)
)
_TOLD = re.compile(rb"(?<![A-Za-z0-9])(?:" + b"|".join(_TELLING) + rb")(?![A-Za-z0-9])")
_NESTING = 32
_BODY = 16_000
"""Bytes of a function's body that are passed over at once."""
_NOT_FUNCTIONS = frozenset(b"if while for switch return sizeof do else case defined".split())
_NOT_VARIABLES = frozenset(
    b"typedef return goto break continue case default using if else struct union enum".split()
)


def scan(data: bytes) -> Scan:
    """Names in a file and their roles, guessed without a parse. Pure and picklable; accepts any bytes.

    Variables take in what else a file says about values: the constants of an enum, and functions that it
    merely declares with an attribute that callers must know (noreturn); so an index finds these too.
    """
    directives: list[bytes] = []
    paths: set[bytes] = set()
    pieces: list[bytes] = []
    last = 0
    for match in _OPAQUE.finditer(data):
        start, end = match.span()
        first = data[start]
        pieces.append(data[last:start])
        last = end
        if first == 0x2F:
            pieces.append(b" ")
        elif first == 0x23:
            directives.append(data[start:end])
        elif first == 0x22:
            pieces.append(b'""')
            piece = data[start:end]
            if b"/" in piece:
                paths.add(last_component(piece[1:-1]))
                if piece[1] == 0x2F:
                    paths.add(piece[1:-1])
        else:
            pieces.append(b"0")
    pieces.append(data[last:])
    code = b"".join(pieces)
    lines = b"\n".join(directives)
    if b"/*" in lines or b"//" in lines:
        lines = _COMMENT.sub(lambda match: match.group(1) or b" ", lines)
    macros = _DEFINE.findall(lines)
    written = lines
    if b'"' in lines:
        paths.update(_PATH.findall(lines))
        paths.update(last_component(text[1:-1]) for text in _STRING.findall(lines) if b"/" in text)
        lines = _STRING.sub(b" ", lines)
    used = words(code)
    roles = _Roles(used)
    roles.read(code)
    told = words(lines)
    tokens = used | told | paths
    return Scan(
        tokens=packed(token for token in tokens if not 0x30 <= token[0] <= 0x39),
        functions=packed(roles.functions - {b""}),
        macros=packed(macros),
        types=packed(roles.types - {b""}),
        variables=packed(roles.variables - {b""}),
        includes=included(written, told) if b"include" in told else (),
    )


class _Roles:
    """Reads code without comments, strings and directives; what is inside braces is skipped but for tags."""

    def __init__(self, used: set[bytes]) -> None:
        """``used``: the words of the code."""
        self._casts = not used.isdisjoint(MACROS.casts)
        self._attributes = not used.isdisjoint(MACROS.attribute_calls)
        self._telling = False
        self.functions: set[bytes] = set()
        self.types: set[bytes] = set()
        self.variables: set[bytes] = set()

    def read(self, code: bytes) -> None:
        """Fill the three sets."""
        for tag in _TAGS:
            self.types.update(tag.findall(code))
        self._telling = any(stretch in code for stretch in _TELLING_STRETCHES)
        for body in _ENUM.findall(code):
            self.variables.update(_ENUMERATOR.findall(_nothing_nested(body)))
        for statement in self.flat(code).split(b";"):
            if statement.strip():
                self.statement(statement)

    def flat(self, code: bytes) -> bytes:
        """The text outside braces; a record or initialiser leaves ``{}``, a function's body a semicolon."""
        pieces: list[bytes] = []
        depth = 0
        start = 0
        brace = _BRACE.search(code)
        while brace:
            at = brace.start()
            after = at + 1
            # A brace in the first column ends everything: both branches of an #ifdef may open one.
            before = at - 1 if code[at - 1 : at] == b"\n" else at
            if code[at] == 0x7B:
                if depth == 0:
                    piece = code[start:before]
                    header = piece.rsplit(b";", 1)[-1]
                    if header.endswith(b'extern ""') or header.strip() == b'extern ""':
                        start = after
                        brace = _BRACE.search(code, after)
                        continue
                    outer = b"" if not pieces or pieces[-1][-1:] in b";" else pieces[-1]
                    pieces.append(piece)
                    pieces.append(self.opened(outer + header if header is piece else header, piece))
                    after = _inside(code, after)
                depth += 1
            elif depth:
                depth = 0 if before < at else depth - 1
                if depth == 0:
                    start = after
            else:
                pieces.append(code[start:before] + b";")
                start = after
            brace = _BRACE.search(code, after)
        if depth == 0:
            pieces.append(code[start:])
        return b"".join(pieces)

    def opened(self, header: bytes, piece: bytes) -> bytes:
        """What a brace after ``header`` leaves in the flat text; a function's name is noted."""
        if b"(" not in header:
            old = _OLD_STYLE.search(piece) if b"(" in piece and b"=" not in header else None
            if old and not header.strip():
                self.functions.add(old.group(1))
                return b";"
            return b"{}"
        header = self.bare(header)
        tagged = b"struct" in header or b"union" in header or b"enum" in header
        if b"=" in header and b"=" in _nothing_nested(header):
            return b"{}"
        if tagged and _RECORD.search(header.rstrip()):
            return b"{}"
        name = _function_name(header)
        if name and name not in _NOT_FUNCTIONS:
            self.functions.add(name)
        return b";"

    def bare(self, text: bytes) -> bytes:
        """A text without attributes that have arguments."""
        return _ATTRIBUTE.sub(b" ", text) if self._attributes else text

    def statement(self, text: bytes) -> None:
        """One statement at file level: a typedef, variables, or a prototype, which says nothing."""
        parts = text.split(None, 1)
        first = parts[0]
        original = text
        if b"(" in text:
            if self._casts:
                self.casts(text)
            text = self.bare(text)
        if first == b"typedef" or b"typedef " in text:
            self.typedef(text.rsplit(b"typedef", 1)[-1])
            return
        head = text.split(b"=", 1)[0]
        if b"(" in head:
            pointed = _POINTED.search(head)
            if pointed:
                self.variables.add(pointed.group(1))
                return
            if self._telling and b"=" not in text and _TOLD.search(original):
                self.variables.add(_function_name(self.bare(original)))
            text = text.rsplit(b")", 1)[-1] if b"=" not in text else head.rsplit(b")", 1)[-1]
            if not text.strip() or text.lstrip()[:1] in b"=,:":
                return
            text = b"9 " + text
        elif first in _NOT_VARIABLES and b"{}" not in head and len(head.split()) < 3:
            return
        self.names(text)

    def names(self, text: bytes) -> None:
        """Declarators separated by commas; the first has its type before it."""
        if b"(" in text:
            text = _nothing_nested(text)
        text = _INDEX.sub(b" ", _BITS.sub(b"", _INITIALISER.sub(b"", text))).replace(b"{}", b" 9 ")
        for place, piece in enumerate(text.split(b",")):
            if place == 0 and len(piece.replace(b"*", b" ").split()) < 2:
                return
            name = _last_name(piece)
            if name and name not in MACROS.attributes:
                self.variables.add(name)

    def typedef(self, text: bytes) -> None:
        """The names a typedef gives."""
        found = _FUNCTION_TYPE.search(text)
        if found:
            self.types.add(found.group(1))
            return
        text = _nothing_nested(text)
        for piece in _INDEX.sub(b" ", text).replace(b"{}", b" ").split(b","):
            name = _last_name(piece)
            if name in MACROS.attributes:
                name = _last_name(piece.rstrip()[: -len(name)])
            if name:
                self.types.add(name)

    def casts(self, text: bytes) -> None:
        """Names of functions that a macro of the object model declares."""
        for match in _NAME_CALLED.finditer(text):
            made = MACROS.casts.get(match.group(1), ())
            inside = text[match.end() :].split(b")", 1)[0].split(b",") if made else []
            self.functions.update(cast.named(inside) for cast in made if cast.fits(inside))


def _inside(code: bytes, start: int) -> int:
    """Where to look for the end of what a brace opened just before ``start``: at the next brace in the first
    column, where those between go in pairs."""
    end = code.find(b"\n}", start, start + _BODY)
    if end < 0:
        return start
    braces = code[start:end].translate(None, _NO_BRACE)
    while b"{}" in braces:
        braces = braces.replace(b"{}", b"")
    return start if b"}" in braces else end


def _nothing_nested(text: bytes) -> bytes:
    """The text without what stands in parentheses; nesting beyond any real code stays."""
    for _ in range(_NESTING):
        less = _INNERMOST.sub(b" ", text) if b"(" in text else text
        if less == text:
            break
        text = less
    return text


def _function_name(header: bytes) -> bytes:
    """The name before the last parameter list of a header; empty where there is none."""
    text = header.rstrip()
    if not text.endswith(b")"):
        text = _TRAILING_WORDS.sub(b"", text)
    for _ in range(8):
        if not text.endswith(b")"):
            return b""
        start = _opening(text)
        before = text[:start].rstrip()
        name = _last_name(before)
        if not name:
            # A function that returns a pointer to a function: int (*name(int a))(int)
            inner = _POINTER_RESULT.search(before)
            return inner.group(1) if inner else b""
        rest = before[: -len(name)].rstrip()
        if not rest.endswith(b")"):
            return name
        text = rest
    return b""


def _last_name(text: bytes) -> bytes:
    """The name that a text ends with, blanks after it aside; empty where it ends with something else."""
    text = text.rstrip()
    return text[len(text.rstrip(_WORD)) :].lstrip(b"0123456789")


def _opening(text: bytes) -> int:
    """Offset of the parenthesis that matches the last byte, 0 where none does."""
    depth = 0
    at = len(text)
    while at > 0:
        closed = text.rfind(b")", 0, at)
        opened = text.rfind(b"(", 0, at)
        if closed > opened:
            depth += 1
            at = closed
        elif opened >= 0:
            depth -= 1
            at = opened
            if depth == 0:
                return opened
        else:
            break
    return 0
