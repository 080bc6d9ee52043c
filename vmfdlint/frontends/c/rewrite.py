"""Rewriting of masked code, at equal length, into what the C grammar reads. In and out: a bytearray, in
place.

What stands for what afterwards (the original bytes at the same offset still tell):

* attribute words, with their arguments: blanks;
* ``g_autoptr(T) p``: ``T* p``; ``typeof(x)`` and list heads: one word with underscores for what is no word
character;
* a type as an argument: one word, ``struct T *`` is ``struct_T__`` and ``int`` is ``Int``;
* a loop macro with its arguments: ``while (arguments)``; a guard macro: blanks before its block;
* ``check(a, ==, b)``: ``check(a  ==  b)``; ``case a ... b``: ``case a || b``;
* ``register(x, y)`` at file level without a semicolon: the assignment ``register=x| y;``;
* the template of an asm statement: an empty string.
"""

import re
from collections.abc import Iterator

from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.mask import blank
from vmfdlint.frontends.c.text import WORD, ahead, arguments, back, closing, opening, uses, word_before, words

_OPERATORS = rb"==|!=|<=|>=|<<|>>|&&|\|\||[-<>+*/&|^%]"
_BETWEEN = re.compile(rb",(\s*(?:" + _OPERATORS + rb")\s*),")
_EDGE = re.compile(rb"(?:\(\s*(" + _OPERATORS + rb")\s*,)|(?:,\s*(" + _OPERATORS + rb")\s*\))")
_OPERATOR_LAST = re.compile(rb"[-<>+*/&|^%=]\s*+[,)]")
_OPERATOR_BYTES = frozenset(b"-<>+*/&|^%=!")
_RANGE = re.compile(rb"case\b(?<!\wcase)[^:;{}?#]*?(\.\.\.)")
_PARENS = rb"\((?>(?:[^()]++|\((?>(?:[^()]++|\((?>(?:[^()]++|\([^()]*+\))*)\))*)\))*)\)"
_BLOCK = re.compile(
    rb"\n[ \t]++(?!(?:if|for|while|switch)\b)([A-Za-z_]\w*+)[ \t]*+(" + _PARENS + rb")\s*+(?=\{)"
)
_REGISTER = rb"([A-Za-z_]\w*+)[ \t]*+(" + _PARENS + rb")[ \t\r]*+(?=\n|\Z)"
_PRIMITIVE = (
    rb"(?:void|char|short|int|long|float|double|signed|unsigned|bool|_Bool|u?int(?:8|16|32|64)_t|s?size_t|"
    rb"u?intptr_t|ptrdiff_t|char(?:16|32|64)_t)"
)
_TYPE = re.compile(
    rb"[(,]\s*+((?:(?:const|volatile)\s++)*(?:\w++(?=\s*+\*)|(?:struct|union|enum)\s++\w++|"
    + _PRIMITIVE
    + rb"\b(?>(?:\s++"
    + _PRIMITIVE
    + rb"\b)*))(?>(?:\s*+\*|\s*+\bconst\b)*))\s*+(?=[,)])"
)
_IS_PRIMITIVE = re.compile(_PRIMITIVE + rb"\Z")
_SIMPLE = re.compile(rb"\s*[A-Za-z_]\w*\s*\Z")
_NOT_WORD = re.compile(rb"[^\w]")
_NO_CALLEE = frozenset(
    b"sizeof typeof __typeof__ __typeof alignof _Alignof __alignof__ "
    b"return if while for switch case do else".split()
)
_STATEMENT = frozenset(b";{}):")
_UNKNOWN_ATTRIBUTE = (
    rb"(?>(?:(?:static|extern|inline)[ \t]+)*)(?!(?:struct|union|enum|const|typedef|return|else)\b)"
    rb"[a-z]\w*+[ \t*]+([A-Z][A-Z0-9_]++)[ \t]+\**\w++[ \t]*+\("
)
_CALL_AFTER_STRING = re.compile(rb'"\s*+([A-Za-z_]\w*+\([^()"\n]*+\))\s*+(?=["),;])')
_CALL_BEFORE_STRING = re.compile(rb'\([^()"\n]*+\)[ \t]*+(?=")')
_NAMES_BEFORE_STRING = re.compile(rb'[(,]\s*+((?:[A-Za-z_]\w*+\s++)+)(?=[A-Za-z_]\w*+\s*+")')
_QUOTED = re.compile(rb'"[^"\n]*+"?')
_ASM = frozenset((b"asm", b"__asm__", b"__asm"))


