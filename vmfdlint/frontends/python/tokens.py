"""The names that stand in a bound function's IR, for those who ask which functions mention one."""

from collections.abc import Callable, Iterator

from vmfdlint.ir import (
    Assign,
    Call,
    Const,
    Flags,
    FuncRef,
    Function,
    FunctionKey,
    Indirect,
    Instr,
    Member,
    Named,
    Operand,
    Place,
    Text,
    Unparsed,
    places,
    reads,
)


def tokens_of(function: Function, resolve: Callable[[str], tuple[FunctionKey, ...]]) -> set[str]:
    """Names of calls and functions (a project function's own name too), constants, members, variables; texts;
    numbers in decimal."""
    return {token for instr in function.instrs for token in _of_instr(instr, resolve)}


def _of_instr(instr: Instr, resolve: Callable[[str], tuple[FunctionKey, ...]]) -> Iterator[str]:
    match instr:
        case Call(target=Named(name=name)):
            yield from _of_name(name, resolve)
        case Call(target=Member(field=field)):
            yield field
        case Call(target=Indirect(place=place)):
            yield from _of_place(place)
        case Unparsed(names=names):
            yield from names
        case _:
            pass
    for operand in reads(instr):
        yield from _of_operand(operand, resolve)
    if isinstance(instr, Assign | Call) and instr.dst is not None:
        yield from _of_place(instr.dst)
    if isinstance(instr, Call):
        yield from instr.keywords


def _of_name(name: str, resolve: Callable[[str], tuple[FunctionKey, ...]]) -> Iterator[str]:
    yield from name.split("|")
    yield from (key.name for key in resolve(name))


def _of_operand(operand: Operand, resolve: Callable[[str], tuple[FunctionKey, ...]]) -> Iterator[str]:
    match operand:
        case Const(value=value, names=names):
            yield from names
            if value is not None:
                yield from (str(value), str(value & 0xFFFF))  # a request with its size bits, and without
        case Text(value=text):
            yield text
        case FuncRef(name=name):
            yield from _of_name(name, resolve)
        case Flags(on=on, off=off):
            yield from (*on, *off)
        case _:
            pass
    for place in places(operand):
        yield from _of_place(place)


def _of_place(place: Place) -> Iterator[str]:
    if not place.name.startswith("%"):
        yield place.name
    if place.is_global:
        yield place.name.rpartition(".")[2]  # a captured variable is known by its own name
    yield from (step.name for step in place.fields)
