"""Transfer functions of calls that move values in memory: what holds the number of a reference afterwards.

In: a fact before the effect. Out: the fact after it.
"""

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import Address, Const, Operand
from vmfdlint.models import Own, Port
from vmfdlint.solve.boundary import crosses, rests
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.invocation import Invocation
from vmfdlint.solve.local import cells_like, forget, hold, told
from vmfdlint.solve.ports import copies_element, holds_whole, match_port, operand_of
from vmfdlint.solve.typestate import Life
from vmfdlint.solve.values import ZERO
from vmfdlint.summary import (
    ESCAPED,
    FIRST,
    RESULT,
    Flow,
    Path,
    Sharing,
    extended,
    given_path,
    inside_first,
    is_cell,
    is_global,
    is_inside,
    is_made,
    is_vague,
    meets,
    port_path,
    starts_with,
    step_name,
)


def filled(fact: Fact, at: Port, call: Invocation) -> Fact:
    """The fact where a collection gets something: it is not known to be empty any more."""
    path = port_path(at, call.args) if fact.env and call.flow.counts_references else None
    if path is None or not is_vague(path[-1:]):
        return fact
    env = tuple((known, value) for known, value in fact.env if (known, value) != (path[:-1], ZERO))
    return msgspec.structs.replace(fact, env=env)


def copy(fact: Fact, src: Port, at: Port, call: Invocation) -> Fact:
    """What ``src`` holds is held at ``at`` too. Which of several a message has first is not known."""
    received = fact.object is not None and fact.object.is_foreign
    if (received or copies_element(src, at, call)) and match_port(fact, src, call):
        path = port_path(at, call.args)
        if path and (received or not holds_whole(fact, path)):
            return told(hold(fact, path, _cell(path, call.flow)), path, call.flow)
    return fact


def copy_all(fact: Fact, src: Port, at: Port, call: Invocation) -> Fact:
    """What ``src`` and whatever lies below it holds is held at ``at`` too, below it in the same way. An
    element that nobody knows may be one that is known; a stale number is only where it is known to be."""
    source, target = port_path(src, call.args), port_path(at, call.args)
    if source is None or target is None:
        return fact
    if src.fields == ("*",):
        return _copy_memory(copy(fact, src, at, call), source, target)
    for held in fact.places:
        if starts_with(held, source) or (fact.is_open and meets(held[: len(source)], source)):
            rest = held[len(source) :]
            fact = hold(fact, (*target, *rest), None if rest else _cell(target, call.flow))
    return fact if source in fact.places else copy(fact, src, at, call)


def _copy_memory(fact: Fact, source: Path, target: Path) -> Fact:
    """The members of a structure are copied as they are: ``memcpy(to, from, sizeof(*to))``."""
    for held in fact.places:
        rest = held[len(source) :] if starts_with(held, source) else inside_first(held, source)
        if rest and rest[0].startswith(".") and "[" not in rest[0]:
            fact = hold(fact, extended(target, rest), None)
    return fact


def _cell(path: Path, flow: Flow) -> Path | None:
    """The cell of a path; of an element of a list that is a member, that of the member and the step."""
    cell = flow.cells.get(path)
    if cell is None and path[-1].startswith("->["):
        member = flow.cells.get(path[:-1])
        return (*member, path[-1]) if member is not None else None
    return cell


def own(fact: Fact, effect: Own, call: Invocation) -> Fact:
    """The object at ``at`` has the descriptor now."""
    after = copy(fact, effect.fd, effect.at, call)
    if not effect.owner or fact.object is None or not fact.is_open or not match_port(fact, effect.fd, call):
        return after
    return msgspec.structs.replace(after, object=msgspec.structs.replace(fact.object, self_closing=True))


def store(fact: Fact, at: Port, value: int, call: Invocation) -> Fact:
    """The place ``at`` was overwritten. What a caller finds there, an error that was set, is known: it tells
    him which way was taken, where that does something to the reference."""
    path = port_path(at, call.args)
    if not path:
        return fact
    fact = forget(fact, path, call.flow.cells.get(path))
    outward = path[0] in call.flow.params and path[-1] == FIRST
    told = outward and not fact.is_zero and fact.state.life is not Life.LOST and not rests(fact)
    return fact.knowing(path, Const(value)) if told else fact


