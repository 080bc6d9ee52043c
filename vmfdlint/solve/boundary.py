"""How a fact crosses a call: what of it the callee can name, and what it is called again after the return."""

import msgspec

from vmfdlint.ir import Address, Const, FuncRef, Operand, Place, Text
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.typestate import Life
from vmfdlint.solve.values import OTHER, POSITIVE, Value, says_none, signs
from vmfdlint.summary import (
    COUNT,
    ESCAPED,
    FIRST,
    KIND,
    OUTER,
    RESULT,
    Flow,
    Path,
    extended,
    from_address,
    is_cell,
    is_global,
    is_per_thread,
    is_temporary,
    is_vague,
    meets,
    operand_path,
    path_of,
    starts_with,
    step_name,
    variable,
)


def crosses(path: Path) -> bool:
    """Whether a path means the same in every function."""
    return is_global(path) or is_cell(path) or path in (OUTER, ESCAPED)


def outlasts(fact: Fact) -> bool:
    """Whether only structures and globals hold an open reference: it is there in whatever runs next."""
    return fact.object is not None and fact.is_open and all(crosses(path) for path in fact.places)


def rests(fact: Fact) -> bool:
    """Whether that is so in the creating process: the reference's story is one of order alone."""
    return outlasts(fact) and not fact.in_child


def given_names(path: Path, args: tuple[Operand, ...], callee: Flow) -> list[Path]:
    """The names that a path has in the callee by way of values that are passed, also where it is named the
    same everywhere."""
    found: list[Path] = []
    for name, operand in zip(callee.params, args, strict=False):
        base = operand_path(operand)
        if base is not None and meets(path[: len(base)], base):
            found.append((name, *path[len(base) :]))
    return found


def names_inside(path: Path, args: tuple[Operand, ...], callee: Flow) -> list[Path]:
    """The names a caller's path has in the callee."""
    if crosses(path):
        return [path] if path != OUTER else []
    return [*given_names(path, args, callee), *_pointed_names(path, args, callee)]


def _pointed_names(path: Path, args: tuple[Operand, ...], callee: Flow) -> list[Path]:
    """The names that a path has in the callee by way of addresses that are passed."""
    found: list[Path] = []
    for name, operand in zip(callee.params, args, strict=False):
        if isinstance(operand, Address):
            base = path_of(operand.place)
            if starts_with(path, base):
                # Of the address of a pointer the callee reaches what is behind that by one step more.
                found.append(extended((name, FIRST), path[len(base) :]))
    return found


def in_new_thread(fact: Fact) -> Fact:
    """The fact as a thread that starts sees it: the variables of its creator's thread are not its own."""
    return fact.with_places({OUTER if is_per_thread(path) else path for path in fact.places})


def ended_thread(fact: Fact) -> Fact:
    """The fact behind the end of a thread, whose own variables are gone."""
    return fact.with_places({path for path in fact.places if not is_per_thread(path)})


def enter(
    fact: Fact,
    args: tuple[Operand, ...],
    callee: Flow,
    made: frozenset[str] = frozenset(),
    asked: frozenset[str] = frozenset(),
    emptied: frozenset[str] = frozenset(),
) -> Fact:
    """The fact at the callee's entry. Places it cannot name become OUTER. ``made``: the variables of the
    caller that have an object each which was made for them. ``asked``: what others ask, below the callee.
    ``emptied``: the parameters out of which the callee takes elements."""
    places: set[Path] = set()
    hidden = False
    for path in fact.places:
        inside = names_inside(path, args, callee)
        if len(inside) > 1:
            # What the callee writes through one name is gone under the other one too.
            inside = [name for name in inside if name in callee.written] or inside
        if is_global(path):
            given = [*given_names(path, args, callee), *_pointed_names(path, args, callee)]
            taken = [name for name in given if name in callee.written or name[0] in emptied]
            inside = taken or [*inside, *given]
        places.update(inside)
        own = not crosses(path) and not is_temporary(path)
        hidden = hidden or path == OUTER or (own and _stays(path, inside, args, fact))
    if hidden or (not places and not fact.is_zero and fact.state.life is Life.OPEN):
        places.add(OUTER)
    env = _env_into(fact, args, callee, asked)
    others = _other_objects(fact, args, callee, made)
    if others:
        env = tuple(sorted((dict(env) | others).items(), key=lambda item: item[0]))
    return msgspec.structs.replace(fact.with_places(places), env=env)


