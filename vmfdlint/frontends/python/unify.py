"""One name for one object: a temporary and the variable that its value is put in, a manager and what its
``__enter__`` returns.

In: a bound function. Out: the same with such names made one, where each is written once: what is then stored
in the object under one of its names is there under all of them.
"""

from collections.abc import Callable, Iterator

import msgspec

from vmfdlint.frontends.python.module import DROP
from vmfdlint.ir import (
    Assign,
    Call,
    Function,
    Instr,
    Named,
    Operand,
    Place,
    Return,
    Root,
    places_read,
    rewritten,
)


def unified(function: Function, gives_first: Callable[[Call], bool]) -> Function:
    """The function with its names made one. ``gives_first`` says of a call that its result is its first
    argument."""
    function = _entering(function, gives_first)
    written = _writes(function)
    group: dict[str, str] = {}
    for one, other in _pairs(function, gives_first):
        if written.get(one) == 1 and written.get(other) == 1:
            _join(group, one, other, function)
    if not group:
        return function
    names = {name: _head(group, name) for name in group}
    blocks = tuple(
        msgspec.structs.replace(block, instrs=tuple(_renamed_all(block.instrs, names, function.params)))
        for block in function.blocks
    )
    types: dict[str, str] = {}
    for name, record in function.local_types:
        types.setdefault(names.get(name, name), record)
    return msgspec.structs.replace(function, blocks=blocks, local_types=tuple(sorted(types.items())))


def gives_first(function: Function | None) -> bool:
    """Whether a function returns its first parameter, as it was given, and nothing else."""
    if function is None or not function.params or _writes(function)[function.params[0]] > 1:
        return False
    first = Place(Root.LOCAL, function.params[0])
    values = [instr.value for instr in function.instrs if isinstance(instr, Return)]
    given = [value for value in values if value is not None]
    return bool(given) and all(value == first for value in given)


def _writes(function: Function) -> dict[str, int]:
    """How often each local is written; a parameter is by the caller."""
    found = dict.fromkeys(function.params, 1)
    for instr in function.instrs:
        if isinstance(instr, Assign | Call) and instr.dst is not None and _is_local(instr.dst):
            found[instr.dst.name] = found.get(instr.dst.name, 0) + 1
    return found


def _pairs(function: Function, gives: Callable[[Call], bool]) -> Iterator[tuple[str, str]]:
    objects = {name for name, _record in function.local_types}
    for block in function.blocks:
        yield from _pairs_in(block.instrs, gives, objects)


def _pairs_in(
    instrs: tuple[Instr, ...], gives: Callable[[Call], bool], objects: set[str]
) -> Iterator[tuple[str, str]]:
    """Pairs of names in one block; not where the variable lets go of another object just before, nor where a
    function is given a number and gives it back: a temporary holds that until it is passed on."""
    named: set[str] = set()
    for instr in instrs:
        match instr:
            case Assign(dst=dst, src=Place() as src) if _is_local(dst) and _is_local(src):
                if dst.name not in named:
                    yield dst.name, src.name
            case Call(dst=Place() as dst, args=args) if _is_local(dst) and args and gives(instr):
                if isinstance(args[0], Place) and _is_local(args[0]):
                    pair = (dst.name, args[0].name)
                    if _enters(instr) or not pair[1].startswith("%") or objects.intersection(pair):
                        yield pair
            case _:
                pass
        named.update(place.name for place in places_read(instr))


def _enters(call: Call) -> bool:
    return isinstance(call.target, Named) and call.target.name.endswith("enter__")


def _is_local(operand: Operand) -> bool:
    return isinstance(operand, Place) and operand.root is Root.LOCAL and not operand.fields


def _head(group: dict[str, str], name: str) -> str:
    while group[name] != name:
        name = group[name]
    return name


def _join(group: dict[str, str], one: str, other: str, function: Function) -> None:
    """Makes two names one: that of a parameter, else of a variable, else of a temporary."""
    heads = [_head(group, group.setdefault(name, name)) for name in (one, other)]
    heads.sort(key=lambda name: (name not in function.params, name.startswith("%"), name))
    if heads[0] in function.params and heads[1] in function.params:
        return
    group[heads[1]] = heads[0]


def _entering(function: Function, gives: Callable[[Call], bool]) -> Function:
    """The function, where a call that gives back the member it is given is one of which the result is that
    member."""
    if not any(_gives_member(instr, gives) for instr in function.instrs):
        return function
    blocks = tuple(
        msgspec.structs.replace(block, instrs=tuple(_entered(block.instrs, gives)))
        for block in function.blocks
    )
    return msgspec.structs.replace(function, blocks=blocks)


def _entered(instrs: tuple[Instr, ...], gives: Callable[[Call], bool]) -> Iterator[Instr]:
    for instr in instrs:
        if isinstance(instr, Call) and instr.dst is not None and _gives_member(instr, gives):
            yield Assign(instr.dst, instr.args[0], instr.at)
            instr = msgspec.structs.replace(instr, dst=None)
        yield instr


def _gives_member(instr: Instr, gives: Callable[[Call], bool]) -> bool:
    if not isinstance(instr, Call) or instr.dst is None:
        return False
    first = instr.args[0] if instr.args else None
    return isinstance(first, Place) and bool(first.fields) and gives(instr)


def _renamed_all(
    instrs: tuple[Instr, ...], names: dict[str, str], params: tuple[str, ...]
) -> Iterator[Instr]:
    for instr in instrs:
        renamed = rewritten(instr, lambda part: _renamed(part, names))
        if renamed != instr and _drops(renamed, params):
            continue  # another name of a parameter goes: the object is the caller's
        if isinstance(renamed, Assign) and renamed.dst == renamed.src:
            continue
        if isinstance(renamed, Call) and renamed.dst is not None and renamed.dst in renamed.args[:1]:
            renamed = msgspec.structs.replace(renamed, dst=None)
        yield renamed


def _drops(instr: Instr, names: tuple[str, ...]) -> bool:
    """Whether one of some variables lets go of its object."""
    if not isinstance(instr, Call) or instr.target != Named(DROP):
        return False
    return any(isinstance(one, Place) and one.name in names for one in instr.args)


def _renamed(value: object, names: dict[str, str]) -> Place | None:
    """A place, a local one by its new name; None for what is no place."""
    if not isinstance(value, Place):
        return None
    name = names.get(value.name) if value.root is Root.LOCAL else None
    return value if name is None else msgspec.structs.replace(value, name=name)
