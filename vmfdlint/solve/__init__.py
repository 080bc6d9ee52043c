"""Follows references through the program. In: a program and models. Out: observations, and paths to them.

The solver knows effects, never an API's name or a rule.
"""

from vmfdlint.solve.boundary import crosses
from vmfdlint.solve.early import Early
from vmfdlint.solve.facts import IN_CHILD, UNKNOWN_CALLEE, ZERO_FACT, Cut, Fact, Name, Object
from vmfdlint.solve.observe import Crumb, Happening, Node, Observation
from vmfdlint.solve.ports import is_number
from vmfdlint.solve.receivers import Receivers
from vmfdlint.solve.solver import Passage, Solver
from vmfdlint.solve.typestate import Life, Process, State
from vmfdlint.solve.witness import witness

__all__ = [
    "IN_CHILD",
    "UNKNOWN_CALLEE",
    "ZERO_FACT",
    "Crumb",
    "Cut",
    "Early",
    "Fact",
    "Happening",
    "Life",
    "Name",
    "Node",
    "Object",
    "Observation",
    "Passage",
    "Process",
    "Receivers",
    "Solver",
    "State",
    "crosses",
    "is_number",
    "witness",
]
