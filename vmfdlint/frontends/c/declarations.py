"""What one file declares. In: source text. Out: types, fields, constants and variables."""

import re
from collections.abc import Container, Sequence
from functools import cache, lru_cache

import msgspec
import tree_sitter_c
from tree_sitter import Language, Node, Query, QueryCursor

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.constants import Value, evaluate
from vmfdlint.frontends.c.declarators import THREAD_WORDS, CType, Declared, declared, storage_of, text_of
from vmfdlint.frontends.c.even import even
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.parse import parsed, tree_of
from vmfdlint.ir import Const

__all__ = [
    "CType",
    "Declaration",
    "Declarations",
    "Declared",
    "cast_results",
    "declarations",
    "declared",
    "fragment_type",
]

_CAST = re.compile(rb"\b(" + b"|".join(sorted(MACROS.casts)) + rb")\s*\(([^()]*)\)")
_CONDITIONALS = ("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef")
_CONTAINERS = frozenset(
    (*_CONDITIONALS, "translation_unit", "linkage_specification", "declaration_list", "ERROR")
)
_MEMBERS = frozenset((*_CONDITIONALS, "field_declaration_list", "ERROR"))


class Declaration(msgspec.Struct, frozen=True):
    """A variable as declared at file level."""

    type: CType
    static: bool
    per_thread: bool


class Declarations(msgspec.Struct, frozen=True):
    """What a file declares at file level; types are as written. Anonymous inner records are flattened.

    ``records`` has local ones too, those without a tag by the name of their variable. A named field of an
    anonymous inner record gets the synthetic record ``Outer.field``. ``constants`` holds enum constants (None
    where not a plain number).
    """

    typedefs: dict[str, CType]
    records: dict[str, dict[str, CType]]
    constants: dict[str, int | None]
    variables: dict[str, Declaration]


@cache
def _query() -> Query:
    return Query(
        Language(tree_sitter_c.language()),
        "[(struct_specifier body: (_)) (union_specifier body: (_))] @record (enum_specifier body: (_)) @enum",
    )


def declarations(source: SourceText) -> Declarations:
    """Parse a file and list what it declares; cached by content."""
    return _declarations(source.data)


@lru_cache(maxsize=2048)
def _declarations(data: bytes) -> Declarations:
    result = Declarations({}, {}, {}, {})
    root = parsed(data).root
    captures = QueryCursor(_query()).captures(root)
    # They come in no certain order; of two definitions the first counts.
    for node in sorted(captures.get("record", ()), key=lambda node: node.start_byte):
        tag = node.child_by_field_name("name")
        if tag is not None:
            _members(node, text_of(tag), result.records)
    for node in sorted(captures.get("enum", ()), key=lambda node: node.start_byte):
        _enumerators(node, result.constants)
    pending = [root]
    while pending:
        node = pending.pop()
        if node.type in _CONTAINERS:
            pending.extend(reversed(node.named_children))
        elif node.type == "type_definition":
            _typedef(node, result)
        elif node.type == "declaration":
            _declaration(node, result)
    result.records.update(_local_records(captures.get("record", ()), result.records))
    return result


def _local_records(nodes: Sequence[Node], known: Container[str]) -> dict[str, dict[str, CType]]:
    """The members of records without a tag that functions declare variables with, by the variable's name;
    without those of a name that is another record's too."""
    found: dict[str, dict[str, CType]] = {}
    differing: set[str] = set()
    for node in nodes:
        parent = node.parent
        if parent is None or parent.type != "declaration" or node.child_by_field_name("name") is not None:
            continue
        for each in declared(parent):
            here: dict[str, dict[str, CType]] = {}
            _members(node, each.type.record, here)
            for tag, fields in here.items():
                if tag in known or found.setdefault(tag, fields) != fields:
                    differing.add(tag)
    return {tag: fields for tag, fields in found.items() if tag not in differing}


