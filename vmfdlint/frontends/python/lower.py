"""A parsed file -> its raw module. The one place that knows the order: names first, then bodies.

In: a libcst tree and its source. Out: a :class:`Module`. Pure; fails for nothing: a function nested too deep
is an ``Unparsed`` with the names in it.
"""

import builtins
from collections.abc import Iterator, Sequence

import libcst as cst

from vmfdlint.base import Problem, ProblemKind, SourceText
from vmfdlint.frontends.contract import BODY, Sketch
from vmfdlint.frontends.python import generators, scopes
from vmfdlint.frontends.python.declare import class_of, once_bound, scope_of, signature_of
from vmfdlint.frontends.python.departures import departures
from vmfdlint.frontends.python.displays import named_tuples
from vmfdlint.frontends.python.lower_stmt import Statements
from vmfdlint.frontends.python.module import Class, Module, Signature, module_name
from vmfdlint.frontends.python.positions import Positions
from vmfdlint.frontends.python.producers import is_producer
from vmfdlint.frontends.python.scopes import Scope
from vmfdlint.frontends.python.state import NONE, File, opaque
from vmfdlint.frontends.python.syntax import SCOPES, form_of, literal, walk
from vmfdlint.frontends.python.tuples import tuple_class
from vmfdlint.ir import Block, Function, FunctionKey, Place, Return, Root, Unparsed

Definition = cst.FunctionDef | cst.Lambda


class _Item:
    """One function to lower: its node, its names and those around it, the class it is a method of."""

    def __init__(self, node: Definition, name: str, outer: tuple[Scope, ...], owner: str) -> None:
        self.node = node
        self.name = name
        self.owner = owner
        self.scopes = (scope_of(node, name, outer), *outer)


