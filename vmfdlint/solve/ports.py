"""Ports of a modelled call against a fact: which path they name, and whether that holds the reference."""

import msgspec

from vmfdlint.ir import Address, Const, Operand, Place
from vmfdlint.models import Port
from vmfdlint.solve.facts import Fact, Match, match_path
from vmfdlint.solve.invocation import Invocation
from vmfdlint.summary import Path, path_of, port_path

_NUMBER = "@descriptor "


def number_at(port: Port | None, call: Invocation) -> Path | None:
    """The place that a descriptor's number is, where the program says which one: ``close(100)``."""
    given = operand_of(port, call)
    if port is None or port.fields or not isinstance(given, Const) or given.value is None:
        return None
    return (f"{_NUMBER}{given.value}",)


def is_number(path: Path) -> bool:
    """Whether a place is a descriptor's number itself, and no variable that has it."""
    return path[0].startswith(_NUMBER)


def match_port(fact: Fact, port: Port, call: Invocation) -> Match | None:
    """How the number in a port met the fact; None where it did not."""
    path = path_at(port, call) or number_at(port, call)
    if path is None:
        return None
    found = match_path(fact, path, cell_at(path, call))
    if found is None and path[-1] == ".[]":
        return match_path(fact, path[:-1], call.flow.cells.get(path[:-1]))  # one variable: an array of one
    return found


def cell_at(path: Path, call: Invocation) -> Path | None:
    """The cell of a path; of what a pointer leads to, or of an element of a list, where that has one."""
    cell = call.flow.cells.get(path)
    if cell is None and path[-1] in ("->[0]", "->[]"):
        pointer = call.flow.cells.get(path[:-1])
        return (*pointer, path[-1]) if pointer is not None else None
    return cell


def path_at(port: Port, call: Invocation) -> Path | None:
    """The path of a port; what a local pointer leads to by the address it is given once."""
    operand = operand_of(port, call)
    if port.fields and isinstance(operand, Place) and not operand.fields:
        target = call.flow.addresses.get(operand.name)
        if target is not None:
            return port_path(msgspec.structs.replace(port, arg=0), (Address(target),))
    return port_path(port, call.args)


def operand_of(port: Port | None, call: Invocation) -> Operand | None:
    """The argument that a port names."""
    return operand_at(port, call.args)


def operand_at(port: Port | None, args: tuple[Operand, ...]) -> Operand | None:
    """The one of some arguments that a port names."""
    return args[port.arg] if port is not None and port.arg is not None and port.arg < len(args) else None


def copies_element(src: Port, at: Port, call: Invocation) -> bool:
    """Whether a copy of elements that are not known is followed: from or to a message, whose elements are
    not told apart in any case. Of other arrays only the first element is."""
    if src.fields != ("[]",) and not src.is_keyed:
        return True
    given = (operand_of(src, call), operand_of(at, call))
    return any(isinstance(one, Address) and path_of(one.place)[-1].endswith("[]") for one in given)


def holds_whole(fact: Fact, path: Path) -> bool:
    """Whether an element that is not known may be the variable, or the first element, that holds it."""
    first = {path[:-1], (*path[:-1], "->[0]")}
    return path[-1].endswith("[]") and not first.isdisjoint(fact.places)
