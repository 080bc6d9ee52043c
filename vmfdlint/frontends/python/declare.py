"""What functions and classes declare: scopes, signatures, constants. In: definitions. Out: data."""

from collections import Counter
from collections.abc import Iterator, Sequence

import libcst as cst

from vmfdlint.frontends.python import scopes
from vmfdlint.frontends.python.lower_stmt import Statements
from vmfdlint.frontends.python.module import Class, Parameter, Signature
from vmfdlint.frontends.python.scopes import Scope
from vmfdlint.frontends.python.syntax import dotted, literal, walk
from vmfdlint.ir import Const, Operand, Place, Root, Text

_WRAPPERS = frozenset({"Optional", "Final", "ClassVar", "Annotated", "Type", "Awaitable"})
_MANY = frozenset(
    {"list", "List", "Sequence", "Iterable", "Iterator", "dict", "Dict", "tuple", "Tuple", "set"}
)


def scope_of(node: cst.FunctionDef | cst.Lambda, name: str, outer: tuple[Scope, ...]) -> Scope:
    """The names of one function. ``outer`` are the scopes around it, the innermost first."""
    params = [each.name.value for each in scopes.parameters(node)]
    body: Sequence[cst.CSTNode] = [node.body] if isinstance(node, cst.Lambda) else node.body.body
    inside = scopes.nodes_of(body)
    globals_ = scopes.declared(inside, cst.Global)
    outside = scopes.declared(inside, cst.Nonlocal)
    bound = Counter(scopes.bound_names(inside))
    functions = {each.name.value for each in inside if isinstance(each, cst.FunctionDef | cst.ClassDef)}
    imports: dict[str, str] = {}
    for each in inside:
        if isinstance(each, cst.Import | cst.ImportFrom):
            imports.update((local, target) for local, target in scopes.imported(each, "") if local != "*")
    own = (set(params) | set(bound)) - globals_ - outside
    plain = (
        functions if all(bound[each] == 1 for each in functions) else {f for f in functions if bound[f] == 1}
    )
    looped = set(_bound_in_loops(inside))
    captured = scopes.read_inside(inside) & own
    return Scope(
        name,
        frozenset(own),
        globals_,
        frozenset(plain),
        captured - plain,
        frozenset(own) - scopes.leaving(body) - captured - functions,
        frozenset(each for each in own if bound[each] > 1 or each in looped),
        {local: target for local, target in imports.items() if local not in own},
    )


def _bound_in_loops(nodes: Sequence[cst.CSTNode]) -> Iterator[str]:
    for node in nodes:
        if type(node) in (cst.For, cst.While):
            assert isinstance(node, cst.For | cst.While)
            yield from scopes.bound_names(scopes.nodes_of(node.body.body))


def signature_of(node: cst.FunctionDef | cst.Lambda, owner: str, names: Statements) -> Signature:
    """What callers have to know of a function."""
    given = node.params
    found: list[Parameter] = []
    for each in scopes.parameters(node):
        kind = "plain"
        if each is given.star_arg:
            kind = "*"
        elif each is given.star_kwarg:
            kind = "**"
        elif any(each is one for one in given.kwonly_params):
            kind = "keyword"
        default = constant(each.default, names) if each.default is not None else None
        found.append(
            Parameter(
                each.name.value,
                kind,
                each.default is not None,
                default,
                annotated(each.annotation, names),
            )
        )
    if isinstance(node, cst.Lambda):
        return Signature(tuple(found))
    decorators = tuple(filter(None, (_decorator(each.decorator, names) for each in node.decorators)))
    kinds = {
        "builtins.staticmethod": "static",
        "builtins.classmethod": "class",
        "builtins.property": "property",
    }
    kinds["functools.cached_property"] = "property"
    kind = next((kinds[each] for each in decorators if each in kinds), "method" if owner else "function")
    called = [each.decorator for each in node.decorators if isinstance(each.decorator, cst.Call)]
    factories = tuple(filter(None, (_decorator(each, names) for each in called)))
    return Signature(tuple(found), kind, owner, annotated(node.returns, names), decorators, factories)


def _decorator(node: cst.BaseExpression, names: Statements) -> str:
    """The dotted name of a decorator, also where it begins with a variable of the file."""
    inner = node.func if isinstance(node, cst.Call) else node
    chain = dotted(inner)
    if chain.partition(".")[0] in names.file.variables:
        return f"{names.file.module}.{chain}"
    return names.static_name(inner)


def annotated(node: cst.Annotation | None, names: Statements) -> str:
    """The class that an annotation names, "" for none: ``Optional[Vm]`` and ``Vm | None`` are ``Vm``."""
    return _annotation(node.annotation, names) if node is not None else ""


