"""Transfer functions of the instructions that stay inside a function: assignment, guard, return."""

import msgspec

from vmfdlint.ir import Address, Assign, Assume, Const, Flags, FuncRef, Function, Operand, Place, Return, Text
from vmfdlint.models import Kind
from vmfdlint.solve import exceptions, texts
from vmfdlint.solve.boundary import crosses, marks_absence, rests, survives_return
from vmfdlint.solve.counts import number, stepped
from vmfdlint.solve.facts import Fact, match_path
from vmfdlint.solve.pointed import behind, pointing_there, unpointed
from vmfdlint.solve.typestate import Life
from vmfdlint.solve.values import (
    OTHER,
    POSITIVE,
    Value,
    implied,
    may_hold,
    narrow,
    says_none,
    signs,
    swapped,
)
from vmfdlint.summary import (
    COUNT,
    ESCAPED,
    EXCEPTION,
    KIND,
    OUTER,
    RESULT,
    Flow,
    Path,
    cell_of,
    extended,
    inside_first,
    is_cell,
    is_global,
    is_inside,
    is_temporary,
    is_vague,
    meets,
    path_of,
    same_cell,
    starts_with,
)


def evaluate(operand: Operand, fact: Fact) -> Operand:
    """An operand with what the fact knows of variables put in."""
    if isinstance(operand, Place):
        known = fact.lookup(path_of(operand))
        if isinstance(known, Const | Text | FuncRef | Flags) and known != OTHER:
            return known
    elif isinstance(operand, Flags):
        known = fact.lookup(path_of(operand.base))
        if isinstance(known, Flags):
            on = (set(known.on) - set(operand.off)) | set(operand.on)
            off = (set(known.off) - set(operand.on)) | set(operand.off)
            return Flags(known.base, tuple(sorted(on)), tuple(sorted(off)))
        if isinstance(known, Const):
            names = (set(known.names) | set(operand.on)) - set(operand.off)
            return Const(None, tuple(sorted(names)))
    return operand


def value_of(operand: Operand, fact: Fact) -> Value | None:
    """What is known of an operand's value."""
    match operand:
        case Const() | Text() | FuncRef():
            return operand
        case Address():
            return POSITIVE
        case Place():
            path = path_of(operand)
            if path in fact.places:
                return POSITIVE
            known = fact.lookup(path)
            return number(fact, operand) if known is None and fact.env else known
        case _:
            return None


def forget(fact: Fact, path: Path, cell: Path | None = None) -> Fact:
    """The fact after ``path`` was overwritten: it holds nothing any more, nor does what lies below it.

    A member overwritten through the same base also clears the record's cell; through another base only for a
    closed reference, whose stale number may be anywhere. A member of another object stays one, whatever is
    put in it.
    """
    if fact.is_zero:
        return fact.knowing(path, None)
    hit = any(starts_with(held, path) for held in fact.places)
    if hit and is_vague(path):
        hit = False
    kept = {held for held in fact.places if not starts_with(held, path)} if hit else set(fact.places)
    if cell is not None and (hit or fact.state.life is Life.CLOSED):
        kept = {held for held in kept if not (is_cell(held) and same_cell(held, cell))}
    if hit and fact.state.life is Life.CLOSED and len(path) > 1:
        # Another name of the object: what it held was the same number.
        kept = {held for held in kept if len(held) < 2 or held[-1] != path[-1]}
    if kept != set(fact.places):
        fact = fact.with_places(kept)
    return fact.knowing(path, OTHER if fact.lookup(path) == OTHER else None)


def hold(fact: Fact, path: Path, cell: Path | None) -> Fact:
    """The fact held by one more place, and by its cell."""
    places = {*fact.places, path}
    if cell is not None and fact.state.life is not Life.CLOSED:
        if cell in places and path not in fact.places:
            places.add(ESCAPED)  # a second object of the record: which one the cell means is not known
        places.add(cell)
    if fact.lookup(path) == OTHER:
        fact = fact.knowing(path, None)
    return fact.with_places(places)