class _Lowering:
    """One file in lowering."""

    def __init__(self, tree: cst.Module, source: SourceText) -> None:
        self.tree = tree
        self.source = source
        self.file = File(source.path, module_name(source.path), Positions(tree, source))
        self.file.builtins = frozenset(dir(builtins)) - {"_"}
        self.functions: dict[str, Function] = {}
        self.signatures: dict[str, Signature] = {}
        self.classes: dict[str, Class] = {}
        self.sketches: list[Sketch] = []

    def module(self) -> Module:
        """Everything."""
        file = self.file
        top = Scope("")
        self._file_level(top)
        items = list(self._items(self.tree.body, (top,), "", ""))
        once = once_bound(self.tree.body)
        file.tuples = named_tuples(self.tree.body, once)
        self._body(top, once)
        for item in items:
            self._item(item)
        return Module(
            file.path,
            file.module,
            self.functions,
            self.signatures,
            self.classes,
            dict(file.imports),
            tuple(file.stars),
            dict(file.constants),
            tuple(self.sketches),
            tuple(self._texts()),
            tuple(file.problems),
        )

    def _file_level(self, top: Scope) -> None:
        """What the file's own statements bind."""
        package = self.file.module
        if not self.source.path.endswith("__init__.py"):
            package = package.rpartition(".")[0]
        nodes = scopes.nodes_of(self.tree.body)
        for node in nodes:
            if type(node) in (cst.Import, cst.ImportFrom):
                assert isinstance(node, cst.Import | cst.ImportFrom)
                for local, target in scopes.imported(node, package):
                    if local == "*":
                        self.file.stars.append(target)
                    else:
                        self.file.imports[local] = target
            elif type(node) in (cst.FunctionDef, cst.ClassDef):
                assert isinstance(node, cst.FunctionDef | cst.ClassDef)
                self.file.defined.add(node.name.value)
        for node in nodes:
            made = tuple_class(node, self.file.imports)
            if made is not None:
                self.file.defined.add(made.name)
                self.file.classes.add(made.name)
                self.classes[made.name] = made
        bound = set(scopes.bound_names(nodes))
        self.file.variables = bound - self.file.defined - set(self.file.imports)
        top.functions = frozenset(self.file.defined)
        top.imports = self.file.imports
        self.package = package

    def _items(
        self, body: Sequence[cst.CSTNode], outer: tuple[Scope, ...], inside: str, owner: str
    ) -> Iterator[_Item]:
        """The functions of some statements, each with those inside it."""
        for statement in body:
            for node in walk(statement):
                if type(node) not in SCOPES:
                    continue
                if isinstance(node, cst.ClassDef):
                    yield from self._class(node, outer, inside)
                elif isinstance(node, cst.FunctionDef):
                    name = f"{inside}{node.name.value}"
                    if name in self.signatures:
                        name = self._again(name, node)
                    item = _Item(node, name, outer, owner)
                    self.signatures[name] = signature_of(node, owner, self._named(outer))
                    yield item
                    yield from self._items(node.body.body, item.scopes, f"{name}.", "")
                elif isinstance(node, cst.Lambda):
                    at = self.file.positions.span(node)
                    scope = outer[0].name
                    name = f"{scope}.<lambda:{at.line}:{at.col}>" if scope else f"<lambda:{at.line}:{at.col}>"
                    item = _Item(node, name, outer, "")
                    self.signatures[name] = signature_of(node, "", self._named(outer))
                    yield item
                    yield from self._items([node.body], item.scopes, f"{name}.", "")

    def _again(self, name: str, node: cst.FunctionDef) -> str:
        """A second definition of a name: a property's setter, or another branch of an ``if``."""
        for decorator in node.decorators:
            if isinstance(decorator.decorator, cst.Attribute):
                return f"{name}.{decorator.decorator.attr.value}"
        return f"{name}#{self.file.positions.span(node).line}"

    def _class(self, node: cst.ClassDef, outer: tuple[Scope, ...], inside: str) -> Iterator[_Item]:
        name = f"{inside}{node.name.value}"
        self.file.classes.add(name)
        self.classes[name] = class_of(node, name, self._named(outer))
        yield from self._items(node.body.body, outer, f"{name}.", name)

    def _named(self, outer: tuple[Scope, ...]) -> Statements:
        """A lowering that is asked for names and constants alone."""
        return Statements(self.file, outer)

    # Bodies

    def _body(self, top: Scope, once: frozenset[str]) -> None:
        lowering = Statements(self.file, (top,))
        lowering.once = once
        whole = self.source.span(0, len(self.source.data))
        try:
            for statement in self.tree.body:
                lowering.statement(statement)
            lowering.returns(NONE, self.tree)
            blocks = lowering.graph.blocks()
        except RecursionError:
            blocks = (Block((Unparsed((), whole), Return(None, whole)), ()),)
            self._too_deep("the file", self.tree)
        types = tuple(sorted(lowering.local_types.items()))
        self.functions[BODY] = Function(
            FunctionKey(self.source.path, BODY), (), blocks, whole, ("entry",), types
        )
        self.sketches.append(Sketch(BODY, 0, len(self.source.data), ("entry",)))

    def _item(self, item: _Item) -> None:
        start, end = self.file.positions.offsets(item.node)
        names: tuple[str, ...] = (item.name,)
        try:
            if isinstance(item.node, cst.FunctionDef) and generators.is_manager(
                item.node, self._named(item.scopes)
            ):
                made = generators.split(item.node, self.file, item.scopes, item.name, item.owner)
                if made is not None:
                    self.functions.update(made.functions)
                    self.signatures.pop(item.name)
                    self.signatures.update(made.signatures)
                    self.classes[item.name] = made.made
                    names = tuple(made.functions)
            if names == (item.name,):
                self.functions[item.name] = self._lowered(item)
        except RecursionError:
            at = self.file.positions.span(item.node)
            inside = tuple(sorted({n.value for n in walk(item.node, True) if isinstance(n, cst.Name)}))
            blocks = (Block((Unparsed(inside, at), Return(None, at)), ()),)
            self.functions[item.name] = Function(FunctionKey(at.path, item.name), (), blocks, at)
            self._too_deep(item.name, item.node)
        self.sketches += [Sketch(name, start, end) for name in names]

    def _departures(
        self, node: cst.FunctionDef, scope: scopes.Scope, params: tuple[str, ...]
    ) -> tuple[tuple[Place, int], ...]:
        """Where each local of a function that is bound once is first handed on."""
        names = scope.locals - scope.homebound - scope.captured - scope.rebound - set(params)
        found = departures(node.body, self.file.positions.start) if names else {}
        return tuple((Place(Root.LOCAL, name), found[name]) for name in sorted(names & found.keys()))

    def _lowered(self, item: _Item) -> Function:
        scope = item.scopes[0]
        params = tuple(each.name.value for each in scopes.parameters(item.node))
        lowering = Statements(self.file, item.scopes, item.owner)
        signature = self.signatures[item.name]
        if item.owner and params and signature.kind in ("method", "property"):
            lowering.receiver = params[0]
            lowering.local_types[params[0]] = f"{self.file.module}.{item.owner}"
            if item.name.endswith((".__init__", ".__post_init__")):
                lowering.unfinished = Place(Root.LOCAL, params[0])
        for name in params:
            if name in scope.captured:
                lowering.assign(lowering.variable(name, scope), Place(Root.LOCAL, name), item.node)
        lowering.drops = tuple(
            Place(Root.LOCAL, name) for name in sorted(scope.homebound - scope.captured) if name not in params
        )
        if isinstance(item.node, cst.FunctionDef):
            lowering.departures = self._departures(item.node, scope, params)
        if isinstance(item.node, cst.FunctionDef) and is_producer(item.node):
            lowering.given = lowering.own_variable("given")
            lowering.assign(lowering.given, opaque(item.node), item.node)
        if isinstance(item.node, cst.Lambda):
            lowering.leave(item.node.body, lowering.value(item.node.body))
        else:
            lowering.suite(item.node.body)
            lowering.falls_off(item.node)
        return Function(
            FunctionKey(self.source.path, item.name),
            tuple(dict.fromkeys(params)),
            lowering.graph.blocks(),
            self.file.positions.span(item.node),
            (),
            tuple(sorted(lowering.local_types.items())),
        )

    def _too_deep(self, name: str, node: cst.CSTNode) -> None:
        at = self.file.positions.span(node) if node is not self.tree else None
        text = f"{name} is nested too deep to be read: split its longest expression"
        self.file.problems.append(Problem(ProblemKind.PARSE, text, self.source.path, at, rough=True))

    def _texts(self) -> Iterator[tuple[int, str]]:
        for node in walk(self.tree, into_scopes=True):
            text = form_of(node) if isinstance(node, cst.FormattedString) else None
            if type(node) is cst.SimpleString:
                text = literal(node)
            if text:
                yield self.file.positions.offsets(node)[0], text


def lower_module(tree: cst.Module, source: SourceText) -> Module:
    """A parsed file, lowered."""
    return _Lowering(tree, source).module()
