"""The instructions: five, closed. A consumer matches all of them and ends in ``assert_never``."""

from typing import TypeAlias, assert_never

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir.operands import Address, Const, Flags, FuncRef, Opaque, Operand, Place, Step, Text


class Named(msgspec.Struct, frozen=True, tag=True):
    """A call by name: ``fork()``."""

    name: str


class Member(msgspec.Struct, frozen=True, tag=True):
    """A call through a member: ``acc->init_machine()`` has record ``AccelClass``, field ``init_machine``.

    ``base`` is the access path of the member itself, its last field is the one called.
    """

    record: str
    field: str
    base: Place


class Indirect(msgspec.Struct, frozen=True, tag=True):
    """A call through a variable that holds a function: a parameter ``func(opaque)``, an array element."""

    place: Place


Target: TypeAlias = Named | Member | Indirect


class Via(msgspec.Struct, frozen=True):
    """How an instruction came to be, beyond what stands in the source at its span."""

    macro: str = ""
    """Name of the macro whose expansion holds it; the span is then the macro's use."""


class Assign(msgspec.Struct, frozen=True, tag=True):
    """``dst = src``."""

    dst: Place
    src: Operand
    at: Span


class Call(msgspec.Struct, frozen=True, tag=True):
    """``dst = target(args)``; ``dst`` is None where the result is discarded.

    ``keywords`` are the names of the last arguments where the source names them; ``*`` and ``**`` stand for
    arguments that are taken out of a sequence or a mapping.
    """

    dst: Place | None
    target: Target
    args: tuple[Operand, ...]
    at: Span
    via: Via = Via()
    keywords: tuple[str, ...] = ()


class Assume(msgspec.Struct, frozen=True, tag=True):
    """Execution passes only where ``left op right`` holds. Stands at the start of a block, on the branch it
    guards.

    ``op`` is one of ``== != < <= > >= & !&``. A plain ``if (x)`` is ``x != 0``; ``x & BIT`` holds where they
    share a bit, ``x !& BIT`` where they share none. The condition of a short-circuit
    operator is split over blocks, so each Assume is one comparison.
    """

    left: Place
    op: str
    right: Operand
    at: Span


class Return(msgspec.Struct, frozen=True, tag=True):
    """Leaves the function. ``value`` is None for a plain return and for falling off the end."""

    value: Operand | None
    at: Span


class Unparsed(msgspec.Struct, frozen=True, tag=True):
    """A stretch the parser could not read, with the identifiers seen inside it, sorted.

    The solver treats it as a call with unknown arguments to each function among ``names`` and marks every
    finding that passes through it.
    """

    names: tuple[str, ...]
    at: Span


Instr: TypeAlias = Assign | Call | Assume | Return | Unparsed


def reads(instr: Instr) -> tuple[Operand, ...]:
    """The operands an instruction reads, in source order; the place a call goes through comes first."""
    match instr:
        case Assign(src=src):
            return (src,)
        case Call(target=target, args=args):
            match target:
                case Named():
                    return args
                case Member(base=base):
                    return (base, *args)
                case Indirect(place=place):
                    return (place, *args)
                case _:
                    assert_never(target)
        case Assume(left=left, right=right):
            return (left, right)
        case Return(value=value):
            return () if value is None else (value,)
        case Unparsed():
            return ()
        case _:
            assert_never(instr)


def places(operand: Operand) -> tuple[Place, ...]:
    """The access paths named in an operand."""
    match operand:
        case Place():
            return (operand,)
        case Flags(base=base):
            return (base,)
        case Address(place=place):
            return (place,)
        case Opaque(of=of):
            return () if of is None else (of,)
        case Const() | Text() | FuncRef() | Step():
            return ()
        case _:
            assert_never(operand)


def places_read(instr: Instr) -> tuple[Place, ...]:
    """The access paths that an instruction reads, in source order."""
    return tuple(place for operand in reads(instr) for place in places(operand))


def places_named(instr: Instr) -> tuple[Place, ...]:
    """The access paths that an instruction reads, and behind them the one that it puts its result into."""
    dst = instr.dst if isinstance(instr, Assign | Call) else None
    return places_read(instr) if dst is None else (*places_read(instr), dst)
