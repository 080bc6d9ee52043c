"""Pointers into one object are one place: what CMSG_DATA() leads to lies in the message of sendmsg().

In: a function and the models, of which some say that a pointer leads into an object (the effect Inside).
Out: the same function where every element behind such a pointer, or behind a variable that has the same value
somewhere in the function, is an element of the object. Which element is left open: a control message is
filled by casts, offsets and steps, and what matters of a descriptor is that it is in there.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from vmfdlint.ir import Address, Assign, Call, Field, Function, Named, Operand, Place, Return
from vmfdlint.models import Inside, Models, Port, resolve
from vmfdlint.summary.paths import Path, path_of, port_path

_Key = tuple[bool, Path]
"""A pointer's value: that of the variable at the path, or (True) the address of the path."""


def joined(function: Function, models: Models) -> Function:
    """The function with its pointers into objects resolved; unchanged where it calls none of their makers."""
    facts = list(_pointing(function, models))
    if not any(pointer.arg is None for pointer, _object, _call in facts):
        return function
    objects = _objects(function, facts)
    if not objects:
        return function
    blocks = tuple(
        msgspec.structs.replace(block, instrs=tuple(_resolved(instr, objects) for instr in block.instrs))
        for block in function.blocks
    )
    return msgspec.structs.replace(function, blocks=blocks)


@lru_cache(maxsize=8)
def _makers(models: Models) -> frozenset[str]:
    return models.names_with(Inside)


def _pointing(function: Function, models: Models) -> Iterator[tuple[Port, Port, Call]]:
    """The calls that say where a pointer leads, as (pointer, object, call)."""
    names = _makers(models)
    for block in function.blocks:
        for instr in block.instrs:
            if isinstance(instr, Call) and isinstance(instr.target, Named) and instr.target.name in names:
                modelled = resolve(models, instr.target.name, instr.args)
                for effect in modelled.effects if modelled is not None else ():
                    if isinstance(effect, Inside):
                        yield effect.pointer, effect.object, instr


def _objects(function: Function, facts: list[tuple[Port, Port, Call]]) -> dict[_Key, Place]:
    """Pointers -> the element of the object they lead into, for every pointer whose object is known."""
    pairs: list[tuple[_Key, _Key]] = []
    pointers: set[_Key] = set()
    owners: dict[_Key, Operand] = {}
    for pointer, owner, call in facts:
        inner, outer = _key_of_port(pointer, call), _key_of_port(owner, call)
        if inner is None or outer is None or owner.arg is None:
            continue
        pairs.append((inner, outer))
        pointers.add(inner)
        owners.setdefault(outer, call.args[owner.arg])
    group = _grouped(pairs, list(_assigned(function)))
    roots: dict[_Key, Operand] = {}
    for key, operand in owners.items():
        if key not in pointers:
            roots.setdefault(group[key], operand)
    return {key: _element(roots[head]) for key, head in group.items() if head in roots}


def _grouped(pairs: list[tuple[_Key, _Key]], copies: list[tuple[_Key, _Key]]) -> dict[_Key, _Key]:
    """Each key with the head of its group: keys in a pair are together, and so are copies of a key in one."""
    group: dict[_Key, _Key] = {}

    def join(one: _Key, other: _Key) -> bool:
        head, tail = group.setdefault(one, one), group.setdefault(other, other)
        if head == tail:
            return False
        for key, old in group.items():
            if old == tail:
                group[key] = head
        return True

    for one, other in pairs:
        join(one, other)
    changed = True
    while changed:
        changed = False
        for one, other in copies:
            if one in group or other in group:
                changed = join(one, other) or changed
    return group


def _assigned(function: Function) -> Iterator[tuple[_Key, _Key]]:
    for block in function.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign):
                source = _key(instr.src)
                if source is not None:
                    yield (False, path_of(instr.dst)), source


def _key(operand: Operand) -> _Key | None:
    match operand:
        case Place():
            return False, path_of(operand)
        case Address(place=place):
            return True, path_of(place)
        case _:
            return None


def _key_of_port(port: Port, call: Call) -> _Key | None:
    if port.arg is None:
        return (False, path_of(call.dst)) if call.dst is not None else None
    if port.arg >= len(call.args):
        return None
    if not port.fields:
        return _key(call.args[port.arg])
    path = port_path(port, call.args)
    return (False, path) if path is not None else None


def _element(owner: Operand) -> Place:
    """Any element of the object that a pointer operand leads to."""
    place = owner.place if isinstance(owner, Address) else owner
    assert isinstance(place, Place)
    step = Field("[]", deref=not isinstance(owner, Address))
    return msgspec.structs.replace(place, fields=(*place.fields, step))


def _resolved(instr: Any, objects: dict[_Key, Place]) -> Any:
    """An instruction with the elements behind pointers, and the pointers given to calls, put in their
    object."""
    match instr:
        case Assign(dst=dst, src=src):
            return msgspec.structs.replace(instr, dst=_place(dst, objects), src=_behind(src, objects))
        case Call(dst=dst, args=args):
            given = tuple(_given(argument, objects) for argument in args)
            return msgspec.structs.replace(instr, dst=dst and _place(dst, objects), args=given)
        case Return(value=value) if value is not None:
            return msgspec.structs.replace(instr, value=_behind(value, objects))
        case _:
            return instr


def _given(argument: Operand, objects: dict[_Key, Place]) -> Operand:
    key = _key(argument)
    if key in objects:
        return Address(objects[key])
    return _behind(argument, objects)


def _behind(operand: Operand, objects: dict[_Key, Place]) -> Operand:
    match operand:
        case Place():
            return _place(operand, objects)
        case Address(place=place):
            return Address(_place(place, objects))
        case _:
            return operand


def _place(place: Place, objects: dict[_Key, Place]) -> Place:
    """``p->[2]`` as the object's element where ``p`` leads into one."""
    if not place.fields:
        return place
    last = place.fields[-1]
    if not (last.deref or last.name == "*") or not (last.name == "*" or last.name.startswith("[")):
        return place
    key = (False, path_of(msgspec.structs.replace(place, fields=place.fields[:-1])))
    return objects.get(key, place)
