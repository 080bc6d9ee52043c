"""Conditions decided for one call, in three values. A constant that cannot be known stays MAYBE, never NO."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from vmfdlint.ir import Address, Const, Flags, FuncRef, Opaque, Operand, Place, Root, Step, Text
from vmfdlint.models.compiled import Clause, Condition, Test
from vmfdlint.models.effects import MADE, REST, Port, Truth

Reader: TypeAlias = Callable[[Port], Operand | None]
"""What stands in a member of an argument (``arg 2 .flags``), where the caller's analysis knows it; None where
not.
"""
Maker: TypeAlias = Callable[[Operand], str]
"""The call that an argument came from (``arg 2 made``); "" where that is not known."""

_WORD = 0xFFFFFFFF
"""Arguments that conditions speak of are ints: ``-1`` and ``0xFFFFFFFF`` are the same one."""
_WORDS = 32
"""How many words of a command line are read."""


class Verdict(msgspec.Struct, frozen=True):
    """A condition decided. ``wants`` are the arguments that left it at MAYBE and that more knowledge would
    settle.
    """

    truth: Truth
    wants: tuple[int, ...] = ()


class Situation(msgspec.Struct, frozen=True):
    """One call as conditions see it. ``constants`` are the numbers the models know."""

    args: tuple[Operand, ...]
    constants: Mapping[str, int]
    read: Reader | None = None
    made: Maker | None = None


def decide(condition: Condition, at: Situation) -> Verdict:
    """NO if one clause is NO; else MAYBE if one is; else YES. The empty condition is YES."""
    wants: list[int] = []
    truth = Truth.YES
    for clause in condition:
        verdict = _decide_clause(clause, at)
        if verdict.truth is Truth.NO:
            return verdict
        if verdict.truth is Truth.MAYBE:
            truth = Truth.MAYBE
            wants.extend(verdict.wants)
    return Verdict(truth, tuple(wants))


def invert(truth: Truth) -> Truth:
    """YES and NO change places."""
    return {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.MAYBE: Truth.MAYBE}[truth]


def _truth(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _decide_clause(clause: Clause, at: Situation) -> Verdict:
    index = clause.port.arg
    assert index is not None  # the parser lets no condition speak of the result
    if not at.args:
        # Damaged code: a call of which only the name is known.
        return Verdict(Truth.MAYBE, (index,))
    if index >= len(at.args):
        # A variadic argument that was left out has no bit and no value.
        negative = clause.test in (Test.LACKS, Test.UNEQUAL)
        return Verdict(_truth(negative))
    given = at.args[index]
    operand: Operand | None = given
    if clause.port.fields == (REST,):
        operand = command_line(clause.port, at)
    elif clause.port.fields == (MADE,):
        made = at.made(given) if at.made is not None else ""
        return Verdict(_compare(clause, Text(made), at.constants) if made else Truth.MAYBE)
    elif clause.port.fields:
        if at.read is None:
            # Nothing a caller passes can settle this one, so it wants nothing.
            return Verdict(Truth.MAYBE)
        operand = at.read(clause.port)
    truth = Truth.MAYBE if operand is None else _compare(clause, operand, at.constants)
    return Verdict(truth, (index,) if truth is Truth.MAYBE else ())


def command_line(port: Port, at: Situation) -> Text | None:
    """The command line that a port names: a text, the arguments from there on (``arg 1 ..``) or the elements
    of an argument list (``arg 1 []``), up to a null pointer. A word that is not known reads ``%s``.
    """
    index = port.arg
    assert index is not None  # a command is never the result
    if index >= len(at.args):
        return None
    if not port.fields:
        operand = at.args[index]
        return operand if isinstance(operand, Text) else None
    words: list[str] = []
    for number in range(_WORDS):
        if port.fields == (REST,):
            word: Operand | None = at.args[index + number] if index + number < len(at.args) else None
        else:
            word = at.read(Port(index, (f"[{number}]",))) if at.read is not None else None
        if word is None or (isinstance(word, Const) and word.value == 0):
            break
        words.append(word.value if isinstance(word, Text) else "%s")
    return Text(" ".join(words)) if words else None


def _compare(clause: Clause, operand: Operand, constants: Mapping[str, int]) -> Truth:
    match clause.test:
        case Test.HAS:
            return _has(clause, operand, constants)
        case Test.LACKS:
            return invert(_has(clause, operand, constants))
        case Test.EQUAL:
            return _equal(clause, operand, constants)
        case Test.UNEQUAL:
            return invert(_equal(clause, operand, constants))
        case Test.AT_LEAST:
            return _at_least(clause, operand, constants)
        case Test.BELOW:
            return invert(_at_least(clause, operand, constants))
        case Test.SHARES:
            return _shares(clause, operand, constants)
        case Test.MATCHES:
            if isinstance(operand, Text):
                return _truth(re.fullmatch(clause.name, operand.value) is not None)
            return Truth.NO if isinstance(operand, Const) and operand.value == 0 else Truth.MAYBE
        case Test.IS:
            return _is(clause, operand)


def _family(name: str) -> str:
    """The header's name space a constant belongs to: ``O_CLOEXEC`` -> ``O``."""
    return name.partition("_")[0] if "_" in name else ""


