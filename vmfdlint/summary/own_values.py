"""What of a function touches a member as it was handed down, and what only the function's own value in it.

In: a lowered function, a member. Out: instructions. A reference that is known by the member of some record
alone is none that a function has just put into such a member.
"""

from collections.abc import Iterator

from vmfdlint.ir import Assign, Call, Function, Instr, Place, places_read


def selects(place: Place, record: str, member: str) -> bool:
    """Whether a path goes through ``record``'s ``member``."""
    return any(
        field.name == member and (field.record == record or not field.record or record in ("?", ""))
        for field in place.fields
    )


def touching_others(function: Function, record: str, member: str) -> Iterator[Instr]:
    """The instructions of a function, without those that read the member only behind an assignment to it, on
    every way there."""
    filled = {_filled(instr) for instr in function.instrs}
    within: dict[Place, frozenset[tuple[int, int]]] = {}
    for number, block in enumerate(function.blocks):
        for index, instr in enumerate(block.instrs):
            named = {place for place in places_read(instr) if selects(place, record, member)}
            for place in named & filled:
                if place not in within:
                    within[place] = _before(function, place)
            if not named or any(place not in filled or (number, index) in within[place] for place in named):
                yield instr


def _filled(instr: Instr) -> Place | None:
    return instr.dst if isinstance(instr, Assign | Call) else None


def _before(function: Function, place: Place) -> frozenset[tuple[int, int]]:
    """Block and index of the instructions that are reached by a way on which nothing is put into a place."""
    found: set[tuple[int, int]] = set()
    seen = {0}
    pending = [0]
    while pending:
        block = function.blocks[number := pending.pop()]
        for index, instr in enumerate(block.instrs):
            found.add((number, index))
            if _filled(instr) == place:
                break
        else:
            pending.extend(successor for successor in block.successors if successor not in seen)
            seen.update(block.successors)
    return frozenset(found)
