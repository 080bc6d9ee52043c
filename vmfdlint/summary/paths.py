"""Access paths as the solver compares them: a root and steps, records left out, so that equal places are
equal.

A path is a tuple of strings. The root is a local's name, ``@name`` for a global (``@~name`` where each thread
has its own), ``*Record`` for the cell of a record's member (all objects of the record together), or one of
the marks below. A step is ``->name`` through a pointer or ``.name`` inside an object; ``*p`` and ``p[0]`` are
the same step ``->[0]``.
"""

from typing import TypeAlias

from vmfdlint.ir import RAISED, THROWN, Address, Flags, Notation, Operand, Place, Root, key_step
from vmfdlint.models import KEY, Port

Path: TypeAlias = tuple[str, ...]

OUTER: Path = ("%outer",)
"""Held by a place of some caller that the current function cannot name."""
RESULT: Path = ("%result",)
"""The value being returned."""
ESCAPED: Path = ("%escaped",)
"""Given to code that is not in the tree and may keep it."""
EXCEPTION: Path = (RAISED.name,)
"""Whether an exception is on its way; where it comes out of a function, with its names."""
KIND: Path = (THROWN.name,)
"""The names of the exception that was raised last."""
FIRST = "->[0]"
"""The step from a pointer to what it leads to, which is the first element there."""

VIEW = "->%view"
"""Begins the step from a variable that holds a view of a mapping to what that keeps alive; the view
follows."""


def path_of(place: Place) -> Path:
    """An IR place as a path."""
    root = place.name
    if place.is_global:
        mark = "~" if place.root is Root.THREAD else ""
        root = f"@{mark}{place.unit}:{place.name}" if place.unit else f"@{mark}{place.name}"
    if not place.fields:
        return (root,)
    path = (root, *(_step(field.name, field.deref) for field in place.fields))
    return extended((), path) if FIRST in path else path


def extended(base: Path, steps: Path) -> Path:
    """``steps`` taken from a base. A member of what a pointer leads to is one behind the pointer: ``(*p).fd``
    and ``p[0].fd`` are ``p->fd``."""
    path = (*base, *steps)
    if FIRST not in path:
        return path
    found: list[str] = []
    for step in path:
        if found and found[-1] == FIRST and step.startswith("."):
            found[-1] = "->" + step[1:]
        else:
            found.append(step)
    return tuple(found)


def inside_first(held: Path, pointer: Path) -> Path | None:
    """The steps to ``held`` from what a pointer leads to, where ``pointer`` is the path of that; None where
    it does not lie in there."""
    base = len(pointer) - 1
    if pointer[-1] != FIRST or len(held) <= base or held[:base] != pointer[:-1]:
        return None
    member = held[base]
    return ("." + member[2:], *held[base + 1 :]) if member.startswith("->") and "[" not in member else None


def _step(name: str, deref: bool) -> str:
    if name == "*":
        return FIRST
    return ("->" if deref else ".") + name


def step_name(step: str) -> str:
    """The member or element that a step leads to."""
    return step.removeprefix("->").removeprefix(".")


def cell_of(place: Place) -> Path | None:
    """The record-wide cell a place lies in: from its last step through a pointer to a named member.

    None for places that involve no member reached through a pointer or an element.
    """
    for index in range(len(place.fields) - 1, -1, -1):
        field = place.fields[index]
        if field.name == "*" or field.name.startswith("["):
            continue
        through_element = index > 0 and place.fields[index - 1].name.startswith("[")
        if field.deref or through_element:
            rest = (_step(later.name, later.deref) for later in place.fields[index + 1 :])
            return ("*" + (field.record or "?"), "->" + field.name, *rest)
    if place.is_global and place.fields and not place.fields[0].deref:
        field = place.fields[0]
        if not field.name.startswith("["):
            rest = (_step(later.name, later.deref) for later in place.fields[1:])
            return ("*" + (field.record or "?"), "->" + field.name, *rest)
    return None


def is_cell(path: Path) -> bool:
    """Whether the path stands for a member of every object of a record."""
    return path[0].startswith("*")


def is_global(path: Path) -> bool:
    """Whether the path's root outlives every call."""
    return path[0].startswith("@")


def is_per_thread(path: Path) -> bool:
    """Whether each thread has its own variable of the path's root."""
    return path[0].startswith("@~")


def variable(path: Path) -> str:
    """The name of the variable a path starts from, as it is written in the source."""
    name = _bare(path) if is_global(path) else path[0]
    return name.split(".")[-1]


def _bare(path: Path) -> str:
    """The root of a global's path without its marks and file; a function's static keeps the function's
    name."""
    return path[0].rsplit(":", 1)[-1].removeprefix("@").removeprefix("~")


def unit_of(path: Path) -> str:
    """The file whose static variable a path starts from; "" for any other."""
    unit, found, _ = path[0].removeprefix("@").removeprefix("~").rpartition(":")
    return unit if found and is_global(path) else ""


def is_temporary(path: Path) -> bool:
    """Whether the root is a temporary of the lowering."""
    return path[0].startswith("%t")


def is_made(path: Path) -> bool:
    """Whether the root is a variable that the lowering made, or a mark."""
    return path[0].startswith("%")


def is_vague(path: Path) -> bool:
    """Whether a path goes through an element of an array, nobody knows which."""
    return any("[]" in step for step in path)