def _known_bits(operand: Const, constants: Mapping[str, int]) -> int | None:
    """The number of a constant, read from the names it was written with where the front-end has none."""
    if operand.value is not None:
        return operand.value
    if not operand.names or any(name not in constants for name in operand.names):
        return None
    bits = 0
    for name in operand.names:
        bits |= constants[name]
    return bits


def _same_family(clause: Clause, operand: Const) -> bool:
    """All its names are other members of the same header family, so the absence of ours means something.

    An unknown ``O_XYZ`` is another flag of open(2); an unknown ``MY_FLAGS`` may contain anything.
    """
    family = _family(clause.name)
    return bool(family and operand.names) and all(_family(name) == family for name in operand.names)


def _has(clause: Clause, operand: Operand, constants: Mapping[str, int]) -> Truth:
    match operand:
        case Text(value=value):
            return _truth(clause.text and clause.name in value)
        case Const(names=names):
            if clause.name in names:
                return Truth.YES
            bits = _known_bits(operand, constants)
            if bits is not None and clause.number is not None:
                return _truth(clause.number != 0 and bits & clause.number == clause.number)
            return Truth.NO if _same_family(clause, operand) else Truth.MAYBE
        case Flags(on=on, off=off):
            if clause.name in on or _covers(on, clause, constants):
                return Truth.YES
            return Truth.NO if clause.name in off else Truth.MAYBE
        case Place() | Address() | FuncRef() | Opaque() | Step():
            return Truth.MAYBE


def _covers(names: tuple[str, ...], clause: Clause, constants: Mapping[str, int]) -> bool:
    """Whether one of ``names`` is another spelling of the bits that the clause asks for (MAP_ANON)."""
    wanted = clause.number
    return bool(wanted) and any(constants.get(name, 0) & (wanted or 0) == wanted for name in names)


def _shares(clause: Clause, operand: Operand, constants: Mapping[str, int]) -> Truth:
    wanted = clause.number or 0
    match operand:
        case Const():
            bits = _known_bits(operand, constants)
            return Truth.MAYBE if bits is None else _truth(bool(bits & wanted))
        case Flags(on=on):
            return Truth.YES if any(constants.get(name, 0) & wanted for name in on) else Truth.MAYBE
        case _:
            return Truth.MAYBE


def _equal(clause: Clause, operand: Operand, constants: Mapping[str, int]) -> Truth:
    match operand:
        case Const(names=names):
            if names == (clause.name,):
                return Truth.YES
            bits = _known_bits(operand, constants)
            if bits is not None and clause.number is not None:
                return _truth(bits & _WORD == clause.number & _WORD)
            return Truth.NO if _same_family(clause, operand) else Truth.MAYBE
        case Text(value=value):
            return _truth(clause.text and value == clause.name)
        case Address() | FuncRef():
            # An object or a function has an address, which is no small number.
            return Truth.NO if clause.number == 0 else Truth.MAYBE
        case Place() | Flags() | Opaque() | Step():
            return Truth.MAYBE


def _at_least(clause: Clause, operand: Operand, constants: Mapping[str, int]) -> Truth:
    if isinstance(operand, Const) and clause.number is not None:
        bits = _known_bits(operand, constants)
        if bits is not None:
            return _truth(bits & _WORD >= clause.number)
    return Truth.MAYBE


def _is(clause: Clause, operand: Operand) -> Truth:
    match operand:
        case Address(place=place):
            return _truth(place.name == clause.name and not place.fields)
        case Place(root=Root.GLOBAL | Root.THREAD, name=name, fields=()):
            return Truth.YES if name == clause.name else Truth.MAYBE
        case FuncRef(name=name):
            return _truth(name == clause.name)
        case Const(names=names):
            return _truth(clause.name in names)
        case Text():
            return Truth.NO
        case Place() | Flags() | Opaque() | Step():
            return Truth.MAYBE