def told(fact: Fact, path: Path, flow: Flow) -> Fact:
    """A fact that has just come to be held by ``path``, also by way of members that point there; of an
    element nobody knows which, that it is this one until the next is filled, where the function tests it."""
    if fact.is_open and flow.pointing:
        others = {
            alias
            for target, base in flow.pointing
            if starts_with(path, target) and not says_none(fact.lookup(base[:1]))
            if (alias := behind(path, target, base)) is not None
        }
        fact = fact.with_places(others.union(fact.places)) if others else fact
    fresh = path in fact.places and path in flow.tested and is_vague(path)
    return fact.knowing(path, POSITIVE) if fresh and not fact.is_zero and fact.is_open else fact


def assign(fact: Fact, instr: Assign, flow: Flow) -> Fact:
    """``dst = src``."""
    dst, cell = path_of(instr.dst), cell_of(instr.dst)
    if dst in (EXCEPTION, KIND):
        return exceptions.assigned(fact, dst, instr)
    copied: list[tuple[Path, Path | None]] = []
    if isinstance(instr.src, Place) and not fact.is_zero:
        src, src_cell = path_of(instr.src), cell_of(instr.src)
        copied = _copies(fact, src, src_cell, dst, cell)
    elif isinstance(instr.src, Address) and not fact.is_zero:
        copied = [(alias, None) for alias in pointing_there(fact, path_of(instr.src.place), dst)]
    value = _known(instr.src, fact)
    replaced = _cells_replaced(fact, instr, flow)
    fact = forget(unpointed(fact, dst, flow), dst, cell)
    if replaced:
        fact = fact.with_places({held for held in fact.places if held not in replaced})
    if fact.is_zero and isinstance(instr.src, Place):
        fact = texts.copied(fact, path_of(instr.src), dst)
    elif fact.is_zero and isinstance(instr.src, Address):
        fact = texts.aliased(fact, path_of(instr.src.place), dst)
    if isinstance(instr.src, Place) and copied:
        fact = _noted_too(fact, path_of(instr.src), dst)
    for path, its_cell in copied:
        fact = told(hold(fact, path, its_cell), path, flow)
    if value is not None and _remembers(fact, dst, value, flow):
        fact = fact.knowing(dst, value)
    return stepped(fact, instr) if fact.env else fact


def _noted_too(fact: Fact, src: Path, dst: Path) -> Fact:
    """What is known of the members of an object, by another name of it."""
    for path, value in fact.env:
        if len(path) > len(src) and starts_with(path, src):
            fact = fact.knowing((*dst, *path[len(src) :]), value)
    return fact


def _cells_replaced(fact: Fact, instr: Assign, flow: Flow) -> set[Path]:
    """The cells of the members that a reference had in a global structure that is overwritten as a whole. Its
    record is that of what is put there."""
    dst, src = path_of(instr.dst), instr.src
    if fact.is_zero or not is_global(dst) or is_vague(dst) or not isinstance(src, Place) or src.fields:
        return set()
    members = {held[len(dst) :] for held in fact.places if len(held) > len(dst) and starts_with(held, dst)}
    inside = (rest for rest in members if rest[0].startswith("."))
    cells = {cell for rest in inside if (cell := flow.cell_at((src.name, *rest))) is not None}
    return cells_like(fact, cells)


def cells_like(fact: Fact, cells: set[Path]) -> set[Path]:
    """The cells that hold the reference, of those that can be one of ``cells``."""
    return {held for held in fact.places if is_cell(held) and any(same_cell(held, cell) for cell in cells)}


def _remembers(fact: Fact, path: Path, value: Value, flow: Flow) -> bool:
    """Whether a value is worth knowing: it decides a branch; for the zero fact also texts and named
    constants."""
    if fact.is_zero:
        named = isinstance(value, Text) or (isinstance(value, Const) and bool(value.names))
        return named or (len(path) == 1 and path in flow.tested) or path in flow.returned_elements
    if path in flow.tested or path in flow.truths or path in flow.shown or flow.asks(path, value):
        return True
    if fact.in_child and len(path) > 1 and says_none(value):
        return True  # a child says what it has no more: "no thread", "no client"
    return marks_absence(fact, path, value) or (path in flow.selecting and _selects(value))


