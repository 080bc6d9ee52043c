"""Loops and comprehensions. In: a statement. Out: blocks in a ring, or one round after the other."""

from collections.abc import Callable

import libcst as cst

from vmfdlint.frontends.python.lower_exit import Exits
from vmfdlint.frontends.python.module import NEXT
from vmfdlint.frontends.python.state import Frame, opaque
from vmfdlint.ir import (
    ELEMENT,
    Assign,
    Call,
    Const,
    Field,
    Indirect,
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Text,
)

_UNROLLED = 8
"""How many elements of a display in a ``for`` are taken one by one."""
_THROUGH = frozenset(
    f"builtins.{name}" for name in ("reversed", "list", "sorted", "tuple", "iter", "set", "frozenset")
)


class Loops(Exits):
    """What runs more than once."""

    def while_(self, node: cst.While) -> None:
        """``while``: without a bound where the condition is a constant."""
        head, body, after = self.graph.new(), self.graph.new(), self.graph.new()
        otherwise = self.graph.new()
        self.graph.flow(head)
        if isinstance(node.test, cst.Name | cst.Integer):
            given = self.value(node.test)
            if isinstance(given, Const) and given.value:
                self.graph.mark_unbounded(head)
        self.branch(node.test, body, otherwise)
        self.graph.start(body)
        self._round(lambda: self.suite(node.body), after, head)
        self.graph.go(head)
        self.graph.start(otherwise)
        if node.orelse is not None:
            self.suite(node.orelse.body)
        self.graph.go(after)
        self.graph.start(after)

    def for_(self, node: cst.For) -> None:
        """``for``: over a display of a few elements one by one, else as a ring."""
        display = self._display(node.iter)
        if display is not None:
            self._unrolled(node, display)
            return
        bind = self._elements(node.iter)
        head, body, after = self.graph.new(), self.graph.new(), self.graph.new()
        otherwise = self.graph.new()
        self.graph.flow(head)
        if _endless(node.iter):
            self.graph.mark_unbounded(head)
        else:
            self.graph.edge(head, otherwise)
        self.graph.edge(head, body)
        self.graph.start(body)
        self.store(node.target, bind(), node.target)
        self._round(lambda: self.suite(node.body), after, head)
        self.graph.go(head)
        self.graph.start(otherwise)
        if node.orelse is not None:
            self.suite(node.orelse.body)
        self.graph.go(after)
        self.graph.start(after)

    def _round(self, body: Callable[[], None], after: int, again: int) -> None:
        self.frames = [*self.frames, Frame(after=after, again=again)]
        body()
        self.frames = self.frames[:-1]

    def _display(self, node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
        """The elements of a tuple or list that is written out, there or under a name, those of
        ``reversed(...)`` backwards."""
        if isinstance(node, cst.Call) and self.static_name(node.func) in _THROUGH and len(node.args) == 1:
            inner = self._display(node.args[0].value)
            backwards = self.static_name(node.func) == "builtins.reversed"
            return inner[::-1] if inner is not None and backwards else inner
        node = self._tuple_named(node) or node
        if not isinstance(node, cst.Tuple | cst.List) or len(node.elements) > _UNROLLED:
            return None
        if any(isinstance(each, cst.StarredElement) for each in node.elements):
            return None
        return [each.value for each in node.elements]

    def _tuple_named(self, node: cst.BaseExpression) -> cst.Tuple | None:
        """The tuple of texts that a name of the file or of a class stands for."""
        match node:
            case cst.Name(value=name) if self._scope_of(name) is None and not self.dotted_name(name):
                return self.file.tuples.get(name)
            case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=member)):
                own = self.owner if self.owner and name == self.receiver else name
                inside = own == self.owner or f"{self.file.module}.{own}" == self.dotted_name(name)
                return self.file.tuples.get(f"{own}.{member}") if inside else None
            case _:
                return None

    def _unrolled(self, node: cst.For, display: list[cst.BaseExpression]) -> None:
        values = [self.value(each) for each in display]
        after = self.graph.new()
        for given in values:
            following = self.graph.new()
            name = node.target.value if isinstance(node.target, cst.Name) else ""
            self.store(node.target, given, node.target)
            outer = dict(self.known)
            if name and isinstance(given, Text):
                self.known[name] = given
            self._round(lambda: self.suite(node.body), after, following)
            self.known = outer
            self.graph.go(following)
            self.graph.start(following)
        if node.orelse is not None:
            self.suite(node.orelse.body)
        self.graph.go(after)
        self.graph.start(after)

    def _elements(self, node: cst.BaseExpression) -> Callable[[], Operand]:
        """What each round of a loop is given; the iterable is lowered now."""
        if isinstance(node, cst.Call):
            name = self.static_name(node.func)
            if name in _THROUGH and len(node.args) == 1:
                return self._elements(node.args[0].value)
            if name == "builtins.iter" and len(node.args) == 2:
                function = node.args[0].value
                return lambda: self._asked(function, node)
            if name == "builtins.enumerate" and node.args:
                inner = self._elements(node.args[0].value)
                return lambda: self._tuple([Opaque("index"), inner()], node)
            if name == "builtins.zip":
                parts = [self._elements(argument.value) for argument in node.args]
                return lambda: self._tuple([part() for part in parts], node)
            if isinstance(node.func, cst.Attribute) and not name and not node.args:
                if node.func.attr.value == "items":
                    base = self.settled(self.value(node.func.value), node)
                    return lambda: self._tuple([Opaque("key"), base.step(ELEMENT)], node)
                if node.func.attr.value == "values":
                    base = self.settled(self.value(node.func.value), node)
                    return lambda: base.step(ELEMENT)
        given = self.value(node)
        if isinstance(given, Place):
            return lambda: self._next(given, node)
        return lambda: opaque(node)

    def _asked(self, function: cst.BaseExpression, node: cst.Call) -> Operand:
        """The next value of ``iter(f, end)``: what a call of ``f`` gives."""
        name = self.static_name(function)
        if name:
            return self.emit_call(Named(name), (), node)
        if isinstance(function, cst.Attribute):
            base = self.settled(self.value(function.value), node)
            method = function.attr.value
            return self.emit_call(Member("", method, self.member_of(base, method)), (), node)
        return self.emit_call(Indirect(self.settled(self.value(function), node)), (), node)

    def _next(self, given: Place, node: cst.BaseExpression) -> Operand:
        """The next element, which what is no collection may have to wait for."""
        self.graph.emit(Call(None, Member("", NEXT, self.member_of(given, NEXT)), (), self.at(node)))
        return given.step(ELEMENT)

    def _tuple(self, values: list[Operand], node: cst.CSTNode) -> Place:
        place = self.temp()
        for index, given in enumerate(values):
            self.assign(place.step(Field(f"[{index}]", "", True)), given, node)
        return place

    # Comprehensions

    def comprehension(self, node: cst.BaseComp) -> Operand:
        """``[f(x) for x in xs]``: a list that a loop fills."""
        place = self.temp()
        self.assign(place, opaque(node), node)
        comp = node.for_in

        def fill() -> None:
            if isinstance(node, cst.DictComp):
                self.value(node.key)
                given = self.value(node.value)
            else:
                assert isinstance(node, cst.BaseSimpleComp)
                given = self.value(node.elt)
            self.graph.emit(Assign(place.step(ELEMENT), given, self.at(node)))

        self._comp_loop(comp, fill)
        return place

    def _comp_loop(self, comp: cst.CompFor, fill: Callable[[], None]) -> None:
        display = self._display(comp.iter)
        if display is not None:
            for given in [self.value(each) for each in display]:
                following = self.graph.new()
                self._comp_round(comp, given, fill, following)
                self.graph.start(following)
            return
        bind = self._elements(comp.iter)
        head, body, after = self.graph.new(), self.graph.new(), self.graph.new()
        self.graph.flow(head)
        self.graph.edge(head, after)
        self.graph.edge(head, body)
        self.graph.start(body)
        self._comp_round(comp, bind(), fill, head)
        self.graph.start(after)

    def _comp_round(
        self, comp: cst.CompFor, given: Operand, fill: Callable[[], None], following: int
    ) -> None:
        """One element: on to ``following`` behind it, or where a condition leaves it out."""
        outer = dict(self.known)
        self.store(comp.target, given, comp.target)
        if isinstance(comp.target, cst.Name) and isinstance(given, Text):
            self.known[comp.target.value] = given
        for condition in comp.ifs:
            good = self.graph.new()
            self.branch(condition.test, good, following)
            self.graph.start(good)
        if comp.inner_for_in is not None:
            self._comp_loop(comp.inner_for_in, fill)
        else:
            fill()
        self.known = outer
        self.graph.go(following)


def _endless(node: cst.BaseExpression) -> bool:
    """Whether a loop over it has no bound: ``itertools.count()``, ``iter(int, 1)``."""
    if not isinstance(node, cst.Call):
        return False
    name = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    return name == "count" and not isinstance(node.func, cst.Name)