def _annotation(node: cst.BaseExpression, names: Statements) -> str:
    match node:
        case cst.Name() | cst.Attribute():
            found = names.static_name(node)
            return (
                "" if found in ("builtins.int", "builtins.object", "typing.Any", "builtins.None") else found
            )
        case cst.SimpleString():
            text = literal(node) or ""
            try:
                inner = cst.parse_expression(text)
            except (cst.ParserSyntaxError, ValueError):
                return ""
            return _annotation(inner, names) if not isinstance(inner, cst.SimpleString) else ""
        case cst.Subscript(value=value, slice=[*items]):
            outer = dotted(value).rpartition(".")[2]
            if outer not in _WRAPPERS and outer != "Union":
                return ""
            parts = [each.slice.value for each in items if isinstance(each.slice, cst.Index)]
            return next(filter(None, (_annotation(part, names) for part in parts)), "")
        case cst.BinaryOperation(left=left, right=right):
            return _annotation(left, names) or _annotation(right, names)
        case _:
            return ""


def constant(node: cst.BaseExpression, names: Statements) -> Operand | None:
    """The constant that an expression is, or the global it names; None for anything computed at run time."""
    if any(isinstance(each, cst.Call) for each in walk(node)):
        return None
    given = names.value(node)
    if isinstance(given, Const | Text):
        return given
    if isinstance(given, Place) and given.root is Root.GLOBAL and not given.fields:
        return given
    return None


def class_of(node: cst.ClassDef, name: str, names: Statements) -> Class:
    """What a class declares."""
    constants: dict[str, Operand] = {}
    fields: list[tuple[str, str]] = []
    methods: list[str] = []
    bases = tuple(filter(None, (names.static_name(each.value) for each in node.bases)))
    for statement in node.body.body:
        if isinstance(statement, cst.FunctionDef):
            methods.append(statement.name.value)
            continue
        for each in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(each, cst.AnnAssign) and isinstance(each.target, cst.Name):
                fields.append((each.target.value, annotated(each.annotation, names)))
            constants.update(_class_constants(each, names, constants, bases))
    decorators = tuple(filter(None, (_decorator(each.decorator, names) for each in node.decorators)))
    return Class(name, bases, tuple(methods), constants, tuple(fields), decorators)


def _class_constants(
    node: cst.CSTNode, names: Statements, known: dict[str, Operand], bases: tuple[str, ...]
) -> Iterator[tuple[str, Operand]]:
    """The names that one statement of a class body gives a constant."""
    pairs: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    if isinstance(node, cst.Assign):
        for target in node.targets:
            if isinstance(target.target, cst.Tuple) and isinstance(node.value, cst.Tuple):
                both = zip(target.target.elements, node.value.elements, strict=False)
                pairs += [(one.value, other.value) for one, other in both]
            else:
                pairs.append((target.target, node.value))
    elif isinstance(node, cst.AnnAssign) and node.value is not None:
        pairs.append((node.target, node.value))
    for target_node, value in pairs:
        if not isinstance(target_node, cst.Name):
            continue
        names.known = dict(known)
        given = names.value(value)
        names.known = {}
        if isinstance(value, cst.Call) and names.static_name(value.func) == "enum.auto":
            given = _automatic(target_node.value, known, bases)
        if isinstance(given, Const | Text):
            yield target_node.value, _called(given, target_node.value)


def _automatic(name: str, known: dict[str, Operand], bases: tuple[str, ...]) -> Operand:
    """The value that an enumeration gives a member itself, after those it has."""
    kinds = {base.rpartition(".")[2] for base in bases}
    if "StrEnum" in kinds:
        return Text(name.lower())
    last = max((one.value for one in known.values() if isinstance(one, Const) and one.value), default=0)
    return Const(1 << last.bit_length() if kinds & {"Flag", "IntFlag"} else last + 1)


def _called(given: Operand, name: str) -> Operand:
    if isinstance(given, Const) and name.isupper():
        return Const(given.value, tuple(sorted({*given.names, name})))
    return given


def once_bound(body: Sequence[cst.CSTNode]) -> frozenset[str]:
    """The names of a file that are bound once, outside loops, and by no function's ``global``."""
    nodes = scopes.nodes_of(body)
    counts = Counter(scopes.bound_names(nodes))
    looped = set(_bound_in_loops(nodes))
    every = (node for statement in body for node in walk(statement, into_scopes=True))
    rebound = scopes.declared(every, cst.Global)
    return frozenset(name for name, count in counts.items() if count == 1) - looped - rebound
