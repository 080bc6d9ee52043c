"""The automaton of one reference, and sets of its states as a lattice.

    life      OPEN --close--> CLOSED        OPEN --last place gone--> LOST
    inherit   no <--set close-on-exec / clear--> yes      (a mapping: yes means that fork copies it)
    process   OWN --fork, child side--> CHILD (own memory) or CHILD_MM (vfork, CLONE_VM)

Each component moves on its own. A set of states is a bit mask: bottom is 0, join is ``|``, leq is inclusion.
``lift`` applies an event to every member of a set, so it distributes over join.
"""

from enum import IntEnum
from itertools import product
from typing import assert_never

import msgspec


class Life(IntEnum):
    """Whether the reference exists and some place still holds it."""

    OPEN = 0
    CLOSED = 1
    LOST = 2


class Process(IntEnum):
    """Which process holds the reference, seen from the creation of the VM."""

    OWN = 0
    CHILD = 1
    CHILD_MM = 2


class State(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """One state of one reference."""

    life: Life = Life.OPEN
    inherit: bool = False
    process: Process = Process.OWN


class Event(IntEnum):
    """What can happen to a reference."""

    CLOSE = 0
    LOSE = 1
    SET_CLOEXEC = 2
    CLEAR_CLOEXEC = 3
    FORK_CHILD = 4
    FORK_CHILD_MM = 5
    EXEC = 6


STATES: tuple[State, ...] = tuple(
    State(life, inherit, process) for life, inherit, process in product(Life, (False, True), Process)
)
_BIT = {state: 1 << number for number, state in enumerate(STATES)}
BOTTOM = 0
TOP = (1 << len(STATES)) - 1


def step(state: State, event: Event) -> State | None:
    """The state after ``event``; None where the reference is gone."""
    match event:
        case Event.CLOSE:
            return State(Life.CLOSED, state.inherit, state.process)
        case Event.LOSE:
            if state.life is not Life.OPEN:
                return None
            return State(Life.LOST, state.inherit, state.process)
        case Event.SET_CLOEXEC:
            return State(state.life, False, state.process)
        case Event.CLEAR_CLOEXEC:
            return State(state.life, True, state.process)
        case Event.FORK_CHILD:
            process = Process.CHILD_MM if state.process is Process.CHILD_MM else Process.CHILD
            return State(state.life, state.inherit, process)
        case Event.FORK_CHILD_MM:
            process = Process.CHILD if state.process is Process.CHILD else Process.CHILD_MM
            return State(state.life, state.inherit, process)
        case Event.EXEC:
            return state if state.inherit and state.life is not Life.CLOSED else None
        case _:
            assert_never(event)


def bit(state: State) -> int:
    """The set that holds one state."""
    return _BIT[state]


def members(mask: int) -> tuple[State, ...]:
    """The states of a set, in a fixed order."""
    return tuple(state for state in STATES if mask & _BIT[state])


def join(one: int, other: int) -> int:
    """The union of two sets."""
    return one | other


def leq(one: int, other: int) -> bool:
    """Whether the first set lies in the second."""
    return one & ~other == 0


def lift(event: Event, mask: int) -> int:
    """``step`` on every member of a set."""
    result = BOTTOM
    for state in members(mask):
        after = step(state, event)
        if after is not None:
            result |= _BIT[after]
    return result
