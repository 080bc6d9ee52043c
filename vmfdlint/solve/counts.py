"""Numbers of users: what a fact knows of the number that decides who releases its reference.

In: a fact, an instruction. Out: the fact with the number as it is then. It begins to be known where a
function sets it beside the reference, and is followed as long as every step is seen: to the object of the
reference, by the one thread at hand. Where it is not known both ways of a test are possible, and who was the
last user is taken to be right about that.
"""

from collections.abc import Iterable

from vmfdlint.ir import Address, Assign, Call, Const, Place, Step
from vmfdlint.solve.boundary import crosses
from vmfdlint.solve.facts import Fact
from vmfdlint.solve.typestate import Process
from vmfdlint.solve.values import ANY, Value
from vmfdlint.summary import COUNT, Flow, Path, count_of, is_temporary, path_of, starts_with

_MOST = 16
"""A number above this one is not followed: a loop takes users."""


def counting(fact: Fact) -> Path | None:
    """The number that a fact knows, or knew until it was lost sight of."""
    return next((path for path, _value in fact.env if path[0] == COUNT), None)


def is_known(fact: Fact, name: Path) -> bool:
    """Whether a fact knows what a number is."""
    return isinstance(fact.lookup(name), Const)


def number(fact: Fact, place: Place) -> Value | None:
    """What a fact knows of a place that is the number of its object's users."""
    name = counting(fact)
    if name is None or count_of(place) != name or not _is_of(fact, path_of(place), name):
        return None
    known = fact.lookup(name)
    return known if isinstance(known, Const) else None


def begun(fact: Fact, flow: Flow, at: tuple[int, int], counts: Iterable[tuple[Path, Path]]) -> Fact:
    """The fact at an instruction of a function that sets numbers of users, ``counts`` as paths and names,
    with the one of its object."""
    if not fact.is_open or fact.object is None or fact.object.many or fact.state.process is not Process.OWN:
        return fact
    if counting(fact) is not None:
        return fact
    for path, name in counts:
        value = flow.number_at(path, *at) if _is_of(fact, path, name) else None
        if value is not None:
            return fact.knowing(name, Const(value))
    return fact


def stepped(fact: Fact, instr: Assign) -> Fact:
    """The fact behind an assignment, which may be one to the number."""
    name = counting(fact)
    if name is None or count_of(instr.dst) != name:
        return fact
    if not _is_of(fact, path_of(instr.dst), name):
        named = any(not crosses(held) and not is_temporary(held) for held in fact.places)
        return fact if named else unsure(fact)
    known = fact.lookup(name)
    value: int | None = None
    if isinstance(instr.src, Step) and isinstance(known, Const) and known.value is not None:
        value = known.value + instr.src.by
    elif isinstance(instr.src, Const):
        value = instr.src.value
    return unsure(fact) if value is None or value > _MOST else fact.knowing(name, Const(value))


def unsure(fact: Fact) -> Fact:
    """The fact that knows of its number no more than that there is one."""
    name = counting(fact)
    return fact if name is None else fact.knowing(name, ANY)


def is_given(fact: Fact, call: Call) -> bool:
    """Whether a call is given the address of the number, or of what that is in."""
    name = counting(fact)
    given = (count_of(one.place) for one in call.args if isinstance(one, Address))
    return name is not None and any(one is not None and starts_with(name, one) for one in given)


def _is_of(fact: Fact, path: Path, name: Path) -> bool:
    """Whether a number belongs to the object that has the reference; one that is global does."""
    if len(name) == 2:
        return True
    base = path[: len(path) - len(name) + 2]
    return any(len(held) > len(base) and starts_with(held, base) for held in fact.places)