def _selects(value: Value) -> bool:
    return isinstance(value, Flags) or (isinstance(value, Const) and bool(value.names))


def _known(operand: Operand, fact: Fact) -> Value | None:
    if isinstance(operand, Place) and path_of(operand) in fact.places:
        return None
    if isinstance(operand, Flags):
        found = evaluate(operand, fact)
        return found if isinstance(found, Const | Flags) else None
    return value_of(operand, fact)


def _copies(
    fact: Fact, src: Path, src_cell: Path | None, dst: Path, cell: Path | None
) -> list[tuple[Path, Path | None]]:
    """What the destination of a copy holds of the reference: the number itself, or it lies below a
    pointer."""
    found: list[tuple[Path, Path | None]] = []
    if isinstance(fact.lookup(src), Const):
        src_cell = None  # the member is known to hold something else
    for held in fact.places:
        if meets(held[: len(src)], src):
            rest = held[len(src) :]
            if fact.state.life is Life.CLOSED and not starts_with(held, src):
                continue  # an element that is not known need not be the one that was closed
            found.append((extended(dst, rest), cell if not rest else None))
        elif (member := inside_first(held, src)) is not None:
            found.append((extended(dst, member), None))
        elif src_cell is not None and is_cell(held) and same_cell(held, src_cell):
            found.append((dst, cell))
    return found


def assume(fact: Fact, instr: Assume, flow: Flow, at: tuple[int, int]) -> Fact | None:
    """The fact on the branch that the guard ``at`` a place opens; None where it cannot be taken."""
    left = path_of(instr.left)
    right = instr.right
    if left in (EXCEPTION, KIND):
        return exceptions.assumed(fact, left, instr)
    held = _number_held(fact, instr.left) or _stands_for(fact, instr.left, flow, at)
    if held and is_vague(left) and fact.lookup(left) is None:
        return fact  # another element may be asked about
    right_value = value_of(right, fact)
    if isinstance(right, Place) and _number_held(fact, right):
        right_value = POSITIVE
    if held:
        if right_value is not None and not may_hold(_number(fact), instr.op, right_value):
            return None
        if isinstance(right, Place) and instr.op == "!=" and path_of(right) in fact.places:
            return None
        return fact
    known = fact.lookup(left)
    if known is None and fact.env:
        known = number(fact, instr.left)
    if known is None and isinstance(right, Place) and isinstance(right_value, Const):
        return fact
    if known is not None and right_value is not None:
        if not may_hold(known, instr.op, right_value):
            return None
        if isinstance(known, int) and isinstance(right_value, Const) and right_value.value is not None:
            narrowed = narrow(known, instr.op, right_value.value)
            return fact.knowing(left, narrowed) if narrowed != known else fact
        return fact
    if isinstance(right, Place) and isinstance(known, Const):
        other = fact.lookup(path_of(right))
        if other is not None and not may_hold(other, swapped(instr.op), known):
            return None
    if rests(fact) or (fact.state.life is Life.CLOSED and all(crosses(path) for path in fact.places)):
        return fact  # its story is one of order alone
    if left in flow.correlated and right_value is not None and (not fact.is_zero or left[0] in flow.params):
        learnt = implied(instr.op, right_value, flow.counts_references)
        if learnt is not None:
            return fact.knowing(left, learnt)
    return fact


def remembered(fact: Fact, flow: Flow, block: int) -> Fact:
    """The fact at a block's entry, without what it knows of variables that nothing reads from there on, and
    without the temporaries among its places that nothing reads, where another place holds it too."""
    live = flow.live[block]
    env = tuple(
        (path, value)
        for path, value in fact.env
        if path[0] in live or path[0] in flow.params or path[0].startswith(("@", "*", "%result", "%raised"))
    )
    if len(env) != len(fact.env):
        fact = msgspec.structs.replace(fact, env=env)
    places = tuple(path for path in fact.places if path[0] in live or not is_temporary(path))
    if places and len(places) != len(fact.places):
        fact = msgspec.structs.replace(fact, places=places)
    return fact


