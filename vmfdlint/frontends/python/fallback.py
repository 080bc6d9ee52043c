"""A file that libcst does not read, function by function: Python 2, syntax errors, what is nested too deep.

In: a source. Out: its functions in the IR, and the place of the first error. tree-sitter reads what it can
and goes on behind what it cannot. Classes have no more than bases, methods and constants; annotations,
decorators and what functions share with those inside them mean nothing.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import msgspec
import tree_sitter_python
from tree_sitter import Language, Node, Parser

from vmfdlint.base import SourceText
from vmfdlint.frontends.contract import BODY, Sketch
from vmfdlint.frontends.python.fallback_expr import Expressions
from vmfdlint.frontends.python.fallback_names import Names, bound, declared, file_level
from vmfdlint.frontends.python.fallback_stmt import Statements, homebound, parts_of
from vmfdlint.frontends.python.fallback_tree import below, inside, literal, spelled, written
from vmfdlint.frontends.python.module import Class, Module, Parameter, Signature, module_name
from vmfdlint.frontends.python.state import named
from vmfdlint.ir import Block, Const, Function, FunctionKey, Operand, Return, Text, Unparsed

_RUN = ("call", "lambda", "await", "yield")
"""What has to run to be worth something."""
_KINDS = {"staticmethod": "static", "classmethod": "class", "property": "property"}
_PYTHON_2 = ("print_statement", "exec_statement")


class Rough(msgspec.Struct, frozen=True):
    """``error`` is the first line that could not be read, ``python2`` the first that only Python 2 has; 0
    for none."""

    module: Module
    error: int
    python2: int


@cache
def _parser() -> Parser:
    """One parser for each process."""
    return Parser(Language(tree_sitter_python.language()))


def rough(source: SourceText) -> Rough:
    """The functions of a file. Never fails."""
    root = _parser().parse(source.data).root_node
    names = Names(source, module_name(source.path))
    file_level(root, names)
    names.constants = _constants(root, names, _once(root))
    functions: dict[str, Function] = {}
    signatures: dict[str, Signature] = {}
    sketches = [Sketch(BODY, 0, len(source.data), ("entry",))]
    functions[BODY] = _lowered(names, BODY, root, root, frozenset(), ())
    for name, owner, node in _definitions(root):
        body = node.child_by_field_name("body")
        if body is None:
            continue
        kind, changes = _decorated(node)
        if name in functions:
            name = f"{name}.{changes}" if changes else f"{name}#{source.point(node.start_byte)[0]}"
        parameters = _parameters(node, names)
        params = tuple(dict.fromkeys(each.name for each in parameters))
        local = frozenset((*params, *bound(body))) - declared(body)
        functions[name] = _lowered(names, name, node, body, local, params, owner)
        signatures[name] = Signature(parameters, kind or ("method" if owner else "function"), owner)
        sketches.append(Sketch(name, node.start_byte, node.end_byte))
    module = Module(
        source.path,
        names.module,
        functions,
        signatures,
        _classes(root, names),
        imports=names.imports,
        stars=tuple(names.stars),
        constants=dict(names.constants),
        sketches=tuple(sketches),
        texts=tuple(_texts(root)),
    )
    error, python2 = _places(root, source)
    return Rough(module, error, python2)


def _places(root: Node, source: SourceText) -> tuple[int, int]:
    """The lines of the first error and of the first statement that only Python 2 has."""
    beyond = len(source.data) + 1
    error = python2 = beyond
    for node in below(root, into_scopes=True):
        if node.is_error or node.is_missing:
            error = min(error, node.start_byte)
        elif node.type in _PYTHON_2:
            python2 = min(python2, node.start_byte)
    return (
        source.point(error)[0] if error < beyond else 0,
        source.point(python2)[0] if python2 < beyond else 0,
    )


def _texts(root: Node) -> Iterator[tuple[int, str]]:
    """The string literals, with their byte offsets."""
    for node in below(root, into_scopes=True):
        if node.type == "string" and (text := literal(spelled(node))):
            yield node.start_byte, text


def _definitions(root: Node) -> Iterator[tuple[str, str, Node]]:
    """Every function: its qualified name, the class it is a method of, its node."""
    stack = [(root, "", "")]
    while stack:
        node, prefix, owner = stack.pop()
        if node.type == "function_definition":
            name = prefix + spelled(node.child_by_field_name("name"))
            yield name, owner, node
            prefix, owner = f"{name}.", ""
        elif node.type == "class_definition":
            owner = prefix + spelled(node.child_by_field_name("name"))
            prefix = f"{owner}."
        stack.extend((child, prefix, owner) for child in reversed(inside(node)))


def _once(body: Node) -> frozenset[str]:
    """The names that statements bind once."""
    counts = Counter(bound(body))
    return frozenset(name for name, count in counts.items() if count == 1)


def _constants(body: Node, names: Names, wanted: frozenset[str]) -> dict[str, Operand]:
    """The ``wanted`` names that the statements of a file or a class give a constant."""
    found: dict[str, Operand] = {}
    for statement in written(body):
        for node in written(statement) if statement.type == "expression_statement" else ():
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if node.type != "assignment" or left is None or right is None:
                continue
            pairs = list(zip(parts_of(left), parts_of(right), strict=False)) or [(left, right)]
            for target, value in pairs:
                name = spelled(target)
                given = _constant(value, names) if name in wanted else None
                if given is not None:
                    found[name] = named(given, name)
    return found


def _constant(node: Node, names: Names) -> Const | Text | None:
    """What an expression is worth without running anything."""
    if any(each.type in _RUN for each in below(node)):
        return None
    try:
        given = Expressions(names, frozenset()).value(node)
    except RecursionError:
        return None
    return given if isinstance(given, Const | Text) else None


def _classes(root: Node, names: Names) -> dict[str, Class]:
    found: dict[str, Class] = {}
    for name, body, node in _class_bodies(root):
        bases = node.child_by_field_name("superclasses")
        lowering = Expressions(names, frozenset())
        inherited = (lowering.static_name(each) for each in (written(bases) if bases is not None else ()))
        found[name] = Class(
            name,
            tuple(filter(None, inherited)),
            tuple(_methods(body)),
            _constants(body, names, frozenset(bound(body))),
        )
    return found


def _class_bodies(root: Node) -> Iterator[tuple[str, Node, Node]]:
    """Every class: its qualified name, its body, its node."""
    stack = [(root, "")]
    while stack:
        node, prefix = stack.pop()
        if node.type in ("function_definition", "class_definition"):
            name = prefix + spelled(node.child_by_field_name("name"))
            body = node.child_by_field_name("body")
            if node.type == "class_definition" and body is not None:
                yield name, body, node
            prefix = f"{name}."
        stack.extend((child, prefix) for child in reversed(inside(node)))


def _methods(body: Node) -> Iterator[str]:
    for each in written(body):
        definition = each.child_by_field_name("definition") if each.type == "decorated_definition" else each
        if definition is not None and definition.type == "function_definition":
            yield spelled(definition.child_by_field_name("name"))


def _decorated(node: Node) -> tuple[str, str]:
    """What decorators make of a function: its kind, and what it does to a property; "" where nothing."""
    above = node.parent
    kind = changes = ""
    for each in written(above) if above is not None and above.type == "decorated_definition" else ():
        given = spelled(each).removeprefix("@").strip()
        if each.type == "decorator":
            kind = _KINDS.get(given, kind)
            changes = given.rpartition(".")[2] if "." in given and "(" not in given else changes
    return kind, changes


def _parameters(node: Node, names: Names) -> tuple[Parameter, ...]:
    given = node.child_by_field_name("parameters")
    found: list[Parameter] = []
    kind = "plain"
    for each in written(given) if given is not None else ():
        name = each.child_by_field_name("name")
        first = name or next((part for part in below(each) if part.type == "identifier"), None)
        if each.type == "keyword_separator":
            kind = "keyword"
        elif first is not None and "list_splat" in _kinds(each):
            found.append(Parameter(spelled(first), "*"))
            kind = "keyword"
        elif first is not None and "dictionary_splat" in _kinds(each):
            found.append(Parameter(spelled(first), "**"))
        elif first is not None:
            value = each.child_by_field_name("value")
            default = _constant(value, names) if value is not None else None
            found.append(Parameter(spelled(first), kind, value is not None, default))
    return tuple({each.name: each for each in found}.values())


def _kinds(node: Node) -> set[str]:
    return {part.type.removesuffix("_pattern") for part in (node, *node.children)}


def _lowered(
    names: Names,
    name: str,
    node: Node,
    body: Node,
    local: frozenset[str],
    params: tuple[str, ...],
    owner: str = "",
) -> Function:
    whole = name == BODY
    at = names.source.span(0, len(names.source.data)) if whole else names.source.span(*node.byte_range)
    record = f"{names.module}.{owner}" if owner and params else ""
    lowering = Statements(names, local, params[0] if record else "", record)
    lowering.drops = tuple(each for each in homebound(body, local) if each not in params)
    try:
        lowering.function(body, node)
        blocks = lowering.graph.blocks()
    except RecursionError:
        mentioned = (
            () if whole else tuple(sorted({spelled(n) for n in below(body) if n.type == "identifier"}))
        )
        blocks = (Block((Unparsed(mentioned, at), Return(None, at)), ()),)
    types = ((params[0], record),) if record else ()
    key = FunctionKey(names.source.path, name)
    return Function(key, params, blocks, at, ("entry",) if whole else (), types)
