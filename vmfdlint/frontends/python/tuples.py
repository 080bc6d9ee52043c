"""Classes that a call makes: ``Handles = namedtuple("Handles", "kvm vm")``.

In: a statement at file level. Out: the class that its name is, as if it had been written out.
"""

import libcst as cst

from vmfdlint.frontends.python.module import Class
from vmfdlint.frontends.python.syntax import dotted, literal

_BASE = "collections.NamedTuple"
_MAKERS = frozenset(("collections.namedtuple", "typing.NamedTuple"))


def tuple_class(node: cst.CSTNode, imports: dict[str, str]) -> Class | None:
    """The class of named tuples that a statement makes, None for any other statement or where the fields are
    not written there. ``imports``: the names that the file imports, with what they are."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1 or not isinstance(node.value, cst.Call):
        return None
    target, call = node.targets[0].target, node.value
    first, _, rest = dotted(call.func).partition(".")
    maker = ".".join(filter(None, (imports.get(first, first), rest)))
    if not isinstance(target, cst.Name) or maker not in _MAKERS or len(call.args) < 2:
        return None
    fields = _fields(call.args[1].value)
    return Class(target.value, (_BASE,), fields=tuple((name, "") for name in fields)) if fields else None


def _fields(node: cst.BaseExpression) -> tuple[str, ...]:
    """The names of the fields: in one text, or as a list of texts or of pairs with types; () where one is not
    written out."""
    text = literal(node)
    if text is not None:
        return tuple(text.replace(",", " ").split())
    if not isinstance(node, cst.List | cst.Tuple):
        return ()
    names = [_name(each.value) for each in node.elements]
    return tuple(name for name in names if name is not None) if None not in names else ()


def _name(node: cst.BaseExpression) -> str | None:
    return literal(node.elements[0].value if isinstance(node, cst.Tuple) and node.elements else node)
