"""What the names of a file mean that libcst does not read. In: a syntax tree of tree-sitter. Out: names."""

import builtins
from collections.abc import Iterator

from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.python.fallback_tree import below, spelled, written
from vmfdlint.ir import Operand

_BUILTINS = frozenset(dir(builtins)) - {"_"}
_BINDING = ("assignment", "augmented_assignment", "for_statement", "for_in_clause", "named_expression")
_TARGETS = ("pattern_list", "tuple_pattern", "list_pattern", "as_pattern_target", "list_splat_pattern")


class Names:
    """What the names of a file mean. ``defined`` are its functions and classes, ``variables`` what its own
    statements bind otherwise."""

    def __init__(self, source: SourceText, module: str) -> None:
        self.source = source
        self.module = module
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.defined: set[str] = set()
        self.variables: set[str] = set()
        self.constants: dict[str, Operand] = {}

    def dotted(self, name: str) -> str:
        """The dotted name of something that is no variable, "" for a variable of the file."""
        if name in self.defined:
            return f"{self.module}.{name}"
        if name in self.imports:
            return self.imports[name]
        if name in self.variables:
            return ""
        return f"*.{name}" if self.stars and name not in _BUILTINS else f"builtins.{name}"


def file_level(root: Node, names: Names) -> None:
    """What the file's own statements bind, and what is imported anywhere in it."""
    for node in below(root, into_scopes=True):
        if node.type == "import_statement":
            for target, local in _imported(node):
                first = target.partition(".")[0]
                names.imports[local or first] = target if local else first
        elif node.type == "import_from_statement":
            base = _base(node, names)
            if any(each.type == "wildcard_import" for each in node.children):
                names.stars.append(base)
            for target, local in _imported(node):
                names.imports[local or target] = f"{base}.{target}" if base else target
    for node in below(root):
        if node.type in ("function_definition", "class_definition"):
            names.defined.add(spelled(node.child_by_field_name("name")))
    names.variables = set(bound(root)) - names.defined - set(names.imports)


def _imported(node: Node) -> Iterator[tuple[str, str]]:
    """Pairs of what an import names and the local name it is given, "" for its own."""
    for each in node.children_by_field_name("name"):
        if each.type == "aliased_import":
            yield spelled(each.child_by_field_name("name")), spelled(each.child_by_field_name("alias"))
        else:
            yield spelled(each), ""


def _base(node: Node, names: Names) -> str:
    """The module an import takes names from, counted from the root of the tree."""
    text = spelled(node.child_by_field_name("module_name"))
    module = text.lstrip(". ")
    level = len(text[: len(text) - len(module)].replace(" ", ""))
    if not level:
        return module
    package = names.module.split(".")
    if not names.source.path.endswith("/__init__.py"):
        package = package[:-1]
    kept = package[: len(package) - level + 1] if level > 1 else package
    return ".".join([*kept, *([module] if module else [])])


def bound(body: Node) -> Iterator[str]:
    """The names that statements bind; nested scopes not at all."""
    for node in below(body):
        if node.type in _BINDING:
            target = node.child_by_field_name("left") or node.child_by_field_name("name")
            yield from _targets(target) if target is not None else ()
        elif node.type == "as_pattern_target":
            yield from _targets(node)


def _targets(node: Node) -> Iterator[str]:
    for each in below(node) if node.type in _TARGETS else [node]:
        if each.type == "identifier" and (
            each == node or each.parent is None or each.parent.type in _TARGETS
        ):
            yield spelled(each)


def declared(body: Node) -> frozenset[str]:
    """The names of ``global`` and ``nonlocal`` statements."""
    kinds = ("global_statement", "nonlocal_statement")
    return frozenset(spelled(name) for node in below(body) if node.type in kinds for name in written(node))
