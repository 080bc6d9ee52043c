"""Statements. In: a suite. Out: instructions and edges."""

import libcst as cst

from vmfdlint.frontends.python import fold
from vmfdlint.frontends.python.collections import TAKEN
from vmfdlint.frontends.python.lower_loop import Loops
from vmfdlint.frontends.python.state import NONE, opaque
from vmfdlint.frontends.python.syntax import dotted, sign
from vmfdlint.ir import (
    ELEMENT,
    Assign,
    Call,
    Const,
    Field,
    FuncRef,
    Named,
    Operand,
    Place,
    Root,
    Text,
    step_by,
)


class Statements(Loops):
    """What a statement does. ``once`` are the names of the file that are bound once: constants, if to one."""

    once: frozenset[str] = frozenset()

    def suite(self, body: cst.BaseSuite) -> None:
        """Lowers the statements of a suite."""
        for statement in body.body:
            self.statement(statement)

    def statement(self, node: cst.CSTNode) -> None:
        """Lowers one statement."""
        match node:
            case cst.SimpleStatementLine(body=body):
                for each in body:
                    self.statement(each)
            case cst.Expr(value=value):
                self._expression(value)
            case cst.Assign(targets=targets, value=value):
                self._assign([each.target for each in targets], value, node)
            case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                self._assign([target], value, node)
            case cst.AugAssign():
                self._augmented(node)
            case cst.Return(value=value):
                self.leave(node, self.value(value) if value is not None else NONE)
            case cst.Raise():
                self.raise_(node)
            case cst.If():
                self._if(node)
            case cst.While():
                self.while_(node)
            case cst.For():
                self.for_(node)
            case cst.Try() | cst.TryStar():
                self.try_(node)
            case cst.With():
                self.with_(node)
            case cst.Break():
                self.jump(node, again=False)
            case cst.Continue():
                self.jump(node, again=True)
            case cst.Del(target=target):
                self._del(target, node)
            case cst.Assert():
                self._assert(node)
            case cst.FunctionDef() | cst.ClassDef():
                self._definition(node)
            case cst.Match():
                self._match(node)
            case _:
                return

    def exit_process(self, node: cst.CSTNode) -> None:
        """``raise SystemExit``: as sys.exit()."""
        self.emit_call(Named("sys.exit"), (), node, raises=False)
        self.graph.end()

    def _expression(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            return  # a docstring
        given = self.value(node)
        if isinstance(given, Place) and given.name.startswith("%t") and not given.fields:
            self.drop(given, node)

    # Assignment

    def _assign(
        self, targets: list[cst.BaseExpression], value: cst.BaseExpression, node: cst.CSTNode
    ) -> None:
        target = targets[0]
        pairs = _pairs(target, value) if len(targets) == 1 else None
        if pairs is not None:
            given = [self._kept(self.value(one), one) for _element, one in pairs]
            for (element, _one), kept in zip(pairs, given, strict=True):
                self.store(element, kept, node)
            return
        result = self.value(value)
        for each in targets:
            self.store(each, result, node)

    def _kept(self, given: Operand, node: cst.CSTNode) -> Operand:
        """A value read now: ``a, b = b, a`` reads both before it writes one."""
        if isinstance(given, Place) and not given.name.startswith("%"):
            place = self.temp()
            self.assign(place, given, node)
            return place
        return given

    def store(self, target: cst.BaseExpression, value: Operand, node: cst.CSTNode) -> None:
        """Lowers the assignment of a value to a target."""
        match target:
            case cst.Name(value=name):
                self._store_name(name, value, node)
            case cst.Attribute():
                base = self.settled(self.value(target.value), target.value)
                place = self.static_member(target) or self.member_of(base, target.attr.value)
                if self.unfinished is None or place.name != self.receiver:
                    self.drop(place, node)
                self.assign(place, value, node)
            case cst.Subscript():
                place = self.settled(self.element(target), target)
                self.assign(place, value, node)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                source = self.settled(value, node)
                for index, element in enumerate(elements):
                    if isinstance(element, cst.StarredElement):
                        rest = self.settled(self.value(element.value), element)
                        step = ELEMENT
                        self.assign(rest.step(step), source.step(step), node)
                    else:
                        self.store(element.value, source.step(Field(f"[{index}]", "", True)), node)
            case cst.StarredElement(value=inner):
                self.store(inner, value, node)
            case _:
                return

    def static_member(self, target: cst.Attribute) -> Place | None:
        """The place of a class's or a module's variable: ``Vm.count``, ``state.fd``."""
        name = self.static_name(target)
        return Place(Root.GLOBAL, name) if name and not name.startswith("builtins.") else None

    def _store_name(self, name: str, value: Operand, node: cst.CSTNode) -> None:
        place = self._place_of(name)
        self.known.pop(name, None)
        if place.unit and name in self.once and isinstance(value, Const | Text):
            self.file.constants[name] = value
        if name in self.scope.rebound and name in self.scope.homebound and not place.is_global:
            self.drop(place, node)
        self.assign(place, value, node)

    def _place_of(self, name: str) -> Place:
        scope = self._scope_of(name)
        if scope is not None:
            return self.variable(name, scope)
        return Place(Root.GLOBAL, name, (), self.file.path)

    def _augmented(self, node: cst.AugAssign) -> None:
        given = self.value(node.value)
        old = self.value(node.target)
        folded = fold.binary(sign(node.operator), old, given)
        adds = folded is None and isinstance(node.operator, cst.AddAssign)
        if adds and isinstance(given, Place) and isinstance(old, Place):
            step = ELEMENT
            self.assign(old.step(step), given.step(step), node)
            return
        stepped = step_by(sign(node.operator), given) if folded is None else folded
        self.store(node.target, stepped if stepped is not None else opaque(node), node)

    def _del(self, target: cst.BaseExpression, node: cst.CSTNode) -> None:
        if isinstance(target, cst.Tuple):
            for element in target.elements:
                self._del(element.value, node)
        elif isinstance(target, cst.Subscript):
            place = self.settled(self.element(target), target)
            self.drop(place, node)
            self.graph.emit(Call(None, Named(TAKEN), (place,), self.at(node)))
        elif isinstance(target, cst.Name):
            place = self._place_of(target.value)
            if target.value in self.scope.homebound or place.is_global:
                self.drop(place, node)
            self.assign(place, NONE, node)
        elif isinstance(target, cst.Attribute):
            self.store(target, NONE, node)

    # Branches

    def _if(self, node: cst.If) -> None:
        true, false, after = self.graph.new(), self.graph.new(), self.graph.new()
        self.branch(node.test, true, false)
        self.graph.start(true)
        self.suite(node.body)
        self.graph.go(after)
        self.graph.start(false)
        if isinstance(node.orelse, cst.If):
            self._if(node.orelse)
        elif node.orelse is not None:
            self.suite(node.orelse.body)
        self.graph.go(after)
        self.graph.start(after)

    def _assert(self, node: cst.Assert) -> None:
        true, false = self.graph.new(), self.graph.new()
        self.branch(node.test, true, false)
        self.graph.start(false)
        self.throw("AssertionError", node)
        self.graph.start(true)

    def _match(self, node: cst.Match) -> None:
        subject = self.value(node.subject)
        after = self.graph.new()
        for case in node.cases:
            here, following = self.graph.new(), self.graph.new()
            self.matches(case.pattern, subject, here, following)
            self.graph.start(here)
            if case.guard is not None:
                taken = self.graph.new()
                self.branch(case.guard, taken, following)
                self.graph.start(taken)
            self.suite(case.body)
            self.graph.go(after)
            self.graph.start(following)
        self.graph.go(after)
        self.graph.start(after)

    # Definitions

    def _definition(self, node: cst.FunctionDef | cst.ClassDef) -> None:
        """A function or class defined here; where its name is also a variable, the variable gets it."""
        for decorator in node.decorators:
            if isinstance(decorator.decorator, cst.Call):
                self.arguments(decorator.decorator)
        name = node.name.value
        qualified = f"{self.scope.name}.{name}" if self.scope.name else name
        if isinstance(node, cst.ClassDef):
            self._class_body(node, qualified)
        given = FuncRef(f"{self.file.module}.{qualified}")
        if name not in self.scope.functions:
            self.graph.emit(Assign(self._place_of(name), given, self.at(node.name)))
        elif node.decorators:
            last = dotted(node.decorators[-1].decorator) or "decorator"
            found = self.dotted_name(last.split(".")[0]) if last != "decorator" else ""
            if found and "." in last:
                found = f"{found}.{last.partition('.')[2]}"
            if found and found.split(".")[-1] in ("register",):
                self.emit_call(Named(found), (given,), node.name, raises=False)

    def _class_body(self, node: cst.ClassDef, qualified: str) -> None:
        """The variables of a class that are no constants: ``libc = CDLL(None)``."""
        outer = dict(self.known)
        for line in node.body.body:
            for each in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                if not isinstance(each, cst.Assign | cst.AnnAssign) or each.value is None:
                    continue
                target = each.targets[0].target if isinstance(each, cst.Assign) else each.target
                given = self.value(each.value)
                if not isinstance(target, cst.Name):
                    continue
                place = Place(Root.GLOBAL, f"{self.file.module}.{qualified}.{target.value}")
                self.known[target.value] = given if isinstance(given, Const | Text) else place
                if not isinstance(given, Const | Text):
                    self.assign(place, given, each)
        self.known = outer

    def lambda_name(self, node: cst.Lambda) -> str:
        """The dotted name of the function that a lambda is lowered to."""
        inside = f"{self.scope.name}." if self.scope.name else ""
        at = self.at(node)
        return f"{self.file.module}.{inside}<lambda:{at.line}:{at.col}>"


def _pairs(
    target: cst.BaseExpression, value: cst.BaseExpression
) -> list[tuple[cst.BaseExpression, cst.BaseExpression]] | None:
    """``a, b = x, y`` as single assignments; None where the two sides do not match one by one."""
    if not isinstance(target, cst.Tuple | cst.List) or not isinstance(value, cst.Tuple | cst.List):
        return None
    if len(target.elements) != len(value.elements):
        return None
    return [(one.value, other.value) for one, other in zip(target.elements, value.elements, strict=True)]
