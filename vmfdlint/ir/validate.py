"""Well-formedness of a Function, so that no consumer needs to ask. Out: problems as text."""

from collections.abc import Iterator

from vmfdlint.base import Span
from vmfdlint.ir.function import Block, Function
from vmfdlint.ir.instrs import Assign, Assume, Call, Instr, Member, Return, Unparsed, places, reads
from vmfdlint.ir.operands import Const, Place, Root

OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&", "!&"})


def validate(function: Function) -> tuple[str, ...]:
    """What is wrong with a function, one line each."""
    return (*_head(function), *_edges(function), *_instructions(function))


def _head(function: Function) -> Iterator[str]:
    if not function.key.name:
        yield "the function has no name"
    if function.at.path != function.key.path:
        yield f"the function's span lies in {function.at.path}"
    if len(set(function.params)) != len(function.params):
        yield "a parameter occurs twice"
    locals_typed = [name for name, _ in function.local_types]
    if len(set(locals_typed)) != len(locals_typed):
        yield "a local has two types"
    if any(not record for _, record in function.local_types):
        yield "a local has an empty type"
    if len(set(function.values)) != len(function.values):
        yield "a value occurs twice"


def _edges(function: Function) -> Iterator[str]:
    count = len(function.blocks)
    if not count:
        yield "there is no entry block"
        return
    for number, block in enumerate(function.blocks):
        if any(not 0 <= index < count for index in block.successors):
            yield f"b{number}: a successor does not exist"
            return
        if len(set(block.successors)) != len(block.successors):
            yield f"b{number}: a successor occurs twice"
        if block.jump is not None and not block.successors:
            yield f"b{number}: a jump without a successor"
    seen = {0}
    stack = [0]
    while stack:
        for index in function.blocks[stack.pop()].successors:
            if index not in seen:
                seen.add(index)
                stack.append(index)
    yield from (f"b{number}: not reachable" for number in range(count) if number not in seen)


def _instructions(function: Function) -> Iterator[str]:
    for number, block in enumerate(function.blocks):
        yield from (f"b{number}: {text}" for text in _order(block))
        for instr in block.instrs:
            yield from (f"b{number}: {text}" for text in _instruction(instr))
            if not _inside(instr.at, function.at):
                yield f"b{number}: span {instr.at} lies outside the function"


def _order(block: Block) -> Iterator[str]:
    body = False
    for position, instr in enumerate(block.instrs):
        if not isinstance(instr, Assume):
            body = True
        elif body:
            yield "an assume after another instruction"
        if isinstance(instr, Return):
            if position != len(block.instrs) - 1:
                yield "an instruction after a return"
            if block.successors:
                yield "a successor after a return"


def _instruction(instr: Instr) -> Iterator[str]:
    if isinstance(instr, Assume) and instr.op not in OPERATORS:
        yield f"unknown comparison {instr.op}"
    if isinstance(instr, Unparsed) and list(instr.names) != sorted(set(instr.names)):
        yield "names of an unparsed stretch are not sorted"
    if isinstance(instr, Call) and isinstance(instr.target, Member) and not instr.target.base.fields:
        yield "a member call without a member"
    for operand in reads(instr):
        if isinstance(operand, Const) and list(operand.names) != sorted(set(operand.names)):
            yield "names of a constant are not sorted"
        for place in places(operand):
            yield from _place(place)
    if isinstance(instr, Assign | Call) and instr.dst is not None:
        yield from _place(instr.dst)


def _place(place: Place) -> Iterator[str]:
    if not place.name:
        yield "a place without a name"
    if place.root is Root.LOCAL and place.unit:
        yield f"local {place.name} has a unit"
    if any(not field.name for field in place.fields):
        yield f"{place.name}: a step without a name"


def _inside(inner: Span, outer: Span) -> bool:
    return (
        inner.path == outer.path
        and (outer.line, outer.col) <= (inner.line, inner.col)
        and (inner.line, inner.col) <= (inner.end_line, inner.end_col)
        and (inner.end_line, inner.end_col) <= (outer.end_line, outer.end_col)
    )
