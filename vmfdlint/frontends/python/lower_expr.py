"""Expressions: names, members, elements, texts, operators. In: an expression. Out: an operand."""

from abc import abstractmethod
from collections.abc import Sequence

import libcst as cst

from vmfdlint.base import LIMITS
from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.collections import step_of
from vmfdlint.frontends.python.module import BELOW, FORMAT, YIELD
from vmfdlint.frontends.python.state import FALSE, TRUE, ZERO, State, opaque
from vmfdlint.frontends.python.syntax import dotted, integer, literal, sign
from vmfdlint.ir import ELEMENT, Assign, Const, Field, Flags, FuncRef, Named, Operand, Place, Root, Text


class Expressions(State):
    """What an expression is worth."""

    def value(self, node: cst.BaseExpression) -> Operand:
        """Lowers an expression; calls in it are emitted."""
        match node:
            case cst.Name(value=name):
                return self.name(name)
            case cst.Integer():
                return Const(integer(node))
            case cst.SimpleString() | cst.ConcatenatedString() if (text := literal(node)) is not None:
                return Text(text)
            case cst.FormattedString() | cst.ConcatenatedString():
                return self._formatted(node)
            case cst.Attribute():
                return self.member(node)
            case cst.Subscript():
                return self.element(node)
            case cst.Call():
                return self.call(node)
            case cst.BinaryOperation():
                return self._binary(node)
            case cst.UnaryOperation():
                return self._unary(node)
            case cst.BooleanOperation():
                return self._either(node)
            case cst.Comparison():
                return self._truth(node)
            case cst.IfExp():
                return self._conditional(node)
            case cst.NamedExpr():
                given = self.value(node.value)
                self.store(node.target, given, node)
                return self.value(node.target)
            case cst.Tuple() | cst.List() | cst.Set():
                return self._sequence(node)
            case cst.Dict():
                return self._mapping(node)
            case cst.BaseComp():
                return self.comprehension(node)
            case cst.Lambda():
                return FuncRef(self.lambda_name(node))
            case cst.Await(expression=cst.Call() as awaited):
                return self.awaited(awaited)
            case cst.Await():
                return self.value(node.expression)
            case cst.Yield():
                return self._yield(node)
            case cst.StarredElement():
                return self.value(node.value)
            case _:
                return opaque(node)

    # Members and elements

    def member(self, node: cst.Attribute) -> Operand:
        """``a.b``: something of a module or class of this file, or a member of an object."""
        name = self.static_name(node)
        if name:
            return FuncRef(name) if name.startswith("builtins.") else Place(Root.GLOBAL, name)
        base = self.settled(self.value(node.value), node.value)
        return self.member_of(base, node.attr.value)

    def static_name(self, node: cst.BaseExpression) -> str:
        """The dotted name of a chain of attributes that starts at an import, a class or a function; else
        ""."""
        chain = dotted(node)
        root, _, rest = chain.partition(".")
        if not chain or self.is_variable(root):
            return ""
        found = self.dotted_name(root)
        return f"{found}.{rest}" if rest else found

    def member_of(self, base: Place, name: str) -> Place:
        """A member of what a place refers to."""
        return base.step(Field(name, self.type_of(base), True))

    def element(self, node: cst.Subscript) -> Operand:
        """``a[i]``: the element of a list or a dictionary; a part of a list is the list itself."""
        base = self.settled(self.value(node.value), node.value)
        if len(node.slice) != 1:
            keys = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index)]
            if len(keys) != len(node.slice):
                return opaque(node)
            return base.step(Field(self._several(keys), "", True))
        index = node.slice[0].slice
        if isinstance(index, cst.Slice):
            # The elements of a list that it names; of a mapping it is a copy of bytes.
            part = self.temp()
            self.assign(part, opaque(node), node)
            self.assign(part.step(ELEMENT), base.step(ELEMENT), node)
            return part
        assert isinstance(index, cst.Index)
        return base.step(Field(self.step(index.value), "", True))

    def step(self, node: cst.BaseExpression) -> str:
        """The step that an index means: ``[3]``, ``[name]`` for a literal key, ``[name,3]`` for one of
        several, else ``[]``."""
        if isinstance(node, cst.Tuple) and len(node.elements) > 1:
            return self._several([one.value for one in node.elements])
        return step_of(self.value(node))

    def _several(self, keys: Sequence[cst.BaseExpression]) -> str:
        steps = [self.step(key) for key in keys]
        return "[]" if "[]" in steps else f"[{','.join(step[1:-1] for step in steps)}]"

    def _sequence(self, node: cst.Tuple | cst.List | cst.Set) -> Operand:
        if len(node.elements) > LIMITS.python_elements:
            return opaque(node)
        place = self.temp()
        self.assign(place, opaque(node), node)
        sure = True
        for index, element in enumerate(node.elements):
            given = self.value(element.value)
            if isinstance(element, cst.StarredElement):
                sure = False
                source = self.settled(given, element)
                self.graph.emit(Assign(place.step(ELEMENT), source.step(ELEMENT), self.at(node)))
                continue
            step = f"[{index}]" if sure and not isinstance(node, cst.Set) else "[]"
            self.assign(place.step(Field(step, "", True)), given, element)
        return place

    def _mapping(self, node: cst.Dict) -> Operand:
        if len(node.elements) > LIMITS.python_elements:
            return opaque(node)
        place = self.temp()
        self.assign(place, opaque(node), node)
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                step = self.step(element.key)
                given = self.value(element.value)
                self.assign(place.step(Field(step, "", True)), given, element)
            else:
                self.value(element.value)
        return place

    # Texts

    def text(self, form: str, values: list[Operand], node: cst.CSTNode) -> Operand:
        """A format filled in; where every value is a text, that text."""
        if all(isinstance(one, Text) for one in values):
            texts = tuple(one.value for one in values if isinstance(one, Text))
            try:
                return Text(form % texts)
            except (TypeError, ValueError):
                return opaque(node)
        return self.emit_call(Named(FORMAT), (Text(form), *values), node, raises=False)

    def _formatted(self, node: cst.FormattedString | cst.ConcatenatedString) -> Operand:
        form: list[str] = []
        values: list[Operand] = []
        parts: list[cst.CSTNode] = [node]
        while parts:
            part = parts.pop()
            match part:
                case cst.ConcatenatedString(left=left, right=right):
                    parts += [right, left]
                case cst.SimpleString():
                    form.append((literal(part) or "").replace("%", "%%"))
                case cst.FormattedString(parts=inner):
                    parts += reversed(inner)
                case cst.FormattedStringText(value=text):
                    form.append(text.replace("%", "%%"))
                case cst.FormattedStringExpression(expression=expression):
                    form.append("%s")
                    values.append(self.value(expression))
                case _:
                    form.append("%s")
        return self.text("".join(form), values, node)

    # Operators

    def _binary(self, node: cst.BinaryOperation) -> Operand:
        left = self.value(node.left)
        right = self.value(node.right)
        folded = fold.binary(sign(node.operator), left, right)
        if folded is not None:
            return folded
        match node.operator:
            case cst.Modulo() if isinstance(left, Text):
                return self.text(fold.percent(left.value), self._filling(node.right, right), node)
            case cst.Add() if isinstance(left, Text):
                return self.text(left.value.replace("%", "%%") + "%s", [right], node)
            case cst.Add() if isinstance(right, Text):
                return self.text("%s" + right.value.replace("%", "%%"), [left], node)
            case cst.Divide() if isinstance(left, Place) and isinstance(right, Text | Place):
                return self.text(BELOW, [left, right], node)
            case cst.Add() if isinstance(left, Place):
                return self._joined(left, right, node)
            case _:
                return opaque(node)

    def _joined(self, left: Place, right: Operand, node: cst.CSTNode) -> Operand:
        """``a + b``: where they are sequences, the elements of both."""
        place = self.temp()
        self.assign(place, opaque(node), node)
        for each in (left, right):
            if isinstance(each, Place):
                element = ELEMENT
                self.assign(place.step(element), each.step(element), node)
        return place

    def _filling(self, node: cst.BaseExpression, given: Operand) -> list[Operand]:
        if isinstance(node, cst.Tuple) and isinstance(given, Place):
            return [given.step(Field(f"[{index}]", "", True)) for index in range(len(node.elements))]
        return [given]

    def _unary(self, node: cst.UnaryOperation) -> Operand:
        if isinstance(node.operator, cst.Not):
            return self._truth(node)
        given = self.value(node.expression)
        if isinstance(given, Const) and given.value is not None:
            if isinstance(node.operator, cst.Minus):
                return Const(-given.value)
            if isinstance(node.operator, cst.BitInvert) and not given.names:
                return Const(~given.value)
        given = fold.named(given)
        if isinstance(node.operator, cst.BitInvert) and isinstance(given, Const) and given.names:
            return Flags(fold.NOTHING, (), given.names)
        return opaque(node)

    def _truth(self, node: cst.BaseExpression) -> Operand:
        """The truth of a condition as a value."""
        place = self.temp()
        true, false, after = self.graph.new(), self.graph.new(), self.graph.new()
        self.branch(node, true, false)
        for block, truth in ((true, TRUE), (false, FALSE)):
            self.graph.start(block)
            self.assign(place, truth, node)
            self.graph.go(after)
        self.graph.start(after)
        return place

    def _conditional(self, node: cst.IfExp) -> Operand:
        place = self.temp()
        true, false, after = self.graph.new(), self.graph.new(), self.graph.new()
        self.branch(node.test, true, false)
        for block, part in ((true, node.body), (false, node.orelse)):
            self.graph.start(block)
            self.assign(place, self.value(part), node)
            self.graph.go(after)
        self.graph.start(after)
        return place

    def _either(self, node: cst.BooleanOperation) -> Operand:
        """``a or b``, ``a and b``: the left value where it decides, else the right one."""
        place = self.temp()
        left = self.settled(self.value(node.left), node.left)
        right, after, done = self.graph.new(), self.graph.new(), self.graph.new()
        if isinstance(node.operator, cst.Or):
            self.guard(left, "!=", ZERO, node.left, done, right)
        else:
            self.guard(left, "!=", ZERO, node.left, right, done)
        self.graph.start(done)
        self.assign(place, left, node)
        self.graph.go(after)
        self.graph.start(right)
        self.assign(place, self.value(node.right), node)
        self.graph.go(after)
        self.graph.start(after)
        return place

    def _yield(self, node: cst.Yield) -> Operand:
        given: Operand = opaque(node)
        if isinstance(node.value, cst.From):
            given = self.value(node.value.item)
            if self.given is not None:
                given = self.settled(given, node).step(ELEMENT)
        elif node.value is not None:
            given = self.value(node.value)
        if self.generator is not None:
            return self._stop(given, node)
        if self.given is not None:
            self.assign(self.given.step(ELEMENT), given, node)
        return self.emit_call(Named(YIELD), (given,), node)

    def _stop(self, given: Operand, node: cst.Yield) -> Operand:
        """The ``yield`` of a context manager: the first half of the function ends here, the second begins."""
        raised, behind = self.graph.new(), self.graph.new()
        self.returns(given, node)
        self.graph.start(raised)
        self.throw("", node)
        self.graph.start(behind)
        self.stops.append((behind, raised))
        return opaque(node)

    @abstractmethod
    def awaited(self, node: cst.Call) -> Operand:
        """Lowers a call whose result is waited for."""

    @abstractmethod
    def guard(self, left: Place, op: str, right: Operand, node: cst.CSTNode, true: int, false: int) -> None:
        """Ends the block with ``left op right`` on the edge to ``true``, its opposite on the other."""

    @abstractmethod
    def returns(self, value: Operand, node: cst.CSTNode) -> None:
        """Emits a return that runs no cleanup."""
