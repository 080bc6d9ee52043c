"""Which names a function binds, which it takes from around it, and which objects never leave it.

In: the body of one scope. Out: sets of names. Purely syntactic.
"""

from collections.abc import Iterable, Iterator

import libcst as cst
import msgspec

from vmfdlint.frontends.python.syntax import SCOPES, children, dotted, walk


class Scope(msgspec.Struct):
    """The names of one function. ``captured``: own locals that a function inside reads or writes.

    ``homebound``: locals whose object is handed to nobody: only its members are used.
    """

    name: str
    """Qualified name in the file; "" for the file itself."""
    locals: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    """Functions and classes defined inside, each under its own name only."""
    captured: frozenset[str] = frozenset()
    homebound: frozenset[str] = frozenset()
    rebound: frozenset[str] = frozenset()
    """Locals that are assigned more than once, or in a loop."""
    imports: dict[str, str] = {}


def parameters(node: cst.FunctionDef | cst.Lambda) -> tuple[cst.Param, ...]:
    """All parameters in the order in which a call fills them: plain, ``*``, by keyword, ``**``."""
    given = node.params
    star = (given.star_arg,) if isinstance(given.star_arg, cst.Param) else ()
    kwargs = (given.star_kwarg,) if given.star_kwarg is not None else ()
    return (*given.posonly_params, *given.params, *star, *given.kwonly_params, *kwargs)


def imported(node: cst.Import | cst.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """Pairs of local name and dotted target; ``*`` as the local name for a star import."""
    if isinstance(node, cst.Import):
        for alias in node.names:
            target = dotted(alias.name)
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                yield alias.asname.name.value, target
            else:
                yield target.split(".")[0], target.split(".")[0]
        return
    base = _absolute(node, package)
    if isinstance(node.names, cst.ImportStar):
        yield "*", base
        return
    for alias in node.names:
        name = dotted(alias.name)
        local = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else name
        yield local, f"{base}.{name}" if base else name


def _absolute(node: cst.ImportFrom, package: str) -> str:
    module = dotted(node.module)
    level = len(node.relative)
    if not level:
        return module
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join([*kept, *([module] if module else [])])


def nodes_of(body: Iterable[cst.CSTNode]) -> list[cst.CSTNode]:
    """Every node of some statements, of nested scopes only the node itself."""
    return [node for statement in body for node in walk(statement)]


_BINDING = frozenset(
    {
        *(cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor, cst.AsName),
        *(cst.FunctionDef, cst.ClassDef, cst.MatchAs, cst.MatchStar),
    }
)


def bound_names(nodes: Iterable[cst.CSTNode]) -> Iterator[str]:
    """The names that nodes bind, once for each binding."""
    for node in nodes:
        if type(node) in _BINDING:
            yield from _bound(node)


def _bound(node: cst.CSTNode) -> Iterator[str]:
    match node:
        case cst.AssignTarget(target=target):
            yield from target_names(target)
        case cst.AnnAssign(target=target, value=value) if value is not None:
            yield from target_names(target)
        case cst.AugAssign(target=target) | cst.NamedExpr(target=target):
            yield from target_names(target)
        case cst.For(target=target) | cst.CompFor(target=target):
            yield from target_names(target)
        case cst.AsName(name=name) if not isinstance(name, cst.BaseString):
            yield from target_names(name)
        case cst.FunctionDef(name=name) | cst.ClassDef(name=name):
            yield name.value
        case cst.MatchAs(name=cst.Name(value=value)) | cst.MatchStar(name=cst.Name(value=value)):
            yield value
        case _:
            return


def target_names(node: cst.CSTNode) -> Iterator[str]:
    """The names that an assignment target binds."""
    match node:
        case cst.Name(value=value):
            yield value
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from target_names(element.value)
        case _:
            return


def declared(nodes: Iterable[cst.CSTNode], kind: type[cst.Global] | type[cst.Nonlocal]) -> frozenset[str]:
    """The names of ``global`` or ``nonlocal`` statements."""
    found: set[str] = set()
    for node in nodes:
        if type(node) is kind:
            assert isinstance(node, cst.Global | cst.Nonlocal)
            found.update(item.name.value for item in node.names)
    return frozenset(found)


def read_inside(nodes: Iterable[cst.CSTNode]) -> frozenset[str]:
    """Names that functions, lambdas and classes among some nodes mention."""
    found: set[str] = set()
    for node in nodes:
        if type(node) in SCOPES:
            found.update(each.value for each in walk(node, into_scopes=True) if isinstance(each, cst.Name))
    return frozenset(found)


_HARMLESS = frozenset({"print", "len", "isinstance", "str", "repr", "bool", "type", "id", "hash"})
"""Builtins that keep nothing of an argument."""


def leaving(body: Iterable[cst.CSTNode]) -> frozenset[str]:
    """Names whose object may be held by something else afterwards: passed, stored, returned or yielded."""
    found: set[str] = set()
    for statement in body:
        _leaves(statement, found)
    return frozenset(found)


def _leaves(node: cst.CSTNode, found: set[str]) -> None:
    stack: list[tuple[cst.CSTNode, bool]] = [(node, False)]
    while stack:
        current, safe = stack.pop()
        kind = type(current)
        if isinstance(current, cst.Name):
            if not safe:
                found.add(current.value)
        elif kind not in SCOPES:
            plain = [(each, False) for each in children(current)] if kind not in _KEEPING else []
            stack.extend(plain or _uses(current))


_KEEPING = frozenset(
    {
        *(cst.Attribute, cst.Subscript, cst.AssignTarget, cst.Call, cst.If, cst.While, cst.Assert),
        *(cst.Comparison, cst.UnaryOperation, cst.WithItem, cst.Del, cst.Expr, cst.For),
    }
)


def _uses(node: cst.CSTNode) -> list[tuple[cst.CSTNode, bool]]:
    """The children of a node, each with whether a bare name there stays at home."""
    match node:
        case cst.Attribute(value=value):
            return [(value, True)]
        case cst.Subscript(value=value, slice=slices):
            return [(value, True), *((each, False) for each in slices)]
        case cst.AssignTarget(target=target):
            return [(target, True)]
        case cst.Call(func=func, args=args):
            safe = isinstance(func, cst.Name) and func.value in _HARMLESS
            return [(func, True), *((arg.value, safe) for arg in args)]
        case cst.If(test=test) | cst.While(test=test) | cst.Assert(test=test):
            return [(test, True), *((each, False) for each in children(node) if each is not test)]
        case cst.Comparison(left=left, comparisons=comparisons):
            return [(left, True), *((each.comparator, True) for each in comparisons)]
        case cst.UnaryOperation(expression=expression):
            return [(expression, True)]
        case cst.WithItem(item=item, asname=asname):
            return [(item, True), *([(asname.name, True)] if asname is not None else [])]
        case cst.Del(target=target):
            return [(target, True)]
        case cst.Expr(value=value):
            return [(value, True)]
        case cst.For(target=target):
            return [(target, True), *((each, False) for each in children(node) if each is not target)]
        case _:
            return [(each, False) for each in children(node)]