def remembering(fact: Fact, flow: Flow) -> Fact:
    """A VM that was closed, and whose stale number went too: its story goes on for that of its handles, in a
    language where a method closes one member and leaves the others."""
    vm = fact.object is not None and fact.object.kind is Kind.VM
    return fact.with_places({OUTER}) if vm and fact.is_gone and flow.counts_references else fact


def _number_held(fact: Fact, place: Place) -> bool:
    return not fact.is_zero and fact.state.life is not Life.LOST and path_of(place) in fact.places


def _stands_for(fact: Fact, place: Place, flow: Flow, at: tuple[int, int]) -> bool:
    """Whether a test of ``place`` is taken for one of the reference itself: it lies behind the tested
    pointer, or the place is a member that may be its own (``if (cpu->fd >= 0) close(cpu->fd)`` for any
    ``cpu``).

    Not where the function has put something of its own into that member, nor where its value is known.
    """
    if fact.is_zero or fact.state.life is Life.LOST:
        return False
    path = path_of(place)
    below = [held[len(path)] for held in fact.places if len(held) > len(path) and starts_with(held, path)]
    if any(step.startswith("->") for step in below):
        return True
    if flow.filled_before(path, at) or fact.lookup(path) is not None:
        return False
    return match_path(fact, path, cell_of(place)) is not None


def _number(fact: Fact) -> int:
    """The sign of a descriptor or mapping: never an error value; 0 is taken for "none" as real code does."""
    return POSITIVE


def leave_function(fact: Fact, instr: Return, flow: Flow, function: Function) -> Fact:
    """The fact at a return: what is returned becomes RESULT, what dies with the function is gone. It knows
    of EXCEPTION where the function ends by one.

    A reference that no place holds any more is still OPEN here and has no places; the caller of this decides
    that it is lost.
    """
    places: set[Path] = set()
    env_value: Value | None = None
    if instr.value is not None:
        if isinstance(instr.value, Place):
            path, cell = path_of(instr.value), cell_of(instr.value)
            for held in fact.places:
                if meets(held[: len(path)], path):
                    places.add((*RESULT, *held[len(path) :]))
                elif cell is not None and is_cell(held) and same_cell(held, cell):
                    places.add(RESULT)
        elif isinstance(instr.value, Address):
            places.update(pointing_there(fact, path_of(instr.value.place), RESULT))
        env_value = value_of(instr.value, fact)
        if isinstance(env_value, Const):
            env_value = env_value if fact.is_zero else signs(env_value)
    if not fact.is_zero:
        for held in fact.places:
            kept = (flow.origin(held) if len(held) > 1 else None) or held
            if survives_return(kept, flow, returned=False):
                places.add(kept)
        if places and all(is_cell(held) for held in places):
            # Only records of some kind would hold it, because a local one did: that one is gone.
            dying = [held for held in fact.places if held[0] in flow.function.values]
            gone = [cell for held in dying if (cell := flow.cell_at(held)) is not None]
            places = {held for held in places if not any(same_cell(held, cell) for cell in gone)}
    env = tuple(
        (path, value)
        for path, value in fact.env
        if path[0] in flow.params or path[0].startswith(("@", COUNT))
    )
    if isinstance(instr.value, Place) and not fact.is_zero and fact.env:
        env = (*env, *_noted_in(fact, path_of(instr.value), flow))
    ending = exceptions.ending(fact)
    fact = msgspec.structs.replace(fact, env=env).with_places(places)
    if env_value is not None:
        fact = fact.knowing(RESULT, env_value)
    return fact.knowing(EXCEPTION, ending) if ending is not None else fact


def _noted_in(fact: Fact, given: Path, flow: Flow) -> list[tuple[Path, Value]]:
    """What is known of the members of a structure that is returned, of the elements of a tuple."""
    return [
        ((*RESULT, *path[len(given) :]), value)
        for path, value in fact.env
        if is_inside(path, given) or (path in flow.returned_elements and starts_with(path, given))
    ]
