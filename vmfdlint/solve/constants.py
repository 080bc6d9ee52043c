"""Which constants have to be carried into a callee, and what members and globals are known to hold.

Demand comes from the models: a case of a selecting call, a path that opens something of interest. A parameter
that decides such a call makes its function's callers pass their constants in.
"""

from collections.abc import Iterable
from typing import Protocol

from vmfdlint.ir import (
    Address,
    Assign,
    Const,
    Field,
    Flags,
    Function,
    FunctionKey,
    Operand,
    Place,
    Text,
)
from vmfdlint.link import FILE, CallGraph, EdgeKind, slot_of
from vmfdlint.models import DIRECTORIES, Models, path_kind
from vmfdlint.solve.facts import ZERO_FACT, Fact
from vmfdlint.summary import Behaviour, Flow, Relevance


class Seeds(Protocol):
    """What interest asks of the tabulation."""

    def seed(self, key: FunctionKey, fact: Fact = ZERO_FACT) -> int:
        """Starts a function with a fact."""

    def again(self, key: FunctionKey) -> None:
        """Runs the zero facts of a function again, now that a callee wants its constants."""


class Constants:
    """Constants of interest: which they are, where the program keeps them, which parameters want them."""

    def __init__(self, graph: CallGraph, behaviour: Behaviour, relevance: Relevance, models: Models) -> None:
        self.graph = graph
        self.behaviour = behaviour
        self.relevance = relevance
        self.models = models
        self._names = models.interesting_names()
        self._values = models.interesting_values()
        self.wanted: dict[FunctionKey, set[str]] = {}
        self.lists: set[str] = set()  # global arrays in which a text of interest stands
        self._initials: dict[Place, Text | Const | None] = {}
        self.cells: dict[tuple[str, str], set[Text | Const]] = {}

    def is_interesting(self, operand: Operand) -> bool:
        """Whether a constant selects something that makes or opens a holder."""
        if isinstance(operand, Text):
            return path_kind(self.models, operand.value) not in (None, *DIRECTORIES)
        if isinstance(operand, Const):
            return bool(self._names.intersection(operand.names)) or operand.value in self._values
        return False

    def is_followed(self, operand: Operand) -> bool:
        """Whether a constant is interesting, or a text from which something interesting is made."""
        speaks = isinstance(operand, Text) and self.models.speaks(operand.value)
        return speaks or self.is_interesting(operand)

    def constant(self, evaluated: Operand) -> Operand:
        """An argument's constant, also from a member or global that some function sets to one of interest."""
        if isinstance(evaluated, Address) and not evaluated.place.fields and evaluated.place.is_global:
            found = self.cells.get(("@", evaluated.place.name))  # an array that holds the text
            if found and len(found) == 1:
                return next(iter(found))
        if isinstance(evaluated, Place):
            slot = slot_of(evaluated)
            if slot is not None and self.cells:
                found = self.cells.get((slot.record, slot.field)) or self.cells.get(("", slot.field))
                if found and len(found) == 1:
                    return next(iter(found))
            if evaluated.is_global and (not evaluated.fields or _is_any_element(evaluated)):
                found = self.cells.get(("@", evaluated.name))
                if found and len(found) == 1:
                    return next(iter(found))
            if evaluated.is_global and evaluated.fields and self.keeps(evaluated):
                element = self._initial(evaluated)
                if element is not None and self.is_followed(element):
                    return element
        return evaluated

    def among(self, evaluated: Operand, function: Function) -> Operand:
        """An element of a local array, which one is not known, as the one constant of interest in it."""
        if not isinstance(evaluated, Place) or evaluated.is_global or not _is_any_element(evaluated):
            return evaluated
        found = {
            instr.src
            for instr in function.instrs
            if isinstance(instr, Assign) and isinstance(instr.src, Text) and self.is_interesting(instr.src)
            if instr.dst.name == evaluated.name and len(instr.dst.fields) == 1
            if instr.dst.fields[0].name.startswith("[")
        }
        return found.pop() if len(found) == 1 else evaluated

    def keeps(self, place: Place) -> bool:
        """Whether some function stores a constant of interest in a place."""
        slot = slot_of(place) if place.fields else None
        if slot is not None and not slot.record.startswith("@"):
            return (slot.record, slot.field) in self.cells or ("", slot.field) in self.cells
        return ("@", place.name) in self.cells or place.name in self.lists

    def initial(self, operand: Operand) -> Operand:
        """A global variable as the text its declaration gives it, the default of an option; else the
        operand."""
        place = operand.place if isinstance(operand, Address) else operand
        if not isinstance(place, Place) or not place.is_global or place.fields:
            return operand
        found = self._initial(place)
        return found if isinstance(found, Text) else operand

    def element(self, array: Operand, step: str) -> Text | Const | None:
        """What the declaration of a global array gives an element (``[2]``), where that is a constant."""
        if not isinstance(array, Address) or not array.place.is_global or step[:1] != "[":
            return None
        place = array.place
        return self._initial(place.step(Field(step)))

    def _initial(self, place: Place) -> Text | Const | None:
        if place not in self._initials:
            program = self.graph.program
            paths = (place.unit,) if place.unit else program.lexicon.defined("variables", place.name)
            found = {
                instr.src
                for path in paths[:4]
                if (function := program.function(FunctionKey(path, FILE))) is not None
                for instr in function.instrs
                if isinstance(instr, Assign) and instr.dst == place and isinstance(instr.src, Text | Const)
            }
            self._initials[place] = found.pop() if len(found) == 1 else None
        return self._initials[place]

    def record_constants(self, function: Function) -> list[str]:
        """Notes interesting constants that a function stores in members and globals; returns the names to
        look for."""
        tokens: list[str] = []
        for block in function.blocks:
            for instr in block.instrs:
                if not isinstance(instr, Assign) or not self.is_followed(instr.src):
                    continue
                assert isinstance(instr.src, Text | Const)
                slot = slot_of(instr.dst) if instr.dst.fields else None
                interesting = self.is_interesting(instr.src)
                if slot is not None and not slot.record.startswith("@"):
                    if interesting:  # a member that holds "debugfs" is called name: too many read one
                        self.cells.setdefault((slot.record, slot.field), set()).add(instr.src)
                        tokens.append(slot.field)
                elif instr.dst.is_global:
                    if interesting or slot is None:
                        self.cells.setdefault(("@", instr.dst.name), set()).add(instr.src)
                    else:
                        self.lists.add(instr.dst.name)
                    tokens.append(instr.dst.name)
        return tokens

    def want(self, seeds: Seeds, flow: Flow, operands: Iterable[Operand]) -> None:
        """A call's meaning hangs on ``operands``: parameters among them are asked of the callers."""
        for operand in operands:
            base = operand.base if isinstance(operand, Flags) else operand
            if not isinstance(base, Place) or base.fields or base.name not in flow.params:
                continue
            self._want_parameter(seeds, flow, base.name, depth=0)

    def _want_parameter(self, seeds: Seeds, flow: Flow, name: str, depth: int) -> None:
        wanted = self.wanted.setdefault(flow.key, set())
        if name in wanted or depth > 5:
            return
        wanted.add(name)
        position = flow.params.index(name)
        for edge in self.graph.callers(flow.key):
            if edge.kind not in (EdgeKind.DIRECT, EdgeKind.SLOT) or position >= len(edge.args):
                continue
            self.relevance.edges[edge.site][(edge.callee, edge.kind)] = edge
            operand = edge.args[position]
            caller = self.behaviour.flow(edge.site.function)
            if caller is None:
                continue
            base = operand.base if isinstance(operand, Flags) else operand
            if isinstance(base, Place) and not base.fields and base.name in caller.params:
                self._want_parameter(seeds, caller, base.name, depth + 1)
            seeds.seed(edge.site.function)
            seeds.again(edge.site.function)


def _is_any_element(place: Place) -> bool:
    """Whether a place is an element of an array, which one is not known."""
    return len(place.fields) == 1 and place.fields[0].name == "[]" and not place.fields[0].deref
