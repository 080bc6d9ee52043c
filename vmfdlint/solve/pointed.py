"""Pointers to objects of a function: what they lead to is what the object holds.

In: a fact and paths of one function. Out: other names of the same place, and the fact without those of what
is overwritten.
"""

from vmfdlint.solve.facts import Fact
from vmfdlint.summary import FIRST, Flow, Path, extended, starts_with


def pointing_there(fact: Fact, target: Path, dst: Path) -> list[Path]:
    """``p = &x``: what ``x`` holds is also behind ``p``."""
    found = (behind(held, target, (*dst, FIRST)) for held in fact.places if starts_with(held, target))
    return [alias for alias in found if alias is not None]


def behind(held: Path, target: Path, base: Path) -> Path | None:
    """What a path at or below ``target`` is called by way of ``base``: the first element behind a pointer, or
    another name of an object."""
    rest = held[len(target) :]
    if base[-1] != FIRST:
        return (*base, *rest) if rest else None
    return extended(base, rest) if not rest or rest[0].startswith(".") else None


def unpointed(fact: Fact, path: Path, flow: Flow) -> Fact:
    """The fact before ``path`` is overwritten, without what members lead to there: an object that is filled
    anew holds the old number by no name. A variable that names an object of others is not that object."""
    if fact.is_zero or not flow.pointing:
        return fact
    others = {
        behind(held, target, base)
        for held in fact.places
        for target, base in flow.pointing
        if base[-1] == FIRST and starts_with(held, path) and starts_with(held, target)
    }
    return fact.with_places(set(fact.places) - others) if others else fact
