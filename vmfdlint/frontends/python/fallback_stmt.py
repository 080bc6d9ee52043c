"""Statements of a file that libcst does not read. In: a block of nodes. Out: a function's graph."""

from tree_sitter import Node

from vmfdlint.frontends.python.fallback_flow import Flow
from vmfdlint.frontends.python.fallback_tree import SCOPES, below, spelled, written
from vmfdlint.frontends.python.state import NONE
from vmfdlint.ir import Field, Opaque, Operand, Place, Unparsed, step_by

_NOTHING = (
    *("decorated_definition", "class_definition", "function_definition", "pass_statement"),
    *("import_statement", "import_from_statement", "future_import_statement"),
    *("global_statement", "nonlocal_statement", "type_alias_statement"),
)


class Statements(Flow):
    """What a statement does."""

    def block(self, node: Node) -> None:
        """Lowers statements one after the other."""
        for each in written(node):
            self.statement(each)

    def statement(self, node: Node) -> None:
        """Lowers one statement."""
        match node.type:
            case "expression_statement" | "print_statement" | "exec_statement":
                for each in written(node):
                    self._expression(each)
            case "return_statement":
                given = written(node)
                self.leave(self.value(given[0]) if given else NONE, node)
            case "raise_statement":
                self.raise_(node)
            case "if_statement":
                self.if_(node)
            case "while_statement":
                self.while_(node)
            case "for_statement":
                self.for_(node)
            case "try_statement":
                self.try_(node)
            case "with_statement":
                self.with_(node)
            case "break_statement" | "continue_statement":
                self.jump(again=node.type == "continue_statement")
            case "delete_statement":
                for each in (each for child in written(node) for each in below(child)):
                    if each.type == "identifier" and spelled(each) in self.locals:
                        self.assign(self.place_of(spelled(each)), NONE, node)
            case "assert_statement":
                after = self.graph.new()
                if written(node):
                    self.branch(written(node)[0], after, self.graph.new())
                self.graph.start(after)
            case kind if kind in _NOTHING:
                return
            case _:
                self._unparsed(node)

    def _unparsed(self, node: Node) -> None:
        names = {spelled(each) for each in below(node) if each.type == "identifier"}
        self.graph.emit(Unparsed(tuple(sorted(names)), self.at(node)))

    def _expression(self, node: Node) -> None:
        if node.type == "assignment":
            self._assignment(node)
        elif node.type == "augmented_assignment":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None:
                operator = node.child_by_field_name("operator")
                sign = operator.type[:-1] if operator is not None else ""
                self.store(left, step_by(sign, self.value(right)) or Opaque(node.type), node)
        elif node.type == "ERROR":
            self._unparsed(node)
        elif node.type not in ("string", "concatenated_string"):
            given = self.value(node)
            if isinstance(given, Place) and given.name.startswith("%t") and not given.fields:
                self.drop(given, node)

    def _assignment(self, node: Node) -> None:
        targets: list[Node] = []
        right: Node | None = node
        while right is not None and right.type == "assignment":
            left = right.child_by_field_name("left")
            if left is not None:
                targets.append(left)
            right = right.child_by_field_name("right")
        if right is None:
            return
        left_parts, right_parts = parts_of(targets[0]), parts_of(right)
        if len(targets) == 1 and len(left_parts) == len(right_parts) > 1:
            given = [self.settled(self.value(part), part) for part in right_parts]
            for part, value in zip(left_parts, given, strict=True):
                self.store(part, value, node)
            return
        result = self.value(right)
        for target in targets:
            self.store(target, result, node)

    def store(self, target: Node, value: Operand, node: Node) -> None:
        """Lowers the assignment of a value to a target."""
        if target.is_missing:
            return
        if target.type == "identifier":
            self.assign(self.place_of(spelled(target)), value, node)
        elif target.type in ("attribute", "subscript"):
            place = self.value(target)
            if isinstance(place, Place):
                self.assign(place, value, node)
        elif parts := parts_of(target):
            source = self.settled(value, node)
            for index, part in enumerate(parts):
                self.store(part, source.step(Field(f"[{index}]", "", True)), node)


def parts_of(node: Node) -> list[Node]:
    """The elements of a tuple or list that is written out; [] for anything else."""
    kinds = ("pattern_list", "tuple_pattern", "list_pattern", "expression_list", "tuple", "list")
    return written(node) if node.type in kinds else []


def homebound(body: Node, local: frozenset[str]) -> tuple[str, ...]:
    """Locals whose object stays in the function: only its members are used. Sorted."""
    left: set[str] = set()
    for each in below(body, into_scopes=True):
        if each.type != "identifier" or spelled(each) not in local:
            continue
        above = each.parent
        stays = above is not None and (
            (above.type == "attribute" and above.child_by_field_name("object") == each)
            or (above.type == "assignment" and above.child_by_field_name("left") == each)
            or above.type in ("as_pattern_target", "expression_statement")
        )
        inside = above
        while stays and inside is not None and inside != body:
            stays = inside.type not in SCOPES
            inside = inside.parent
        if not stays:
            left.add(spelled(each))
    return tuple(sorted(local - left))