def same_cell(one: Path, other: Path) -> bool:
    """Cells match where the steps do and the records do or are unknown."""
    if not same_steps(one[1:], other[1:]):
        return False
    return one[0] == other[0] or one[0] == "*?" or other[0] == "*?"


def same_steps(one: Path, other: Path) -> bool:
    """Whether two step sequences can mean the same place: an unknown index matches any index."""
    if len(one) != len(other):
        return False
    return all(left == right or _elements_meet(left, right) for left, right in zip(one, other, strict=True))


def _elements_meet(left: str, right: str) -> bool:
    left, right = step_name(left), step_name(right)
    return left.startswith("[") and right.startswith("[") and (left == right or "[]" in (left, right))


def meets(one: Path, other: Path) -> bool:
    """Whether two paths from the same root can mean the same place."""
    return one[0] == other[0] and same_steps(one[1:], other[1:])


def starts_with(path: Path, prefix: Path) -> bool:
    """Whether ``path`` lies at or below ``prefix``."""
    return path[: len(prefix)] == prefix


def operand_path(operand: Operand) -> Path | None:
    """The path whose value an operand is; None for constants and addresses."""
    if isinstance(operand, Place):
        return path_of(operand)
    if isinstance(operand, Flags):
        return path_of(operand.base)
    return None


def given_path(argument: Operand) -> Path | None:
    """The place whose address or value an argument is."""
    return path_of(argument.place) if isinstance(argument, Address) else operand_path(argument)


def behind_argument(argument: Operand, steps: Path) -> Path | None:
    """What ``steps`` from a parameter lead to, as the caller names it that gave the argument."""
    if isinstance(argument, Address):
        return from_address(path_of(argument.place), steps)
    path = operand_path(argument)
    return None if path is None else (*path, *steps)


def is_inside(path: Path, structure: Path) -> bool:
    """Whether a path lies in a structure, which has it by value."""
    return len(path) > len(structure) and path[len(structure)][0] == "." and starts_with(path, structure)


def port_path(port: Port, args: tuple[Operand, ...]) -> Path | None:
    """The path a model's port names in one call; the result is RESULT. None where the argument is no
    place."""
    fields = _steps(port, args)
    if port.arg is None:
        return (*RESULT, *(_step(name, True) for name in fields))
    if port.arg >= len(args):
        return None
    operand = args[port.arg]
    if isinstance(operand, Address):
        return _inside(path_of(operand.place), fields)
    base = operand_path(operand)
    if base is None:
        return None
    return (*base, *(_step(name, True) for name in fields))


def _steps(port: Port, args: tuple[Operand, ...]) -> tuple[str, ...]:
    """The steps of a port; that to the element of a key by what the key is. Numbers count from either end,
    and what they name moves."""
    if not port.is_keyed:
        return port.fields
    number = int(port.fields[0].removeprefix(KEY).removesuffix("]"))
    return (key_step(args[number] if number < len(args) else None),)


def _inside(base: Path, fields: tuple[str, ...]) -> Path | None:
    """Steps from the address of ``base``: the first one is taken inside the object."""
    if not fields:
        return None
    first, rest = fields[0], tuple(_step(name, True) for name in fields[1:])
    if first == "*":
        return (*base, *rest)
    return (*below(base, "." + first), *rest)


def from_address(base: Path, steps: Path) -> Path | None:
    """The place that ``steps`` lead to from a pointer to ``base``; None where they do not follow it."""
    if not steps or not steps[0].startswith("->"):
        return None
    if steps[0] == FIRST:
        return (*base, *steps[1:])
    return (*below(base, "." + step_name(steps[0])), *steps[1:])


def below(base: Path, step: str) -> Path:
    """``step`` taken from an object; an element from an element that is not known is such a one again."""
    if len(base) > 1 and base[-1].endswith("[]") and step.lstrip("->.").startswith("["):
        return base
    return (*base, step)


def show(path: Path, notation: Notation) -> str:
    """A path for people, as its file would write it: ``s->vmfd``, ``KVMState.vmfd``, ``vms[...].fd``."""
    if path == OUTER:
        return "a caller's variable"
    if path == ESCAPED:
        return "code outside the tree"
    if path == RESULT:
        return "the return value"
    root = path[0]
    if is_cell(path):
        record = root[1:].rsplit(".", 1)[-1] if notation.dotted else root[1:]
        name = path[1].removeprefix("->") + _written(path[2:], notation)
        return f"{record}.{name}" if record != "?" else f"a member {name}"
    if root.startswith("%"):
        if notation.nameless:
            return notation.nameless
        root = "a temporary"
    if root.startswith("@"):
        root = _bare(path)
    return root.split("#", 1)[0] + _written(path[1:], notation)


def _written(steps: Path, notation: Notation) -> str:
    """Steps behind a root."""
    text = ""
    for step in steps:
        if step.startswith(VIEW):
            continue
        name = step_name(step)
        if name.startswith("["):
            text += f"[{_index(name[1:-1], notation)}]"
        else:
            text += (notation.member if step.startswith("->") else ".") + name
    return text


def _index(key: str, notation: Notation) -> str:
    if not key:
        return notation.unknown
    number = key.removeprefix("-").isdecimal()
    return f'"{key}"' if notation.quoted and not number else key