class _Lines:
    """Searches for a pattern at the starts of lines. A line feed before it as its first byte is found many
    times faster than ``^`` is."""

    def __init__(self, pattern: bytes) -> None:
        self._first = re.compile(pattern)
        self._others = re.compile(rb"\n" + pattern)

    def on(self, text: bytearray) -> Iterator[re.Match[bytes]]:
        """The matches in order; all groups count from 1, and group 0 may begin with the line feed."""
        first = self._first.match(text)
        if first:
            yield first
        yield from self._others.finditer(text, first.end() if first else 0)


_REGISTERS = _Lines(_REGISTER)
_UNKNOWN_ATTRIBUTES = _Lines(_UNKNOWN_ATTRIBUTE)


def rewrite(text: bytearray) -> None:
    """All rewritings, on masked text (see :func:`mask.mask`)."""
    present = words(text)
    _attributes(text, present)
    _types(text, present)
    _asm(text, present)
    _typed_arguments(text, present)
    _loops(text, present)
    _operators(text)
    _registrations(text)
    for match in _UNKNOWN_ATTRIBUTES.on(text):
        _hide(text, *match.span(1))


def _hide(text: bytearray, start: int, end: int) -> None:
    text[start:end] = blank(text[start:end])


def _attributes(text: bytearray, present: set[bytes]) -> None:
    for word in sorted(present & (MACROS.attribute_calls | MACROS.attributes)):
        for at in uses(text, word):
            opened = opening(text, at + len(word))
            closed = closing(text, opened) if opened >= 0 and word in MACROS.attribute_calls else -1
            if closed >= 0:
                _hide(text, at, closed + 1)
            elif word in MACROS.attributes:
                _hide(text, at, at + len(word))
    for word in sorted(present & MACROS.cleanup.keys()):
        for at in uses(text, word):
            _hide(text, at, at + len(word))


def _types(text: bytearray, present: set[bytes]) -> None:
    """Macros used as types, and macros that declare their first argument."""
    for word in sorted(present & (MACROS.type_pointer | MACROS.type_plain)):
        for at in uses(text, word):
            opened = opening(text, at + len(word))
            closed = closing(text, opened) if opened >= 0 else -1
            if closed >= 0:
                _hide(text, at, opened + 1)
                text[closed] = 0x2A if word in MACROS.type_pointer else 32
    for word in sorted(present & MACROS.type_opaque):
        for at in uses(text, word):
            opened = opening(text, at + len(word))
            closed = closing(text, opened) if opened >= 0 else -1
            if closed >= 0:
                _opaque_type(text, word, at, opened, closed)
    for word in sorted(present & MACROS.declaring):
        for at in uses(text, word):
            opened = opening(text, at + len(word))
            closed = closing(text, opened) if opened >= 0 else -1
            if closed >= 0:
                first = arguments(text, opened, closed)[0]
                text[opened] = 32
                _hide(text, first[1], closed + 1)


def _opaque_type(text: bytearray, word: bytes, at: int, opened: int, closed: int) -> None:
    pieces = arguments(text, opened, closed)
    first = bytes(text[pieces[0][0] : pieces[0][1]]).strip()
    inside = text[at : closed + 1]
    if word in MACROS.type_records and (first or len(pieces) > 1):
        if first and len(pieces) > 1:
            named = b"struct " + first
            text[at : closed + 1] = named + blank(inside)[len(named) :]
            return
    elif word in MACROS.type_records:
        return
    if b"\n" in inside:
        _hide(text, opened, closed + 1)
    else:
        text[at : closed + 1] = _NOT_WORD.sub(b"_", inside)


