"""The lexical pass over one file. In: bytes. Out: a Scan. Uses regular expressions alone, and never fails."""

import re
import sys
from array import array
from zlib import crc32

from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.text import last_component, words
from vmfdlint.frontends.contract import Scan

_OPAQUE = re.compile(
    rb'"(?:[^"\\\n]|\\(?:\r\n|.))*+["\n]?'
    rb"|'(?:[^'\\\n]|\\.){0,12}+'"
    rb"|/\*.*?(?:\*/|\Z)"
    rb"|//(?:[^\n\\]|\\(?:\r\n|.))*+"
    rb"|#(?:[^\n\\/]++|\\(?:\r\n|.)|/\*.*?\*/|/)*+",
    re.S,
)
_COMMENT = re.compile(rb'("(?:[^"\\\n]|\\.)*+")|/\*.*?(?:\*/|\Z)|//.*', re.S)
_PATH = re.compile(rb'"(/(?:[^"\\\n]|\\.)*+)"')
_STRING = re.compile(rb'"(?:[^"\\\n]|\\.)*+"')
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+([A-Za-z_]\w*)")
_INCLUDE = re.compile(rb'#[ \t]*include[ \t]*["<]([^">\n]+)[">]')
_BRACE = re.compile(rb"\n?[{}]")
_TAG = re.compile(rb"\b(?:struct|union|enum)\s+(?:\w+\s+)?([A-Za-z_]\w*)\s*\{")
_RECORD = re.compile(
    rb"\b(?:struct|union|enum)\b[^()=]*\Z|\b(?:struct|union|enum)\s+\w+\s*\([^()]*\)[^()=]*\Z"
)
_ENUM = re.compile(rb"\benum\b[^{};()]{0,200}\{([^{}]*)\}")
_ENUMERATOR = re.compile(rb"(?:\A|,)\s*([A-Za-z_]\w*)")
_ATTRIBUTE = re.compile(
    rb"\b(?:"
    + b"|".join(sorted(MACROS.attribute_calls))
    + rb")\s*(?:\((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+\))"
)
_OLD_STYLE = re.compile(rb"\b([A-Za-z_]\w*)\s*\([\w\s,]+\)\s*(?:[\w\s*,\[\]]+;\s*)+\Z")
_INNERMOST = re.compile(rb"\([^()]*+\)")
_LAST_NAME = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_TRAILING_WORDS = re.compile(rb"(?:\s+[A-Za-z_]\w*)+\s*\Z")
_NAME_CALLED = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_POINTER_RESULT = re.compile(rb"\(\s*\*+\s*([A-Za-z_]\w*)\s*\(")
_POINTED = re.compile(rb"\(\s*\*+\s*(?:const\s+)?([A-Za-z_]\w*)")
_FUNCTION_TYPE = re.compile(rb"\(\s*\**\s*([A-Za-z_]\w*)\s*\)\s*\(")
_INITIALISER = re.compile(rb"=[^,]*+")
_INDEX = re.compile(rb"\[[^\]]*+\]?")
_BITS = re.compile(rb":[^,]*")
_TOLD = re.compile(
    rb"(?<![A-Za-z0-9])(?:"
    + "|".join(sorted(word for word, meaning in MACROS.meanings.items() if meaning == "noreturn")).encode()
    + rb")(?![A-Za-z0-9])"
)
_NESTING = 32
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

    def hide(match: re.Match[bytes]) -> bytes:
        piece = match.group()
        first = piece[0]
        if first == 0x23:
            directives.append(piece)
            return b""
        if first == 0x22:
            if piece[1:2] == b"/":
                paths.add(piece[1:-1])
            if b"/" in piece:
                paths.add(last_component(piece[1:-1]))
            return b'""'
        return b" " if first == 0x2F else b"0"

    code = _OPAQUE.sub(hide, data)
    lines = b"\n".join(directives)
    if b"/*" in lines or b"//" in lines:
        lines = _COMMENT.sub(lambda match: match.group(1) or b" ", lines)
    if b'"' in lines:
        paths.update(_PATH.findall(lines))
        paths.update(last_component(text[1:-1]) for text in _STRING.findall(lines) if b"/" in text)
        tokens = words(code) | words(_STRING.sub(b" ", lines))
    else:
        tokens = words(code) | words(lines)
    roles = _Roles()
    roles.read(code)
    return Scan(
        tokens=_packed(tokens | paths),
        functions=_sorted(roles.functions),
        macros=_sorted(_DEFINE.findall(lines)),
        types=_sorted(roles.types),
        variables=_sorted(roles.variables),
        includes=_includes(data),
    )


