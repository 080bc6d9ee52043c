"""Text -> Function. Syntax: :mod:`vmfdlint.ir.text`. A mistake raises ValueError with its line."""

import json
import re

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir.function import Block, Function, FunctionKey
from vmfdlint.ir.instrs import (
    Assign,
    Assume,
    Call,
    Indirect,
    Instr,
    Member,
    Named,
    Return,
    Target,
    Unparsed,
    Via,
)
from vmfdlint.ir.operands import (
    Address,
    Const,
    Field,
    Flags,
    FuncRef,
    Opaque,
    Operand,
    Place,
    Root,
    Step,
    Text,
)

_BLANK = re.compile(r"(?:\s|//.*)*")
_NAME = re.compile(r"'(?:[^'\\]|\\.)*'|[^\W\d][\w$%#]*|[%$][\w$%#]*")
_CALLEE = re.compile(r"'(?:[^'\\]|\\.)*'|[\w$%#.:<>]+")
_PATH = re.compile(r"'(?:[^'\\]|\\.)*'|[\w./+\- ]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_KEYWORD = re.compile(rf"(\*\*?|{_NAME.pattern})=(?!=)")
_STEP = re.compile(r"[+-]\d+")
_NUMBER = re.compile(r"-?\d+")
_ELEMENT = re.compile(r"\[-?\d*\]")
_SPAN = re.compile(r"@(?:\{(?P<path>'(?:[^'\\]|\\.)*'|[^}]*)\})?(\d+):(\d+)(?:-(\d+):(\d+))?")
_OPERATOR = re.compile(r"==|!=|<=|>=|!&|<|>|&")
_CALL = re.compile(r"[mi]?call\s+(?=[\w$%'.:@<])")
_HEADER = re.compile(r"\s*function\s+(?!=)")
_BLOCK = re.compile(r"b(\d+)\s*:")


def _unquote(token: str) -> str:
    if token.startswith("'"):
        text: str = json.loads('"' + token[1:-1] + '"')
        return text
    return token


class _Line:
    """A cursor over one line of the text."""

    def __init__(self, text: str, number: int, home: str, at: Span) -> None:
        self.text = text
        self.number = number
        self.home = home
        self.default = at
        self.position = 0
        self.skip()

    def error(self, expected: str) -> ValueError:
        where = f"line {self.number}, column {self.position + 1}"
        return ValueError(f"{where}: expected {expected}: {self.text.strip()}")

    def skip(self) -> None:
        found = _BLANK.match(self.text, self.position)
        if found:
            self.position = found.end()

    def ended(self) -> bool:
        self.skip()
        return self.position == len(self.text)

    def take(self, literal: str, skip: bool = True) -> bool:
        """Steps over ``literal`` if it stands here."""
        if not self.text.startswith(literal, self.position):
            return False
        self.position += len(literal)
        if skip:
            self.skip()
        return True

    def word(self, literal: str) -> bool:
        """Steps over a keyword if it stands here as a whole word that no ``=`` follows."""
        found = re.compile(rf"{literal}(?=\s|$)(?!\s*=(?!=))").match(self.text, self.position)
        if not found:
            return False
        self.position = found.end()
        self.skip()
        return True

    def need(self, literal: str) -> None:
        if not self.take(literal):
            raise self.error(f"'{literal}'")

    def match(self, pattern: re.Pattern[str], what: str, skip: bool = True) -> re.Match[str]:
        found = pattern.match(self.text, self.position)
        if found is None:
            raise self.error(what)
        self.position = found.end()
        if skip:
            self.skip()
        return found

    def name(self, skip: bool = True) -> str:
        return _unquote(self.match(_NAME, "a name", skip).group())

    def names(self) -> tuple[str, ...]:
        """``{A|B}``"""
        self.need("{")
        if self.take("}", skip=False):
            return ()
        found = [self.name()]
        while self.take("|"):
            found.append(self.name())
        if not self.take("}", skip=False):
            raise self.error("'}'")
        return tuple(found)

    def span(self) -> Span | None:
        """A span if one stands here."""
        found = _SPAN.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        self.skip()
        path = self.home if found["path"] is None else _unquote(found["path"])
        line, col = int(found[2]), int(found[3])
        if found[4] is None:
            return Span(path, line, col, line, col)
        return Span(path, line, col, int(found[4]), int(found[5]))

    def place(self) -> Place:
        root, unit = Root.LOCAL, ""
        if self.take("@@", skip=False):
            root, unit = Root.GLOBAL, self.home
        elif self.take("@{", skip=False):
            root, unit = Root.GLOBAL, _unquote(self.match(_PATH, "a path", skip=False).group())
            self.need("}")
        elif self.take("@", skip=False):
            root = Root.GLOBAL
        if root is Root.GLOBAL and self.take("~", skip=False):
            root = Root.THREAD
        name = self.name(skip=False)
        fields: list[Field] = []
        while (field := self.step()) is not None:
            fields.append(field)
        self.skip()
        return Place(root, name, tuple(fields), unit)

    def step(self) -> Field | None:
        """One ``->f<record>`` if it stands here."""
        deref = self.take("->", skip=False)
        dot = not deref and self.take(".", skip=False)
        if _ELEMENT.match(self.text, self.position):
            name = self.match(_ELEMENT, "an element", skip=False).group()
        elif not deref and not dot:
            return None
        elif self.take("*", skip=False):
            name = "*"
        else:
            name = self.name(skip=False)
        record = ""
        if self.take("<", skip=False):
            record = self.name(skip=False)
            if not self.take(">", skip=False):
                raise self.error("'>'")
        return Field(name, record, deref)

    def operand(self) -> Operand:
        if self.take("&"):
            return Address(self.place())
        if self.take("?", skip=False):
            if _STEP.match(self.text, self.position):
                return Step(int(self.match(_STEP, "a step").group()))
            why = _STRING.match(self.text, self.position)
            text = json.loads(self.match(_STRING, "a string").group()) if why else ""
            self.skip()
            return Opaque(text, self.place() if self.take("of ") else None)
        if self.take("fn:"):
            return FuncRef(_unquote(self.match(_CALLEE, "a function's name").group()))
        if _STRING.match(self.text, self.position):
            return Text(json.loads(self.match(_STRING, "a string").group()))
        number = _NUMBER.match(self.text, self.position)
        if number or self.text.startswith("{", self.position):
            value = int(self.match(_NUMBER, "a number", skip=False).group()) if number else None
            names = self.names() if self.text.startswith("{", self.position) else ()
            self.skip()
            return Const(value, names)
        place = self.place()
        bits = {"on": (), "off": ()} if self.text.startswith(("|{", "&~{"), self.position) else None
        if bits is None:
            return place
        on = self.names() if self.take("|", skip=False) else ()
        self.skip()
        off = self.names() if self.take("&~", skip=False) else ()
        self.skip()
        return Flags(place, on, off)

    def arguments(self) -> tuple[tuple[Operand, ...], tuple[str, ...]]:
        """The operands, and the names of the last ones."""
        self.need("(")
        found: list[Operand] = []
        keywords: list[str] = []
        while not self.take(")"):
            if found:
                self.need(",")
            keyword = _KEYWORD.match(self.text, self.position)
            if keyword:
                keywords.append(_unquote(keyword[1]))
                self.position = keyword.end()
            elif keywords:
                raise self.error("a keyword")
            found.append(self.operand())
        return tuple(found), tuple(keywords)

    def target(self) -> Target | None:
        """``call f``, ``mcall p->f`` or ``icall p`` if it stands here; ``call`` alone may be a local."""
        found = _CALL.match(self.text, self.position)
        if found is not None and _SPAN.match(self.text, found.end()):
            return None
        if found is None and not self.text.startswith("mcall['", self.position):
            return None
        if self.word("call"):
            return Named(_unquote(self.match(_CALLEE, "a function's name").group()))
        if self.word("icall"):
            return Indirect(self.place())
        explicit = self.take("mcall['", skip=False)
        if explicit:
            self.position -= 1
            record = self.name()
            self.need(",")
            field = self.name()
            self.need("]")
            return Member(record, field, self.place())
        if self.word("mcall"):
            base = self.place()
            if not base.fields:
                raise self.error("a member")
            return Member(base.fields[-1].record, base.fields[-1].name, base)
        return None

    def call(self, dst: Place | None, target: Target) -> Call:
        args, keywords = self.arguments()
        via = Via(self.name()) if self.take("via ") else Via()
        return Call(dst, target, args, self.default, via, keywords)

    def instr(self) -> Instr:
        """One instruction with its span, or at the line's default."""
        instr = self.bare_instr()
        at = self.span()
        if not self.ended():
            raise self.error("the end of the line")
        return instr if at is None else msgspec.structs.replace(instr, at=at)

    def bare_instr(self) -> Instr:
        if (target := self.target()) is not None:
            return self.call(None, target)
        if self.word("assume"):
            left = self.place()
            op = self.match(_OPERATOR, "a comparison").group()
            return Assume(left, op, self.operand(), self.default)
        if self.word("return"):
            bare = self.ended() or _SPAN.match(self.text, self.position) is not None
            return Return(None if bare else self.operand(), self.default)
        if self.word("unparsed"):
            names = self.names()
            self.skip()
            return Unparsed(names, self.default)
        dst = self.place()
        self.need("=")
        if (target := self.target()) is not None:
            return self.call(dst, target)
        return Assign(dst, self.operand(), self.default)


class _Draft:
    """A block while its lines are read."""

    def __init__(self, line: _Line) -> None:
        self.label = line.name() if line.take("label ") else ""
        self.unbounded = line.take("unbounded")
        self.instrs: list[Instr] = []
        self.successors: tuple[int, ...] = ()
        self.jump: Span | None = None

    def read(self, line: _Line) -> None:
        """An instruction or the line of successors."""
        if not line.take("->"):
            self.instrs.append(line.instr())
            return
        found: list[int] = []
        while not line.ended() and not line.text.startswith("goto", line.position):
            found.append(int(line.match(re.compile(r"b(\d+)"), "a block").group(1)))
            line.take(",")
        self.successors = tuple(found)
        if line.take("goto "):
            self.jump = line.span() or line.default

    def block(self) -> Block:
        return Block(tuple(self.instrs), self.successors, self.label, self.jump, self.unbounded)


def _header(line: _Line) -> tuple[FunctionKey, tuple[str, ...], Span | None]:
    line.need("function")
    rest = line.text[line.position :]
    path = ""
    named = re.match(r"('(?:[^'\\]|\\.)*'|[\w./+\- ]*)::", rest)
    if named:
        path = _unquote(named.group(1))
        line.position += named.end()
    name = _unquote(line.match(_CALLEE, "a function's name").group())
    line.home = path
    line.need("(")
    params: list[str] = []
    while not line.take(")"):
        params.append(line.name())
        line.take(",")
    return FunctionKey(path, name), tuple(params), line.span()


def _words(line: _Line) -> tuple[str, ...]:
    found: list[str] = []
    while not line.ended():
        found.append(line.name())
    return tuple(found)


def _parse(lines: list[tuple[int, str]]) -> Function:
    number, text = lines[0]
    last = lines[-1][0]
    key, params, at = _header(_Line(text, number, "", Span("", 1, 1, 1, 1)))
    attributes: tuple[str, ...] = ()
    types: list[tuple[str, str]] = []
    values: tuple[str, ...] = ()
    damaged = 0
    drafts: list[_Draft] = []
    for number, text in lines[1:]:
        line = _Line(text, number, key.path, Span(key.path, number, 1, number, 1))
        if line.ended():
            continue
        if (found := _BLOCK.match(line.text, line.position)) is not None:
            if int(found.group(1)) != len(drafts):
                raise line.error(f"block b{len(drafts)}")
            line.match(_BLOCK, "a block")
            drafts.append(_Draft(line))
        elif drafts:
            drafts[-1].read(line)
        elif line.word("attributes"):
            attributes = _words(line)
        elif line.word("type"):
            types.append((line.name(), line.name()))
        elif line.word("values"):
            values = _words(line)
        elif line.word("damaged"):
            damaged = int(line.match(_NUMBER, "a number").group())
        else:
            raise line.error("attributes, type, values, damaged or a block")
    blocks = tuple(draft.block() for draft in drafts)
    at = at or Span(key.path, lines[0][0], 1, last + 1, 1)
    return Function(key, params, blocks, at, attributes, tuple(types), values, damaged)


def parse_functions(text: str) -> tuple[Function, ...]:
    """Functions written one after the other; each starts with a line ``function ...``."""
    groups: list[list[tuple[int, str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if _HEADER.match(line):
            groups.append([])
        if groups:
            groups[-1].append((number, line))
        elif line.strip() and not line.lstrip().startswith("//"):
            raise ValueError(f"line {number}: expected 'function': {line.strip()}")
    return tuple(_parse(group) for group in groups)


def parse_function(text: str) -> Function:
    """The one function written in ``text``."""
    found = parse_functions(text)
    if len(found) != 1:
        raise ValueError(f"expected one function, found {len(found)}")
    return found[0]