def _asm(text: bytearray, present: set[bytes]) -> None:
    """Templates made of pasted strings, and register names given to variables."""
    for word in sorted(present & _ASM):
        for at in uses(text, word):
            after = at + len(word)
            opened = opening(text, after)
            while opened < 0:
                # Qualifiers: asm volatile goto (...)
                start = ahead(text, after, after + 100)
                if start < 0 or text[start] not in WORD:
                    break
                after = start
                while after < len(text) and text[after] in WORD:
                    after += 1
                opened = opening(text, after)
            closed = closing(text, opened) if opened >= 0 else -1
            if closed < 0:
                continue
            last = back(text, at)
            if (
                last >= 0
                and (text[last] in WORD or text[last] == 0x29)
                and word_before(text, at) not in (b"else", b"do")
            ):
                following = ahead(text, closed + 1)
                if text[last] in WORD or (following >= 0 and text[following] == 0x3B and text[last] != 0x29):
                    _hide(text, at, closed + 1)
                    continue
            _asm_template(text, opened, closed)


def _asm_template(text: bytearray, opened: int, closed: int) -> None:
    """Blank the template and a clobber list made with macros; operands stay, for they read and write
    variables.
    """
    depth = 0
    colons: list[int] = []
    for position in range(opened + 1, closed):
        byte = text[position]
        depth += (byte == 0x28) - (byte == 0x29)
        if byte == 0x3A and depth == 0:
            colons.append(position)
    end = colons[0] if colons else closed
    if len(colons) > 2 and any(byte in WORD for byte in text[colons[2] : closed]):
        _hide(text, colons[2], closed)
    _hide(text, opened + 1, end)
    place = next((i for i in range(opened + 1, end - 1) if text[i] == 32 and text[i + 1] == 32), -1)
    if place >= 0:
        text[place : place + 2] = b'""'


def _as_word(text: bytearray, start: int, end: int) -> None:
    """Turn a type between two offsets into one word."""
    while start < end and text[start] in b" \t\r\n":
        start += 1
    while end > start and text[end - 1] in b" \t\r\n":
        end -= 1
    piece = bytes(text[start:end])
    if not piece or (_SIMPLE.match(piece) and not _IS_PRIMITIVE.match(piece)):
        return
    if b"\n" in piece:
        first = piece.split(b"\n", 1)[0]
        _hide(text, start + len(first), end)
        piece = first
    word = _NOT_WORD.sub(b"_", piece)
    text[start : start + len(word)] = word[:1].upper() + word[1:] if _IS_PRIMITIVE.match(word) else word


def _typed_arguments(text: bytearray, present: set[bytes]) -> None:
    for word in sorted(present & MACROS.typed.keys()):
        for at in uses(text, word):
            opened = opening(text, at + len(word))
            closed = closing(text, opened) if opened >= 0 else -1
            if closed < 0:
                continue
            pieces = arguments(text, opened, closed)
            for place in MACROS.typed[word]:
                if place < len(pieces):
                    _as_word(text, *pieces[place])
            if word == b"offsetof" and len(pieces) > 1 and not _SIMPLE.match(text[slice(*pieces[1])]):
                # The grammar's own offsetof takes one plain member; a call takes any expression.
                text[at] = 0x4F
    for match in _TYPE.finditer(text):
        if _is_argument(text, match.start()):
            _as_word(text, *match.span(1))


def _is_argument(text: bytearray, at: int) -> bool:
    """Whether the bracket or comma at ``at`` belongs to a call, not to a declarator or a cast."""
    depth = 0
    floor = max(0, at - 2000)
    while at >= floor:
        byte = text[at]
        if byte == 0x29:
            depth += 1
        elif byte == 0x28:
            if depth == 0:
                break
            depth -= 1
        elif byte in b";{}":
            return False
        at -= 1
    if at < floor:
        return False
    callee = word_before(text, at)
    if not callee or callee in _NO_CALLEE:
        return False
    start = back(text, at) + 1 - len(callee)
    before = back(text, start)
    if before < 0:
        return True
    return word_before(text, start) in (b"return", b"else") if text[before] in WORD else text[before] != 0x2A


def _statement_position(text: bytearray, at: int) -> bool:
    last = back(text, at)
    return last >= 0 and (text[last] in _STATEMENT or word_before(text, at) in (b"else", b"do"))