def _includes(data: bytes) -> tuple[str, ...]:
    """The names of what a file includes. The pattern begins with its one sure byte, for which it is fast to
    look; what stands before that in its line is asked afterwards."""
    return tuple(
        match[1].decode("utf-8", "replace")
        for match in _INCLUDE.finditer(data)
        if not data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip(b" \t")
    )


def _packed(tokens: set[bytes]) -> bytes:
    """CRC-32 of identifiers and paths, little-endian, ascending."""
    numbers = array("I", sorted({crc32(token) for token in tokens if not 0x30 <= token[0] <= 0x39}))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _sorted(names: list[bytes] | set[bytes]) -> tuple[str, ...]:
    return tuple(sorted({name.decode("ascii", "replace") for name in names if name}))


class _Roles:
    """Reads code without comments, strings and directives; what is inside braces is skipped but for tags."""

    def __init__(self) -> None:
        self.functions: set[bytes] = set()
        self.types: set[bytes] = set()
        self.variables: set[bytes] = set()

    def read(self, code: bytes) -> None:
        """Fill the three sets."""
        self.types.update(_TAG.findall(code))
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
        for match in _BRACE.finditer(code):
            brace = match.group()
            if brace[-1] == 0x7B:
                if depth == 0:
                    piece = code[start : match.start()]
                    header = piece.rsplit(b";", 1)[-1]
                    if header.endswith(b'extern ""') or header.strip() == b'extern ""':
                        start = match.end()
                        continue
                    if not pieces or pieces[-1][-1:] in b";":
                        before = b""
                    else:
                        before = pieces[-1]
                    pieces.append(piece)
                    pieces.append(self.opened(before + header if header is piece else header, piece))
                depth += 1
            elif depth:
                # A brace in the first column ends everything: both branches of an #ifdef may open one.
                depth = 0 if len(brace) == 2 else depth - 1
                if depth == 0:
                    start = match.end()
            else:
                pieces.append(code[start : match.start()] + b";")
                start = match.end()
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
        header = _ATTRIBUTE.sub(b" ", header)
        if b"=" in _nothing_nested(header) or _RECORD.search(header.rstrip()):
            return b"{}"
        name = _function_name(header)
        if name and name not in _NOT_FUNCTIONS:
            self.functions.add(name)
        return b";"

    def statement(self, text: bytes) -> None:
        """One statement at file level: a typedef, variables, or a prototype, which says nothing."""
        parts = text.split(None, 1)
        first = parts[0]
        original = text
        if b"(" in text:
            self.casts(text)
            text = _ATTRIBUTE.sub(b" ", text)
        if first == b"typedef" or b"typedef " in text:
            self.typedef(text.rsplit(b"typedef", 1)[-1])
            return
        head = text.split(b"=", 1)[0]
        if b"(" in head:
            pointed = _POINTED.search(head)
            if pointed:
                self.variables.add(pointed.group(1))
                return
            if b"=" not in text and _TOLD.search(original):
                self.variables.add(_function_name(_ATTRIBUTE.sub(b" ", original)))
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
            found = _LAST_NAME.search(piece)
            if found and found.group(1) not in MACROS.attributes:
                self.variables.add(found.group(1))

    def typedef(self, text: bytes) -> None:
        """The names a typedef gives."""
        found = _FUNCTION_TYPE.search(text)
        if found:
            self.types.add(found.group(1))
            return
        text = _nothing_nested(text)
        for piece in _INDEX.sub(b" ", text).replace(b"{}", b" ").split(b","):
            last = _LAST_NAME.search(piece)
            if last and last.group(1) in MACROS.attributes:
                last = _LAST_NAME.search(piece[: last.start()])
            if last:
                self.types.add(last.group(1))

    def casts(self, text: bytes) -> None:
        """Names of functions that a macro of the object model declares."""
        for match in _NAME_CALLED.finditer(text):
            places = MACROS.casts.get(match.group(1))
            if places:
                inside = text[match.end() :].split(b")", 1)[0].split(b",")
                if places[0] < len(inside):
                    self.functions.add(inside[places[0]].strip())


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
        found = _LAST_NAME.search(before)
        if not found:
            # A function that returns a pointer to a function: int (*name(int a))(int)
            inner = _POINTER_RESULT.search(before)
            return inner.group(1) if inner else b""
        rest = before[: found.start()].rstrip()
        if not rest.endswith(b")"):
            return found.group(1)
        text = rest
    return b""


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
