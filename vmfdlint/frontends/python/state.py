"""What is known in the middle of lowering one function: the graph, the names, where exceptions go.

The lowering is one class in layers, each in its file and each building on the one before: ``State`` (this
file), ``Expressions``, ``Collections``, ``Calls``, ``Conditions``, ``Exits``, ``Loops``, ``Statements``. A
layer that needs a later one goes through the methods declared here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import libcst as cst

from vmfdlint.base import Problem, Span
from vmfdlint.frontends.graph import Graph
from vmfdlint.frontends.python.module import DROP
from vmfdlint.frontends.python.positions import Positions
from vmfdlint.frontends.python.scopes import Scope
from vmfdlint.ir import (
    RAISED,
    Assign,
    Assume,
    Call,
    Const,
    Field,
    FuncRef,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    Root,
    Target,
)

NONE = Const(0, ("None",))
TRUE = Const(1, ("True",))
FALSE = Const(0, ("False",))
ZERO = Const(0)
ONE = Const(1)


class File:
    """What all functions of one file share. ``defined`` are the qualified names of functions and classes,
    ``variables`` the names that the file binds otherwise, ``constants`` those bound once, to a constant,
    ``tuples`` those of it or of its classes that are tuples of texts."""

    def __init__(self, path: str, module: str, positions: Positions) -> None:
        self.path = path
        self.module = module
        self.positions = positions
        self.defined: set[str] = set()
        self.classes: set[str] = set()
        self.variables: set[str] = set()
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.constants: dict[str, Operand] = {}
        self.tuples: dict[str, cst.Tuple] = {}
        self.problems: list[Problem] = []
        self.builtins: frozenset[str] = frozenset()


class Frame:
    """Something that is left on the way out: a loop, or a statement that catches or cleans up.

    ``catches(kind)`` gives the block an exception goes to, None where the frame lets it pass. ``finish`` is
    the lowering of a cleanup, for a jump that leaves the frame.
    """

    def __init__(
        self,
        catches: Callable[[str], int | None] | None = None,
        finish: Callable[[cst.CSTNode], None] | None = None,
        after: int | None = None,
        again: int | None = None,
    ) -> None:
        self.catches = catches
        self.finish = finish
        self.after = after
        self.again = again


class State(ABC):
    """One function in lowering. ``scopes`` are its own and those around it, the innermost first."""

    def __init__(self, file: File, scopes: tuple[Scope, ...], owner: str = "") -> None:
        self.file = file
        self.scope = scopes[0]
        self.scopes = scopes
        self.owner = owner
        """The class of a method, qualified in the file."""
        self.receiver = ""
        """The name of the parameter that is the object."""
        self.graph = Graph()
        self.frames: list[Frame] = []
        self.known: dict[str, Operand] = {}
        """Variables of a loop that is unrolled: the constant of this round."""
        self.local_types: dict[str, str] = {}
        self.drops: tuple[Place, ...] = ()
        self.departures: tuple[tuple[Place, int], ...] = ()
        self.unfinished: Place | None = None
        """In ``__init__`` and ``__post_init__``: the object, which dies where an exception leaves."""
        self.generator: Place | None = None
        """In a context manager made of a generator: its object, whose members the locals are."""
        self.stops: list[tuple[int, int]] = []
        """For each ``yield`` of it the block behind and the one an exception thrown there goes to."""
        self.given: Place | None = None
        """In a generator that does nothing but give: the list of what it gives."""
        self._temps = 0
        self._own = 0

    # Where things stand

    def at(self, node: cst.CSTNode) -> Span:
        """The span of a node."""
        return self.file.positions.span(node)

    # Names

    def name(self, name: str) -> Operand:
        """What a name means as a value."""
        if name in self.known:
            return self.known[name]
        scope = self._scope_of(name)
        if scope is not None:
            return self.variable(name, scope)
        found = self.dotted_name(name)
        if found in ("builtins.None", "builtins.False", "builtins.True"):
            return {"None": NONE, "False": FALSE, "True": TRUE}[name]
        inside = next((one for one in self.scopes if name in one.functions or name in one.imports), None)
        if inside is not None and inside.name:
            return FuncRef(found) if name in inside.functions else Place(Root.GLOBAL, found)
        if name in self.file.constants and found == "":
            return named(self.file.constants[name], name)
        if name in self.file.defined or found.startswith("builtins."):
            return FuncRef(found)
        if name in self.file.imports or found.startswith("*."):
            return Place(Root.GLOBAL, found)
        return Place(Root.GLOBAL, name, (), self.file.path)

    def _scope_of(self, name: str) -> Scope | None:
        """The function whose local a name is; None for a name of the file or beyond."""
        if name in self.scope.globals:
            return None
        for scope in self.scopes:
            if scope.name and name in scope.locals and name not in scope.functions:
                return scope
            if name in scope.functions or name in scope.imports:
                return None
        return None

    def variable(self, name: str, scope: Scope) -> Place:
        """The place of a local of this function or of one around it."""
        if scope is not self.scope or name in scope.captured:
            return Place(Root.GLOBAL, f"{scope.name}.{name}", (), self.file.path)
        if self.generator is not None:
            return self.generator.step(Field(name, f"{self.file.module}.{scope.name}", True))
        return Place(Root.LOCAL, name)

    def dotted_name(self, name: str) -> str:
        """The dotted name of something that is no variable: imported, defined in the file, or a builtin."""
        for scope in self.scopes:
            if name in scope.functions:
                qualified = f"{scope.name}.{name}" if scope.name else name
                return f"{self.file.module}.{qualified}"
            if name in scope.imports:
                return scope.imports[name]
        if name in self.file.variables:
            return ""
        if name in self.file.builtins:
            return f"builtins.{name}"
        return f"*.{name}" if self.file.stars else f"builtins.{name}"

    def is_variable(self, name: str) -> bool:
        """Whether a name is a variable of a function or of the file."""
        return name in self.known or self._scope_of(name) is not None or not self.dotted_name(name)

    def temp(self) -> Place:
        """A fresh temporary."""
        self._temps += 1
        return Place(Root.LOCAL, f"%t{self._temps - 1}")

    def own_variable(self, word: str) -> Place:
        """A fresh variable of the lowering that lives as long as one of the program's."""
        self._own += 1
        name = f"%{word}{self._own - 1}"
        if self.generator is not None:
            return self.generator.step(Field(name, f"{self.file.module}.{self.scope.name}", True))
        return Place(Root.LOCAL, name)

    def type_of(self, place: Place) -> str:
        """The record of a place's members, known for the receiver of a method alone."""
        if self.owner and place.is_variable(self.receiver) and not place.is_global:
            return f"{self.file.module}.{self.owner}"
        return ""

    # Instructions

    def assign(self, dst: Place, src: Operand, node: cst.CSTNode) -> None:
        """Emits ``dst = src``."""
        if dst != src:
            self.graph.emit(Assign(dst, src, self.at(node)))

    def settled(self, value: Operand, node: cst.CSTNode) -> Place:
        """A place that holds a value: itself where it is one, else a temporary."""
        if isinstance(value, Place):
            return value
        place = self.temp()
        self.assign(place, value, node)
        return place

    def emit_call(
        self,
        target: Target,
        args: tuple[Operand, ...],
        node: cst.CSTNode,
        keywords: tuple[str, ...] = (),
        raises: bool = True,
    ) -> Place:
        """Emits a call, and the edge it takes where it raises. Returns the place of the result."""
        place = self.temp()
        self.graph.emit(Call(place, target, args, self.at(node), keywords=keywords))
        if raises:
            normal, raised = self.graph.new(), self.graph.new()
            self.graph.edge(self.graph.current, normal)
            self.graph.edge(self.graph.current, raised)
            self.graph.start(raised)
            self.graph.emit(Assume(RAISED, "!=", ZERO, self.at(node)))
            self.throw("", node)
            self.graph.start(normal)
            self.graph.emit(Assume(RAISED, "==", ZERO, self.at(node)))
        return place

    def throw(self, kind: str, node: cst.CSTNode) -> None:
        """An exception is on its way: ``kind`` is the name of its class, "" for one out of a call. Ends the
        block."""
        for frame in reversed(self.frames):
            target = frame.catches(kind) if frame.catches is not None else None
            if target is not None:
                self.graph.go(target)
                return
        self.graph.emit(Assign(RAISED, ONE, self.at(node)))
        self.let_go(node)
        at = self.file.positions.start(node) if self.departures else 0
        for place, departure in self.departures:
            if at < departure:
                self.graph.emit(Call(None, Named(DROP), (place, ONE), self.at(node)))
        if self.unfinished is not None:
            self.drop(self.unfinished, node)
        self.graph.emit(Return(None, self.at(node)))
        self.graph.end()

    def drop(self, place: Place, node: cst.CSTNode) -> None:
        """Emits that a variable lets go of its object."""
        self.graph.emit(Call(None, Named(DROP), (place,), self.at(node)))

    def let_go(self, node: cst.CSTNode) -> None:
        """The locals go, and with them the objects that only they hold."""
        for place in self.drops:
            self.drop(place, node)

    # What later layers provide

    @abstractmethod
    def value(self, node: cst.BaseExpression) -> Operand:
        """Lowers an expression."""

    @abstractmethod
    def branch(self, node: cst.BaseExpression, true: int, false: int) -> None:
        """Lowers a condition: ends the current block with edges to ``true`` and ``false``."""

    @abstractmethod
    def call(self, node: cst.Call) -> Operand:
        """Lowers a call."""

    @abstractmethod
    def store(self, target: cst.BaseExpression, value: Operand, node: cst.CSTNode) -> None:
        """Lowers the assignment of a value to a target."""

    @abstractmethod
    def comprehension(self, node: cst.BaseComp) -> Operand:
        """Lowers a comprehension."""

    @abstractmethod
    def suite(self, body: cst.BaseSuite) -> None:
        """Lowers statements."""

    @abstractmethod
    def lambda_name(self, node: cst.Lambda) -> str:
        """The dotted name of the function that a lambda is lowered to."""


def opaque(node: cst.CSTNode) -> Opaque:
    """A value that is not followed."""
    return Opaque(type(node).__name__)


def named(constant: Operand, name: str) -> Operand:
    """A constant under the name the program gives it, where that looks like a constant's."""
    if isinstance(constant, Const) and name.isupper():
        return Const(constant.value, tuple(sorted({*constant.names, name})))
    return constant