def _as_loop(text: bytearray, name: bytes, at: int, opened: int, closed: int) -> None:
    """Write ``while`` or ``if`` over a macro's name."""
    if MACROS.guard.fullmatch(name):
        _hide(text, at, closed + 1)
        return
    keyword = b"while" if len(name) >= 5 else b"if"
    if len(name) < 2:
        return
    text[at:opened] = keyword + blank(text[at:opened])[len(keyword) :]
    if ahead(text, opened + 1, closed) < 0:
        # No arguments: a condition is needed, and the name is the only thing known about it.
        text[at : closed + 1] = keyword + blank(text[at : closed + 1])[len(keyword) :]
        room = closed - at - len(keyword) - 1
        text[at + len(keyword)] = 0x28
        text[closed] = 0x29
        inner = name[: max(1, room)]
        text[at + len(keyword) + 1 : at + len(keyword) + 1 + len(inner)] = inner


def _loops(text: bytearray, present: set[bytes]) -> None:
    for match in list(_BLOCK.finditer(text)):
        name = match.group(1)
        if name not in _NO_CALLEE and _statement_position(text, match.start(1)):
            _as_loop(text, name, match.start(1), match.start(2), match.end(2) - 1)
    if b"OREACH" not in text and b"oreach" not in text and b"or_each" not in text and b"OR_EACH" not in text:
        return
    for name in sorted(word for word in present if MACROS.loop.fullmatch(word)):
        for at in uses(text, name):
            opened = opening(text, at + len(name))
            closed = closing(text, opened) if opened >= 0 else -1
            if closed < 0 or not _statement_position(text, at):
                continue
            following = ahead(text, closed + 1)
            if following >= 0 and (text[following] in WORD or text[following] in b"{(*+-&"):
                _as_loop(text, name, at, opened, closed)


def _operators(text: bytearray) -> None:
    if any(_alone(text, match.start()) for match in _OPERATOR_LAST.finditer(text)):
        for match in _BETWEEN.finditer(text):
            text[match.start()] = text[match.end() - 1] = 32
        for match in _EDGE.finditer(text):
            start, end = match.span(1) if match.group(1) else match.span(2)
            text[start:end] = b"_" * (end - start)
    if b'"' in text:
        _strings(text)
    if b"..." in text and b"case" in text:
        for match in _RANGE.finditer(text):
            text[match.start(1) : match.end(1)] = b"|| "


def _alone(text: bytearray, at: int) -> bool:
    """Whether the operator that ends at ``at`` may be all that an argument consists of."""
    while at >= 0 and text[at] in _OPERATOR_BYTES:
        at -= 1
    while at >= 0 and text[at] in b" \t\r\n\f\v":
        at -= 1
    return at >= 0 and text[at] in b"(,"


def _strings(text: bytearray) -> None:
    """Literals joined with macros: a call becomes one word, names before the last one are blank."""
    for match in _CALL_AFTER_STRING.finditer(text):
        text[match.start(1) : match.end(1)] = _NOT_WORD.sub(b"_", match.group(1))
    for match in _CALL_BEFORE_STRING.finditer(text):
        name = word_before(text, match.start())
        if name and name not in _NO_CALLEE:
            closed = text.rindex(b")", match.start(), match.end()) + 1
            text[match.start() : closed] = _NOT_WORD.sub(b"_", text[match.start() : closed])
    for quoted in _QUOTED.finditer(text):
        last = at = quoted.start() - 1
        while last >= 0 and text[last] in b" \t\r\n\f\v":
            last -= 1
        if last >= 0 and text[last] in WORD:
            before = max(text.rfind(b"(", 0, at + 1), text.rfind(b",", 0, at + 1))
            names = _NAMES_BEFORE_STRING.match(text, before) if before >= 0 else None
            if names:
                _hide(text, *names.span(1))


def _registrations(text: bytearray) -> None:
    for match in _REGISTERS.on(text):
        last = back(text, match.start(1))
        if last >= 0 and text[last] not in b";}":
            continue
        following = ahead(text, match.end())
        if following >= 0 and text[following] not in WORD and text[following] != 0x7D:
            continue
        opened, closed = match.start(2), match.end(2) - 1
        text[opened] = 0x3D if ahead(text, opened + 1, closed) >= 0 else 32
        text[closed] = 0x3B
        # At file level the grammar takes an assignment as a statement, but no comma expression.
        for _, end in arguments(text, opened, closed)[:-1]:
            text[end] = 0x7C
