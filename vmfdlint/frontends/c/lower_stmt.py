"""Statements. In: syntax nodes of a body. Out: blocks and edges."""

from collections.abc import Callable

from tree_sitter import Node

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.declarators import declared
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.lower_expr import pointer_to
from vmfdlint.frontends.c.lower_loop import Loops
from vmfdlint.frontends.c.state import UNKNOWN, Scope, Typed
from vmfdlint.frontends.c.syntax import names_in, parts, text_of
from vmfdlint.ir import Opaque, Place, Return, Unparsed

_TYPE_WORDS = frozenset({"typeof", "__typeof__", "__typeof", "_Atomic", "typeof_unqual"})


class Statements(Loops):
    """The last layer: dispatch over statements, and what to do about damage."""

    def __init__(self, source: SourceText, environment: Environment, name: str) -> None:
        super().__init__(source, environment, name)
        self._statements: dict[str, Callable[[Node], None]] = {
            "compound_statement": self._compound,
            "expression_statement": self._expression_statement,
            "declaration": self._declaration,
            "if_statement": self._if,
            "else_clause": self._children,
            "while_statement": self.while_loop,
            "do_statement": self.do_loop,
            "for_statement": self.for_loop,
            "switch_statement": self.switch,
            "case_statement": self.case,
            "labeled_statement": self.labeled,
            "attributed_statement": self._children,
            "return_statement": self._return_statement,
            "goto_statement": self.goto,
            "break_statement": self.break_from,
            "continue_statement": self.continue_from,
            "preproc_if": self._preproc,
            "preproc_ifdef": self._preproc,
            "comment": self._nothing,
            "function_definition": self._nothing,
            "type_definition": self._nothing,
            "struct_specifier": self._nothing,
            "union_specifier": self._nothing,
            "enum_specifier": self._nothing,
            "attribute_declaration": self._nothing,
            "attribute_specifier": self._nothing,
            "preproc_include": self._nothing,
            "preproc_def": self._nothing,
            "preproc_function_def": self._nothing,
            "preproc_call": self._nothing,
        }

    def statement(self, node: Node) -> None:
        """Lowers one statement; one of an unknown kind gives Unparsed."""
        if self.fragment.span is None:
            self.line = node.start_point[0] + 1
        handler = self._statements.get(node.type)
        if handler is None:
            self.unread(node)
            return
        handler(node)

    def unread(self, node: Node) -> None:
        """Emits Unparsed for a whole node, if it holds any name."""
        names = tuple(sorted(names_in(node)))
        if names:
            self.graph.emit(Unparsed(names, self.at(node)))

    def block_value(self, node: Node, dst: Place | None = None) -> Typed:
        """The value of a statement expression, stored in ``dst`` if given; ``node`` is its compound
        statement."""
        statements = [child for child in node.named_children if child.type != "comment"]
        found = Typed(Opaque("void"), UNKNOWN)
        self.scopes.append(Scope())
        for child in statements[:-1]:
            self.statement(child)
        if statements:
            last = statements[-1]
            inner = parts(last)
            if last.type == "expression_statement" and len(inner) == 1:
                if dst is not None:
                    found = Typed(dst, self.assign_from(dst, inner[0], inner[0]))
                else:
                    found = self.value(inner[0])
                if dst is None and self.scopes[-1].cleanups and isinstance(found.operand, Place):
                    kept = self.temp(found.type)
                    self.assign(kept, found.operand, last)
                    found = Typed(kept, found.type)
            else:
                self.statement(last)
        self.leave(len(self.scopes) - 1, node)
        self.scopes.pop()
        return found

    def _nothing(self, node: Node) -> None:
        """Declarations of types, directives and nested functions do nothing here."""

    def _children(self, node: Node) -> None:
        for child in node.named_children:
            if child.type not in ("attribute_declaration", "attribute_specifier"):
                self.statement(child)

    def _compound(self, node: Node) -> None:
        self.scopes.append(Scope())
        for child in node.named_children:
            self.statement(child)
        if self.scopes[-1].cleanups:
            self.leave(len(self.scopes) - 1, node.children[-1])
        self.scopes.pop()

    def _expression_statement(self, node: Node) -> None:
        self.damage(node)
        if self._bare_use(node):
            return
        for inner in parts(node):
            if self._declares(inner):
                continue
            if inner.type != "identifier" or not self._bare_name(inner):
                self.discard(inner)

    def _bare_use(self, node: Node) -> bool:
        """A macro used as a statement without a semicolon, which the pre-pass has put there."""
        original = self.written(node)
        if not original.endswith(b")"):
            return False
        name = original.partition(b"(")[0].strip().decode("ascii", "replace")
        return self._lowered(node, self.read_text(original.decode("utf-8", "replace") + ";", name), name)

    def _declares(self, node: Node) -> bool:
        """``AUTO(fd) = open(path);`` with a macro that is a declaration up to the initialiser."""
        left = node.child_by_field_name("left") if node.type == "assignment_expression" else None
        callee = left.child_by_field_name("function") if left is not None else None
        arguments = left.child_by_field_name("arguments") if left is not None else None
        if left is None or callee is None or arguments is None or callee.type != "identifier":
            return False
        macro = self.callable_macro(text_of(callee))
        if macro is None:
            return False
        after = self.fragment.original[left.end_byte : node.end_byte].decode("utf-8", "replace") + ";"
        given = self.written(arguments).decode("utf-8", "replace")[1:-1]
        snippet = self.expansion_of(macro, given, after)
        if snippet is None or [statement.type for statement in snippet[1]] != ["declaration"]:
            return False
        return self._lowered(node, snippet, macro.name)

    def _lowered(self, node: Node, snippet: tuple[bytes, tuple[Node, ...]] | None, name: str) -> bool:
        """Lowers the statements that a macro's use stands for; False where they could not be read."""
        if snippet is None:
            return False
        with self.within(node, name, snippet[0]):
            for statement in snippet[1]:
                self.statement(statement)
        return True

    def _bare_name(self, node: Node) -> bool:
        """``NAME;`` alone is the mark of a loop macro's body, or an object-like macro that stands for a
        statement."""
        if self.marked_body(node):
            return True
        name = text_of(node)
        macro = (
            self.environment.macro(name) if self.lookup(name) is None and name not in self.expanding else None
        )
        if macro is None or macro.params is not None:
            return False
        return self._lowered(node, self.read_text(macro.body, name), name)

    def _declaration(self, node: Node) -> None:
        self.damage(node)
        kind = node.child_by_field_name("type")
        if kind is not None and kind.type == "macro_type_specifier":
            name = kind.child_by_field_name("name")
            if name is not None and text_of(name) not in _TYPE_WORDS and self._misread(node, kind):
                return
        self.declaration(node)

    def _misread(self, node: Node, kind: Node) -> bool:
        """``MACRO(x) f(y);`` is two statements that the grammar takes for one declaration."""
        declarator = node.child_by_field_name("declarator")
        if declarator is None or declarator.type != "function_declarator":
            return False
        text = self.written(kind) + b"; " + self.fragment.original[declarator.start_byte : node.end_byte]
        return self._lowered(node, self.read_text(text.decode("utf-8", "replace"), ""), "")

    def _if(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        if self.fragment.original[node.start_byte : node.start_byte + 2] != b"if":
            self.macro_loop(node, condition, node.child_by_field_name("consequence"))
            return
        graph = self.graph
        join = graph.new()
        current: Node | None = node
        # A chain of else-ifs can be long: it is walked, not nested.
        while current is not None:
            condition, consequence = (
                current.child_by_field_name("condition"),
                current.child_by_field_name("consequence"),
            )
            yes, no = graph.new(), graph.new()
            self.damage(condition)
            if condition is None:
                graph.edge(graph.current, yes)
                graph.go(no)
            else:
                self.branch(condition, yes, no)
            graph.start(yes)
            if consequence is not None:
                self.statement(consequence)
            graph.go(join)
            graph.start(no)
            alternative = current.child_by_field_name("alternative")
            current = None
            if alternative is not None:
                inner = alternative.named_children
                if len(inner) == 1 and inner[0].type == "if_statement" and self._is_if(inner[0]):
                    current = inner[0]
                else:
                    self.statement(alternative)
        graph.flow(join)

    def _is_if(self, node: Node) -> bool:
        return self.fragment.original[node.start_byte : node.start_byte + 2] == b"if"

    def _return_statement(self, node: Node) -> None:
        self.damage(node)
        inner = parts(node)
        self.return_from(inner[0] if inner else None, node)

    def _preproc(self, node: Node) -> None:
        """#if in a body: every branch is possible, also none of them where there is no #else."""
        graph = self.graph
        start, join = graph.current, graph.new()
        current: Node | None = node
        complete = False
        graph.end()
        while current is not None:
            skipped = {
                child.id
                for field in ("name", "condition", "alternative")
                if (child := current.child_by_field_name(field)) is not None
            }
            condition = current.child_by_field_name("condition")
            dead = condition is not None and text_of(condition).strip() == "0"
            block = graph.new()
            if not dead:
                graph.edge(start, block)
            graph.start(block)
            for child in current.named_children:
                if child.id not in skipped:
                    self.statement(child)
            graph.go(join)
            complete = complete or current.type == "preproc_else"
            current = current.child_by_field_name("alternative")
        if not complete:
            graph.edge(start, join)
        graph.start(join)

    # A whole function

    def parameters(self, node: Node | None) -> tuple[str, ...]:
        """Declares the parameters; one without a name still takes its place."""
        names: list[str] = []
        for child in parts(node) if node is not None else ():
            if child.type != "parameter_declaration":
                continue
            found = declared(child)
            if found and found[0].name:
                ctype = self.declared_type(found[0], child)
                if ctype.array:
                    # An array parameter is a pointer.
                    ctype = pointer_to(ctype)
                names.append(self.declare(found[0].name, ctype).place.name)
            elif text_of(child).strip() != "void":
                names.append(f"%p{len(names)}")
        return tuple(dict.fromkeys(names))

    def body(self, node: Node) -> None:
        """The outermost block, and the return at its end."""
        self.statement(node)
        last = node.children[-1] if node.children else node
        self.graph.emit(Return(None, self.at(last)))
        self.graph.end()
        self.settle_jumps()