def _other_objects(
    fact: Fact, args: tuple[Operand, ...], callee: Flow, made: frozenset[str]
) -> dict[Path, Value]:
    """Members of other objects that the callee gets a pointer to, where a local structure holds the reference
    or one that the caller made, for a local or for a global: what their record's cell would take for it is
    another number. So it is with what a child made itself, of a reference that came to it from outside, or
    that it knows by another name."""
    named = [path for path in fact.places if len(path) > 1 and not is_cell(path)]
    owners = {
        variable(path)
        for path in named
        if variable(path) in made or (not is_global(path) and path[1].startswith("."))
    }
    if not owners and not (fact.in_child and (named or OUTER in fact.places)):
        return {}
    cells = [path for path in fact.places if is_cell(path)]
    return {
        (name, *cell[1:]): OTHER
        for name, operand in zip(callee.params, args, strict=False)
        if _is_other(operand, owners, made)
        for cell in cells
    }


def _is_other(operand: Operand, owners: set[str], made: frozenset[str]) -> bool:
    """Whether an operand points to an object that none of ``owners`` is or points to."""
    if isinstance(operand, Place):
        return not operand.fields and operand.name in made and operand.name not in owners
    if not isinstance(operand, Address) or operand.place.name in owners:
        return False
    return not any(field.deref for field in operand.place.fields)


def _by_value(inside: list[Path]) -> bool:
    """Whether a callee has copies: of a number, or of a structure with it."""
    return all(len(path) == 1 or path[1].startswith(".") for path in inside)


def _stays(path: Path, inside: list[Path], args: tuple[Operand, ...], fact: Fact) -> bool:
    """Whether a place of the caller holds what it does whatever the callee writes to its names for it: it has
    but copies, or the address of an element that may be another one (``init(&cpus[i])``). What is closed is
    that of the very element."""
    if _by_value(inside) or fact.state.life is Life.CLOSED:
        return _by_value(inside)
    given = (path_of(one.place) for one in args if isinstance(one, Address))
    return any(starts_with(path, base) and is_vague(base) for base in given)


def marks_absence(fact: Fact, path: Path, value: Value) -> bool:
    """Whether a global was set to nothing since a reference was closed: the way a program notes that there is
    no machine any more, whoever asks later."""
    closed = fact.object is not None and fact.state.life is Life.CLOSED
    return closed and is_global(path) and says_none(value)


def beside(fact: Fact, path: Path) -> bool:
    """Whether a member belongs to an object that has the number of a closed reference: what the program
    notes down there ("closed") keeps it from what it did before."""
    closed = fact.object is not None and fact.state.life is Life.CLOSED
    return closed and len(path) > 1 and any(held[:-1] == path[:-1] for held in fact.places)


def decides_later(fact: Fact, path: Path, asked: frozenset[str]) -> bool:
    """Whether what is known at a path is ``asked`` by who releases the reference: a global, or a member of
    the object that has it."""
    if fact.is_zero or fact.state.life is Life.LOST or is_vague(path):
        return False
    if len(path) == 1:
        return is_global(path) and path[0] in asked
    return step_name(path[-1]) in asked and any(
        len(held) > 1 and starts_with(path, held[:-1]) for held in fact.places
    )


def guards_itself(fact: Fact, path: Path, callee: Flow) -> bool:
    """Whether what a callee notes once it has made a reference is what it asks first: ``if (!ready) make()``.
    It makes no other while that stands."""
    if not fact.is_open or fact.is_zero:
        return False
    if len(path) == 1:
        return is_global(path) and path in callee.tested
    return step_name(path[-1]) in callee.tested_members


def _env_into(
    fact: Fact, args: tuple[Operand, ...], callee: Flow, asked: frozenset[str]
) -> tuple[tuple[Path, Value], ...]:
    env: dict[Path, Value] = {}
    for path, value in fact.env:
        if path[0] == COUNT or (path == KIND and path in callee.tested):
            env[path] = value
        elif is_global(path):
            lasting = marks_absence(fact, path, value) or decides_later(fact, path, asked)
            if path in callee.tested or lasting:
                env[path] = value
            for inside in given_names(path, args, callee):
                if inside in callee.tested:
                    env[inside] = value
        else:
            noted = beside(fact, path) or decides_later(fact, path, asked)
            for inside in names_inside(path, args, callee):
                wanted = fact.is_zero or noted or inside in callee.tested
                if wanted or value == OTHER or callee.asks(inside, value):
                    env[inside] = value
    for name, operand in zip(callee.params, args, strict=False):
        wanted = fact.is_zero or (name,) in callee.tested
        if not wanted and isinstance(operand, Const):
            wanted = (name,) in callee.selecting or callee.asks((name,), operand)
        if not wanted and isinstance(operand, FuncRef):
            wanted = (name,) in callee.called
        if wanted and isinstance(operand, Const | Text | FuncRef):
            env[(name,)] = operand
    return tuple(sorted(env.items(), key=lambda item: item[0]))


