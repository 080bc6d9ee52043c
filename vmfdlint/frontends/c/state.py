"""What is known in the middle of lowering one function: the graph, the names in scope, where the text
comes from.

The lowering is one class in layers, each in its file and each building on the one before: ``State`` (this
file), ``Expressions``, ``Conditions``, ``Calls``, ``Macros``, ``Initialisers``, ``Statements``. A layer
that needs a later one (a statement expression needs statements) goes through the methods declared here.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from tree_sitter import Node

from vmfdlint.base import LIMITS, Problem, SourceText, Span
from vmfdlint.frontends.c.declarators import THREAD_WORDS, CType
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.preprocess import Macro
from vmfdlint.frontends.graph import Graph
from vmfdlint.ir import Assign, Call, Operand, Place, Root, Target, Via

UNKNOWN = CType()


class Typed(NamedTuple):
    """What an expression gives: an operand and, as far as known, its type."""

    operand: Operand
    type: CType


class Variable(NamedTuple):
    """A name in scope."""

    place: Place
    type: CType


class Scope:
    """The names one block of the source declares, and what runs when it is left."""

    def __init__(self) -> None:
        self.names: dict[str, Variable] = {}
        self.cleanups: list[tuple[str, Operand]] = []


class Fragment(msgspec.Struct, frozen=True):
    """The text being lowered: the file itself, or the expansion of a macro used in it.

    ``original`` is what was there before the pre-pass. ``span`` is the macro's use, which stands for
    every node of the expansion; None in the file itself.
    """

    original: bytes
    span: Span | None = None
    macro: str = ""


class State(ABC):
    """One function in lowering. ``source`` is the file, ``name`` the function's name."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        self.source = source
        self.environment = environment
        self.name = name
        self.graph = Graph()
        self.scopes: list[Scope] = [Scope()]
        self.fragment = Fragment(source.data)
        # Functions of this file; a macro may have made the name, so that no scan lists it.
        self.own_functions: frozenset[str] = frozenset()
        self.local_types: dict[str, str] = {}
        self.values: list[str] = []
        self.problems: list[Problem] = []
        self.expanding: list[str] = []
        self.line = 0
        """That of the statement at hand, in the file."""
        self.expansion_left = LIMITS.expansion_bytes
        self._names: dict[str, int] = {}
        self._temps = 0

    # Where things stand

    def at(self, node: Node) -> Span:
        """The span of a node: its own, or that of the macro use it comes from."""
        if self.fragment.span is not None:
            return self.fragment.span
        start, end = node.start_point, node.end_point
        return Span(self.source.path, start[0] + 1, start[1] + 1, end[0] + 1, end[1] + 1)

    def written(self, node: Node) -> bytes:
        """The bytes of a node as they were before the pre-pass."""
        return self.fragment.original[node.start_byte : node.end_byte]

    @contextmanager
    def inside(self, fragment: Fragment) -> Iterator[None]:
        """Nodes lowered within come from ``fragment``."""
        outer = self.fragment
        self.fragment = fragment
        try:
            yield
        finally:
            self.fragment = outer

    # Names

    def lookup(self, name: str) -> Variable | None:
        """The variable a name means here, None where no block of the function declares it."""
        for scope in reversed(self.scopes):
            found = scope.names.get(name)
            if found is not None:
                return found
        return None

    def is_function(self, name: str) -> bool:
        """Whether a name that no block declares means a function."""
        return name in self.own_functions or self.environment.is_function(name)

    def declare(self, name: str, ctype: CType) -> Variable:
        """A local of the innermost block. A name used before gets a number, except where the same block
        declares it again (both branches of an #ifdef): that is the same variable."""
        again = self.scopes[-1].names.get(name)
        if again is not None and again.place.root is Root.LOCAL:
            unique = again.place.name
        else:
            count = self._names[name] = self._names.get(name, 0) + 1
            unique = name if count == 1 else f"{name}#{count}"
        self._note(unique, ctype)
        variable = Variable(Place(Root.LOCAL, unique), ctype)
        self.scopes[-1].names[name] = variable
        return variable

    def declare_global(self, name: str, ctype: CType, storage: frozenset[str]) -> Variable:
        """A variable that a block declares but that outlives it: ``static``, ``extern`` or of a thread."""
        root = Root.GLOBAL if THREAD_WORDS.isdisjoint(storage) else Root.THREAD
        if "extern" not in storage:
            place = Place(root, f"{self.name}.{name}", (), self.source.path)
        else:
            known = self.environment.variable(name)
            place = known.place if known is not None else Place(root, name)
        variable = Variable(place, ctype)
        self.scopes[-1].names[name] = variable
        return variable

    def temp(self, ctype: CType = UNKNOWN) -> Place:
        """A fresh temporary."""
        name = f"%t{self._temps}"
        self._temps += 1
        self._note(name, ctype)
        return Place(Root.LOCAL, name)

    def _note(self, name: str, ctype: CType) -> None:
        if ctype.record:
            self.local_types.setdefault(name, ctype.record)
        by_value = ctype.array or (bool(ctype.record) and ctype.pointer == 0 and not ctype.function)
        if by_value and name not in self.values:
            self.values.append(name)

    # Instructions

    def assign(self, dst: Place, src: Operand, node: Node) -> None:
        """Emits ``dst = src``."""
        if dst != src:
            self.graph.emit(Assign(dst, src, self.at(node)))

    def emit_call(self, dst: Place | None, target: Target, args: tuple[Operand, ...], node: Node) -> None:
        """Emits a call, marked with the macro it comes from."""
        self.graph.emit(Call(dst, target, args, self.at(node), Via(self.fragment.macro)))

    def settled(self, value: Typed, node: Node) -> Place:
        """A place that holds a value: itself where it is one, else a temporary."""
        if isinstance(value.operand, Place):
            return value.operand
        place = self.temp(value.type)
        self.assign(place, value.operand, node)
        return place

    # What later layers provide

    @abstractmethod
    def statement(self, node: Node) -> None:
        """Lowers one statement."""

    @abstractmethod
    def assign_from(self, dst: Place, node: Node, at: Node) -> CType:
        """Emits ``dst = node`` so that calls and branches store into ``dst`` directly. Gives the value's
        type."""

    @abstractmethod
    def branch(self, node: Node, true: int, false: int) -> None:
        """Lowers a condition: ends the current block with edges to ``true`` and ``false``."""

    @abstractmethod
    def guard(self, left: Place, op: str, right: Operand, node: Node, true: int, false: int) -> None:
        """Ends the current block with ``left op right`` on the edge to ``true`` and its opposite on the
        other."""

    @abstractmethod
    def truth_into(self, dst: Place, node: Node) -> None:
        """Stores the truth of a condition (1 or 0) in ``dst``."""

    @abstractmethod
    def call(self, node: Node, dst: Place | None, wanted: bool) -> Typed:
        """Lowers a call; its result goes to ``dst``, or to a temporary if it is ``wanted`` at all."""

    @abstractmethod
    def expanded_condition(self, node: Node, true: int, false: int) -> bool:
        """Lowers a condition that is a macro's use as what the macro stands for; False where it is none."""

    @abstractmethod
    def read_text(self, text: str, name: str) -> tuple[bytes, tuple[Node, ...]] | None:
        """Parses the expansion of a macro, within the limits: its text before the pre-pass, and its
        statements."""

    @abstractmethod
    def blocked(self, macro: Macro) -> bool:
        """Whether a macro met in its own expansion stays as it is."""

    @abstractmethod
    def expand_call(self, node: Node, macro: Macro, dst: Place | None, wanted: bool) -> Typed | None:
        """Lowers a call of a function-like macro as what it stands for; None where that cannot be read."""

    @abstractmethod
    def object_macro(self, node: Node, name: str) -> Typed | None:
        """The value of an object-like macro that is no constant; None where it has no expansion."""

    @abstractmethod
    def block_value(self, node: Node, dst: Place | None = None) -> Typed:
        """The value of a statement expression, stored in ``dst`` if given; ``node`` is its compound
        statement."""

    @abstractmethod
    def initialise(self, place: Place, ctype: CType, node: Node) -> None:
        """Assigns what an initialiser list gives to the members of ``place``."""
