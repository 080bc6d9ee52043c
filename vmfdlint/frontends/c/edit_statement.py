"""Lines beside a statement of C: behind the one that stores a result, before the one that leaves."""

import re

from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.syntax import CONDITIONAL, parts
from vmfdlint.frontends.changes import Before, Behind, Changed, Replacement, Spot
from vmfdlint.frontends.edit_text import (
    NotHere,
    filled,
    indent_at,
    line_end,
    line_ending,
    text_at,
    with_variable,
)

_LISTS = frozenset({"compound_statement", "case_statement"}) | CONDITIONAL
"""What holds one statement after the other."""
_SIMPLE = frozenset({"identifier", "field_expression", "subscript_expression", "pointer_expression"})
_LEAVES = frozenset({"return_statement", "goto_statement", "break_statement", "continue_statement"})


def behind(source: SourceText, call: Node, change: Behind) -> Changed:
    """A line behind the statement in which the result of ``call`` is stored. Raises NotHere."""
    value = call
    while value.parent is not None and value.parent.type in ("parenthesized_expression", "cast_expression"):
        value = value.parent
    holder = value.parent
    if holder is None:
        raise NotHere
    if holder.type == "init_declarator":
        target = holder.child_by_field_name("declarator")
        plain = holder.parent is not None and len(_declared(holder.parent)) == 1
    elif holder.type == "assignment_expression" and holder.child_by_field_name("right") == value:
        target = holder.child_by_field_name("left")
        plain = holder.parent is not None and holder.parent.type == "expression_statement"
    else:
        raise NotHere
    if target is None or target.type not in _SIMPLE or _calls(target):
        raise NotHere
    result = text_at(source, target.start_byte, target.end_byte)
    statement = _statement(holder)
    if statement.type == "if_statement" and not _inside(statement.child_by_field_name("condition"), holder):
        raise NotHere
    checked = statement.type == "if_statement" and _fails(source, statement, result)
    statement = _after_declarations(statement)
    following = statement.next_named_sibling
    if not checked and following is not None and _fails(source, following, result):
        statement, checked = following, True
    indent = indent_at(source, statement.start_byte)

    def look_up(word: str, _rest: str) -> str:
        if word != "result":
            raise NotHere
        return result

    lines = [indent + filled(change.line, look_up)]
    if change.guard and not checked:
        lines = [f"{indent}if ({filled(change.guard, look_up)})", indent + _unit(indent) + lines[0].lstrip()]
    at = _free_end(source, statement)
    newline = line_ending(source)
    return Changed((Replacement(at, at, "".join(newline + line for line in lines)),), plain)


def before(source: SourceText, statement: Node, spot: Spot, change: Before) -> Changed:
    """A line for each variable before a statement that leaves. Raises NotHere where that uses one of them, or
    calls something."""
    inner = text_at(source, statement.start_byte, statement.end_byte)
    if _calls(statement) or not spot.variables:
        raise NotHere
    if any(re.search(rf"\b{re.escape(name)}\b", inner) for name in spot.variables):
        raise NotHere
    lines = [with_variable(change.line, name) for name in spot.variables]
    newline = line_ending(source)
    parent = statement.parent
    if parent is not None and parent.type in _LISTS:
        indent = indent_at(source, statement.start_byte)
        text = "".join(f"{line}{newline}{indent}" for line in lines)
        return Changed((Replacement(statement.start_byte, statement.start_byte, text),))
    return Changed(_braced(source, statement, lines, newline))


def _braced(source: SourceText, statement: Node, lines: list[str], newline: str) -> tuple[Replacement, ...]:
    """The only statement of an if or an else, with the lines, in braces."""
    parent = statement.parent
    if parent is None or parent.type not in ("if_statement", "else_clause"):
        raise NotHere
    previous = statement.prev_sibling
    outer = parent if parent.type == "if_statement" else parent.parent
    if previous is None or outer is None:
        raise NotHere
    if source.data[previous.end_byte : statement.start_byte].strip():
        raise NotHere  # a comment
    while outer.parent is not None and outer.parent.type in ("else_clause", "if_statement"):
        outer = outer.parent
    indent = indent_at(source, outer.start_byte)
    deeper = indent + _unit(indent)
    text = f" {{{newline}" + "".join(f"{deeper}{line}{newline}" for line in lines) + deeper
    at = _free_end(source, statement)
    return (
        Replacement(previous.end_byte, statement.start_byte, text),
        Replacement(at, at, f"{newline}{indent}}}"),
    )


def _statement(node: Node) -> Node:
    """The statement around a node that stands among others."""
    while node.parent is not None and node.parent.type not in _LISTS:
        node = node.parent
        if node.type == "function_definition":
            raise NotHere
    if node.parent is None or node.type not in ("declaration", "expression_statement", "if_statement"):
        raise NotHere
    return node


def _after_declarations(statement: Node) -> Node:
    """The last of the declarations that follow one another: no statement comes between them."""
    while (
        statement.type == "declaration"
        and statement.next_named_sibling is not None
        and statement.next_named_sibling.type == "declaration"
    ):
        statement = statement.next_named_sibling
    return statement


def _fails(source: SourceText, node: Node, result: str) -> bool:
    """Whether an if leaves where the result says that the call failed."""
    condition, consequence = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    if node.type != "if_statement" or condition is None or consequence is None:
        return False
    if node.child_by_field_name("alternative") is not None:
        return False
    text = re.sub(r"\s", "", text_at(source, condition.start_byte, condition.end_byte))
    name = re.escape(re.sub(r"\s", "", result))
    if not re.fullmatch(rf"\((?:{name}|\({name}=[^=].*\))(?:<0|==-1)\)", text):
        return False
    last = parts(consequence)[-1:] if consequence.type == "compound_statement" else [consequence]
    return bool(last) and last[0].type in _LEAVES


def _declared(declaration: Node) -> list[Node]:
    return declaration.children_by_field_name("declarator")


def _inside(outer: Node | None, inner: Node) -> bool:
    return outer is not None and outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def _calls(node: Node) -> bool:
    """Whether a node does more than name values."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in ("call_expression", "assignment_expression", "update_expression"):
            return True
        stack.extend(current.children)
    return False


def _unit(indent: str) -> str:
    """One step further in."""
    if "\t" in indent:
        return "\t"
    return "  " if len(indent) % 4 == 2 else "    "


def _free_end(source: SourceText, statement: Node) -> int:
    """The end of the line that a statement ends on, where nothing but a comment stands behind it."""
    end = line_end(source, statement.end_byte)
    rest = source.data[statement.end_byte : end].strip()
    if rest and not rest.startswith(b"//") and not re.fullmatch(rb"/\*(?:(?!\*/).)*\*/", rest):
        raise NotHere
    if rest.endswith(b"\\"):
        raise NotHere
    return end
