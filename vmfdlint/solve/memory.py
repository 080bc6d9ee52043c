"""Transfer functions of calls that move values in memory: what holds the number of a reference afterwards.

In: a fact before the effect. Out: the fact after it.
"""

from vmfdlint.models import Port
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.invocation import Invocation
from vmfdlint.solve.local import forget, hold
from vmfdlint.solve.ports import copies_element, holds_whole, match_port
from vmfdlint.summary import ESCAPED, is_cell, port_path, same_cell, starts_with


def copy(fact: Fact, src: Port, at: Port, call: Invocation) -> Fact:
    """What ``src`` holds is held at ``at`` too."""
    if copies_element(src, at, call) and match_port(fact, src, call):
        path = port_path(at, call.args)
        if path and not holds_whole(fact, path):
            return hold(fact, path, call.flow.cells.get(path))
    return fact


def store(fact: Fact, at: Port, call: Invocation) -> Fact:
    """The place ``at`` was overwritten."""
    path = port_path(at, call.args)
    return forget(fact, path, call.flow.cells.get(path)) if path else fact


def keep(fact: Fact, value: Port, call: Invocation) -> Fact:
    """A structure of the callee's own holds the reference."""
    return fact.with_places({*fact.places, ESCAPED}) if match_port(fact, value, call) else fact


def free(fact: Fact, pointer: Port, call: Invocation) -> Fact:
    """The memory behind ``pointer`` is gone, and what was held only there is lost."""
    path = port_path(pointer, call.args)
    if path is None or not fact.is_open:
        return fact
    below = {held for held in fact.places if len(held) > len(path) and starts_with(held, path)}
    if not below:
        return fact
    # A further pointer leads out of the memory that goes: what it points to may be reached in other ways.
    inside = [held for held in below if not any(step.startswith("->") for step in held[len(path) + 1 :])]
    cells = {cell for held in inside if (cell := call.flow.cell_at(held)) is not None}
    kept = {
        held
        for held in fact.places
        if held not in below and not (is_cell(held) and any(same_cell(held, cell) for cell in cells))
    }
    return fact.with_places(kept)