def _members(node: Node, tag: str, records: dict[str, dict[str, CType]]) -> None:
    """Add the members of a record node to ``records[tag]``, and of unnamed records inside it."""
    body = node.child_by_field_name("body")
    if body is None:
        return
    fields = records.setdefault(tag, {})
    pending = [body]
    while pending:
        current = pending.pop()
        if current.type in _MEMBERS:
            pending.extend(reversed(current.named_children))
        elif current.type == "field_declaration":
            specifier = current.child_by_field_name("type")
            names = declared(current, tag)
            inner = specifier is not None and specifier.type in ("struct_specifier", "union_specifier")
            unnamed = inner and specifier is not None and specifier.child_by_field_name("name") is None
            if unnamed and specifier is not None and not names:
                _members(specifier, tag, records)
            for each in names:
                fields.setdefault(each.name, each.type)
                if unnamed and specifier is not None:
                    _members(specifier, each.type.record, records)


def _enumerators(node: Node, constants: dict[str, int | None]) -> None:
    body = node.child_by_field_name("body")
    following: int | None = 0

    def named(name: str) -> Value:
        return Const(constants[name]) if name in constants else None

    pending = list(reversed(body.named_children)) if body is not None else []
    while pending:
        child = pending.pop()
        if child.type.startswith("preproc_"):
            pending.extend(reversed(child.named_children))
        if child.type != "enumerator":
            continue
        name = child.child_by_field_name("name")
        value = child.child_by_field_name("value")
        if value is not None:
            result = evaluate(text_of(value), named, lambda _name, _args: None)
            following = result.value if isinstance(result, Const) else None
        if name is not None:
            constants[text_of(name)] = following
        following = None if following is None else following + 1


def _unnamed_record(node: Node, names: tuple[Declared, ...], result: Declarations) -> None:
    """``struct { … } x``: its members under the tag that :func:`declared` gave it."""
    specifier = node.child_by_field_name("type")
    if specifier is None or specifier.type not in ("struct_specifier", "union_specifier"):
        return
    if specifier.child_by_field_name("name") is None:
        for each in names:
            _members(specifier, each.type.record, result.records)


def _typedef(node: Node, result: Declarations) -> None:
    names = declared(node)
    _unnamed_record(node, names, result)
    for each in names:
        result.typedefs.setdefault(each.name, each.type)


def _declaration(node: Node, result: Declarations) -> None:
    names = declared(node)
    _unnamed_record(node, names, result)
    for each in names:
        if each.type.function and _declares_function(each.node):
            continue
        if each.name not in result.variables or each.value is not None:
            storage = storage_of(node)
            per_thread = not THREAD_WORDS.isdisjoint(storage)
            result.variables[each.name] = Declaration(each.type, "static" in storage, per_thread)


def _declares_function(name: Node) -> bool:
    """Whether the name itself is the function: ``int f(void)``, ``int *(f)(void)``, but not ``int
    (*f)(void)``.
    """
    parent = name.parent
    while parent is not None and parent.type == "parenthesized_declarator":
        parent = parent.parent
    return parent is not None and parent.type == "function_declarator"


@lru_cache(maxsize=4096)
def cast_results(data: bytes) -> dict[str, CType]:
    """Results of the checked casts that macros of an object model declare; found without a parse."""
    results: dict[str, CType] = {}
    for match in _CAST.finditer(data):
        inside = match.group(2).split(b",")
        for cast in MACROS.casts[match.group(1)]:
            if cast.fits(inside):
                record = inside[cast.record].strip().decode("utf-8", "replace")
                name = cast.named(inside).decode("utf-8", "replace")
                results.setdefault(name, CType(pointer=1, name=record))
    return results


@lru_cache(maxsize=4096)
def fragment_type(text: bytes) -> CType | None:
    """The type before a name, from the text of a declaration up to that name (``static struct kvm *``)."""
    root = tree_of(even(b"%s name_here();" % text)).root_node
    for node in root.named_children:
        if node.type == "declaration":
            for each in declared(node):
                if each.name == "name_here":
                    return CType(each.type.record, each.type.pointer, False, False, each.type.name)
    return None