def wipe(fact: Fact, at: Port, call: Invocation) -> Fact:
    """The stale number of a closed reference was overwritten with all else behind a pointer, and what was
    known to stand there."""
    operand = operand_of(at, call)
    path = given_path(operand) if operand is not None else None
    if path is None:
        return fact
    fact = unknown_behind(fact, operand, path)
    if fact.is_zero or fact.state.life is not Life.CLOSED:
        return fact
    for held in fact.places:
        if starts_with(held, path):
            fact = forget(fact, held)
    return fact


def unknown_behind(fact: Fact, operand: Operand | None, path: Path) -> Fact:
    """The fact without what it knows of the memory that an argument leads to; a pointer to it stays known."""
    if not fact.env:
        return fact
    known = None if isinstance(operand, Address) else fact.lookup(path)
    return fact.knowing(path, None).knowing(path, known)


def keep(fact: Fact, value: Port, call: Invocation) -> Fact:
    """A structure of the callee's own holds the reference: the value itself, or a number that it points to,
    or a copy of a structure; where objects live as long as something refers to them, also one that lies below
    the value."""
    path = port_path(value, call.args)
    below = {held for held in fact.places if starts_with(held, path)} if path is not None else set()
    if (below and call.flow.counts_references) or match_port(fact, value, call):
        return fact.with_places({*fact.places, ESCAPED})
    if path is not None and (*path, FIRST) in below:
        return fact.with_places({*fact.places, ESCAPED})
    members = {held for held in below if path is not None and is_inside(held, path)}
    return fact.with_places({*fact.places, *(call.flow.cell_at(held) or ESCAPED for held in members)})


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
    cells = {cell for held in inside for cell in _cells_of(held, fact, call.flow)}
    return fact.with_places(set(fact.places) - below - cells_like(fact, cells))


def _cells_of(path: Path, fact: Fact, flow: Flow) -> set[Path]:
    """The cells of a member; of an element of a global array, whose record nobody names here, those of
    members that are called the same."""
    cell = flow.cell_at(path)
    if cell is not None:
        return {cell}
    if not is_global(path) or not is_vague(path[:-1]):
        return set()
    return {held for held in fact.places if is_cell(held) and step_name(held[-1]) == step_name(path[-1])}


def drop(fact: Fact, path: Path | None, flow: Flow, sharing: Sharing, until: Span | None = None) -> Fact:
    """The variable at ``path`` lets go of its object: what is held below it goes, and the cells of that where
    no other variable holds the reference; made by the lowering, a variable counts for none. An object that
    was stored or given away may be reached in ways that are not followed, and stays; ``until``: by what
    stands no later than that.
    """
    if path is None or not fact.is_open:
        return fact
    below = {held for held in fact.places if starts_with(held, path)}
    if flow.origin(path) is not None:
        return _given_back(fact, path, below, flow, sharing)
    members = {held[-1] for held in below if len(held) > len(path)}
    others = set(fact.places) - below
    kept = {RESULT[0], *flow.params, *(returned[0] for returned in flow.returned)}
    numbers = {held for held in others if len(held) == 1 and not crosses(held)}
    holding = {held for held in others - numbers if crosses(held) or not is_made(held) or held[0] in kept}
    if path in below:
        others -= cells_like(fact, {cell} if (cell := _cell(path, flow)) is not None else set())
    if not members or not all(is_cell(held) for held in holding):
        return fact.with_places(others) if below else fact
    shared = len(path) == 1 and not is_global(path) and sharing.shared(flow, path[0], until)
    cells = {held for held in others if is_cell(held) and (shared or held[-1] not in members)}
    elsewhere = {ESCAPED} if shared and not cells else set()
    return fact.with_places(cells | elsewhere | {held for held in others if numbers and not is_cell(held)})


def _given_back(fact: Fact, path: Path, below: set[Path], flow: Flow, sharing: Sharing) -> Fact:
    """The fact after a variable let go of an object that something else has: what is ``below`` it is there.
    What is returned out of it is read before."""
    known = {origin for held in below if len(held) > 1 and (origin := flow.origin(held)) is not None}
    local = {origin[0] for origin in known if not is_global(origin) and origin[0] not in flow.params}
    known |= {ESCAPED} if any(sharing.shared(flow, name) for name in local) else set()
    read = below if any(starts_with(returned, path) for returned in flow.returned) else set()
    return fact.with_places({*(set(fact.places) - below), *known, *read})
