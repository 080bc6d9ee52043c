"""Function -> text. The syntax is described in :mod:`vmfdlint.ir.text`."""

import json
import re
from typing import assert_never

from vmfdlint.base import Span
from vmfdlint.ir.function import Block, Function
from vmfdlint.ir.instrs import Assign, Assume, Call, Indirect, Instr, Member, Named, Return, Target, Unparsed
from vmfdlint.ir.operands import Address, Const, Flags, FuncRef, Opaque, Operand, Place, Root, Step, Text

PLAIN_NAME = re.compile(r"[^\W\d][\w$%#]*|[%$][\w$%#]*")
PLAIN_CALLEE = re.compile(r"[\w$%#.:<>]+")
PLAIN_PATH = re.compile(r"[\w./+\- ]*")
ELEMENT = re.compile(r"\[-?\d*\]")


def quote(text: str) -> str:
    """Any text -> a token in single quotes."""
    return "'" + json.dumps(text)[1:-1].replace("'", "\\u0027") + "'"


def _name(text: str) -> str:
    return text if PLAIN_NAME.fullmatch(text) else quote(text)


def _callee(text: str) -> str:
    return text if PLAIN_CALLEE.fullmatch(text) else quote(text)


def _path(text: str) -> str:
    return text if PLAIN_PATH.fullmatch(text) else quote(text)


def _span(at: Span, home: str) -> str:
    where = "" if at.path == home else "{" + _path(at.path) + "}"
    start = f"@{where}{at.line}:{at.col}"
    if (at.end_line, at.end_col) == (at.line, at.col):
        return start
    return f"{start}-{at.end_line}:{at.end_col}"


def _names(names: tuple[str, ...]) -> str:
    return "{" + "|".join(_name(name) for name in names) + "}"


def print_place(place: Place, home: str) -> str:
    """An access path as text; ``home`` is the path of the file that ``@@`` stands for."""
    prefix = ""
    if place.is_global:
        prefix = "@" if not place.unit else "@@" if place.unit == home else "@{" + _path(place.unit) + "}"
        prefix += "~" if place.root is Root.THREAD else ""
    parts = [prefix, _name(place.name)]
    for field in place.fields:
        element = ELEMENT.fullmatch(field.name)
        parts.append("->" if field.deref else "" if element else ".")
        parts.append(field.name if element or field.name == "*" else _name(field.name))
        if field.record:
            parts.append(f"<{_name(field.record)}>")
    return "".join(parts)


def print_operand(operand: Operand, home: str) -> str:
    """One operand as text."""
    match operand:
        case Place():
            return print_place(operand, home)
        case Const(value=value, names=names):
            return ("" if value is None else str(value)) + (_names(names) if names or value is None else "")
        case Text(value=text):
            return json.dumps(text)
        case Flags(base=base, on=on, off=off):
            bits = (f" |{_names(on)}" if on or not off else "") + (f" &~{_names(off)}" if off else "")
            return print_place(base, home) + bits
        case Address(place=place):
            return "&" + print_place(place, home)
        case FuncRef(name=name):
            return "fn:" + _callee(name)
        case Opaque(why=why, of=of):
            container = f" of {print_place(of, home)}" if of is not None else ""
            return "?" + (json.dumps(why) if why else "") + container
        case Step(by=by):
            return f"?{by:+}"
        case _:
            assert_never(operand)


def _target(target: Target, home: str) -> str:
    match target:
        case Named(name=name):
            return "call " + _callee(name)
        case Member(record=record, field=field, base=base):
            last = base.fields[-1] if base.fields else None
            exact = last is not None and (last.record, last.name) == (record, field)
            return f"mcall{'' if exact else f'[{quote(record)},{quote(field)}]'} {print_place(base, home)}"
        case Indirect(place=place):
            return "icall " + print_place(place, home)
        case _:
            assert_never(target)


def print_instr(instr: Instr, home: str) -> str:
    """One instruction as text, without its span."""
    match instr:
        case Assign(dst=dst, src=src):
            return f"{print_place(dst, home)} = {print_operand(src, home)}"
        case Call(dst=dst, target=target, args=args, via=via, keywords=keywords):
            result = "" if dst is None else f"{print_place(dst, home)} = "
            macro = f" via {_name(via.macro)}" if via.macro else ""
            names = ("",) * (len(args) - len(keywords)) + keywords
            listed = ", ".join(
                (f"{name if name[:1] == '*' else _name(name)}=" if name else "") + print_operand(arg, home)
                for name, arg in zip(names, args, strict=True)
            )
            return f"{result}{_target(target, home)}({listed}){macro}"
        case Assume(left=left, op=op, right=right):
            return f"assume {print_place(left, home)} {op} {print_operand(right, home)}"
        case Return(value=value):
            return "return" if value is None else f"return {print_operand(value, home)}"
        case Unparsed(names=names):
            return f"unparsed {_names(names)}"
        case _:
            assert_never(instr)


def _block(number: int, block: Block, home: str) -> list[str]:
    head = f"b{number}:"
    if block.label:
        head += f" label {_name(block.label)}"
    if block.unbounded:
        head += " unbounded"
    lines = [head]
    lines += [f"  {print_instr(instr, home)}  {_span(instr.at, home)}" for instr in block.instrs]
    if block.successors or block.jump is not None:
        arrow = "  -> " + ", ".join(f"b{index}" for index in block.successors)
        lines.append(arrow if block.jump is None else f"{arrow}  goto {_span(block.jump, home)}")
    return lines


def print_function(function: Function) -> str:
    """The whole function as text; :func:`vmfdlint.ir.parse_function` reads it back to an equal value."""
    home = function.key.path
    params = ", ".join(_name(param) for param in function.params)
    head = f"function {_path(home)}::{_callee(function.key.name)}({params})  {_span(function.at, home)}"
    lines = [head]
    if function.attributes:
        lines.append("  attributes " + " ".join(_name(word) for word in function.attributes))
    lines += [f"  type {_name(local)} {_name(record)}" for local, record in function.local_types]
    if function.values:
        lines.append("  values " + " ".join(_name(local) for local in function.values))
    if function.damaged:
        lines.append(f"  damaged {function.damaged}")
    for number, block in enumerate(function.blocks):
        lines += _block(number, block, home)
    return "\n".join(lines) + "\n"