def leave(
    before: Fact | None,
    at_exit: Fact,
    args: tuple[Operand, ...],
    callee: Flow,
    result: Path | None,
    known: Fact,
) -> Fact:
    """The fact after the call. ``before`` is the fact at the call, None for one that began inside.

    ``known`` is the fact at the call in any case: what it knows of variables still holds.

    ``result`` is the path that receives the return value, None where it is discarded.
    """
    places: set[Path] = set()
    for path in at_exit.places:
        places.update(_out_of(path, args, callee, result))
    if before is not None and (OUTER in at_exit.places or at_exit.state.life is Life.CLOSED):
        overwritten = _overwritten_inside(before, at_exit, args, callee)
        for path in before.places:
            if crosses(path) or is_temporary(path) or (len(path) > 1 and path[-1] in overwritten):
                continue
            if _stays(path, names_inside(path, args, callee), args, at_exit):
                places.add(path)
        if OUTER not in before.places:
            places.discard(OUTER)
    env: dict[Path, Value] = {}
    for path, value in known.env:
        if path not in places and not _overwritten(path, args, result):
            env[path] = value
    for path, value in at_exit.env:
        for outside in _out_of(path, args, callee, result, values=True):
            env[outside] = value
    fact = msgspec.structs.replace(at_exit, env=tuple(sorted(env.items(), key=lambda item: item[0]))[-6:])
    return fact.with_places(places)


def _overwritten_inside(
    before: Fact, at_exit: Fact, args: tuple[Operand, ...], callee: Flow
) -> frozenset[str]:
    """The members of objects that held the number of a closed reference and were overwritten in the callee:
    by any other name of the object they do not hold it either."""
    if at_exit.state.life is not Life.CLOSED:
        return frozenset()
    found = set()
    for path in before.places:
        inside = names_inside(path, args, callee) if len(path) > 1 and not crosses(path) else []
        if inside and not _by_value(inside) and not any(name in at_exit.places for name in inside):
            found.add(path[-1])
    return frozenset(found)


def _overwritten(path: Path, args: tuple[Operand, ...], result: Path | None) -> bool:
    if result is not None and starts_with(path, result):
        return True
    return any(isinstance(a, Address) and starts_with(path, path_of(a.place)) for a in args)


def _out_of(
    path: Path, args: tuple[Operand, ...], callee: Flow, result: Path | None, values: bool = False
) -> list[Path]:
    """The names a callee's path has in the caller."""
    if crosses(path):
        return [path]
    if starts_with(path, RESULT):
        return [] if result is None else [(*result, *path[1:])]
    replaced = callee.assigned if values else callee.replaced
    if path[0] not in callee.params or len(path) == 1 or path[0] in replaced:
        return []
    position = callee.params.index(path[0])
    if position >= len(args):
        return []
    operand = args[position]
    if not path[1].startswith("->"):
        return []
    if isinstance(operand, Address):
        named = from_address(path_of(operand.place), path[1:])
        return [] if named is None else [named]
    if isinstance(operand, Place):
        return [(*path_of(operand), *path[1:])]
    return [] if values or isinstance(operand, Const) else [ESCAPED]


def outside(path: Path, args: tuple[Operand, ...], callee: Flow) -> list[Path]:
    """The names that what a callee left behind a parameter has in the caller."""
    return _out_of(path, args, callee, None, values=True)


def survives_return(path: Path, flow: Flow, returned: bool) -> bool:
    """Whether a place still exists after the function returned (``returned``: it is part of the result)."""
    if returned or crosses(path) or starts_with(path, RESULT):
        return True
    return path[0] in flow.params and len(path) > 1 and path[1].startswith("->")


def contradicts(at_exit: Fact, args: tuple[Operand, ...], callee: Flow, caller: Fact) -> bool:
    """Whether what a fact that began inside knows of parameters cannot hold for this call's arguments."""
    for path, value in at_exit.env:
        if len(path) != 1 or path[0] not in callee.params or path[0] in callee.assigned:
            continue
        position = callee.params.index(path[0])
        if position >= len(args):
            continue
        operand = args[position]
        given: Value | None = None
        if isinstance(operand, Const | Text):
            given = operand
        elif isinstance(operand, Address | FuncRef):
            given = POSITIVE
        elif isinstance(operand, Place):
            given = caller.lookup(path_of(operand))
        if given is not None and not _compatible(given, value):
            return True
    return False


def _compatible(given: Value, known: Value) -> bool:
    if isinstance(given, Const) and isinstance(known, Const):
        if given.value is not None and known.value is not None:
            return given.value == known.value
        return bool(set(given.names) & set(known.names)) if given.names and known.names else True
    if isinstance(given, Text) and isinstance(known, Text):
        return given.value == known.value
    return bool(signs(given) & signs(known))
