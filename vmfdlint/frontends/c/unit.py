"""One C file. In: its bytes and the program's index. Out: its functions' IR. The syntax tree stays inside."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from tree_sitter import Node

from vmfdlint.base import Problem, ProblemKind, SourceText, Span
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.even import attributes_of
from vmfdlint.frontends.c.lower_stmt import Statements
from vmfdlint.frontends.c.outline import holders, outline
from vmfdlint.frontends.c.parse import Parsed, parsed, tree_of
from vmfdlint.frontends.c.pointers import straight
from vmfdlint.frontends.c.syntax import damaged_bytes, declared_name, error_bytes, names_in
from vmfdlint.frontends.c.toplevel import FileLevel, Item, items_of
from vmfdlint.frontends.contract import Damage, Index, Sketch
from vmfdlint.ir import Block, Function, FunctionKey, Return, Unparsed


class CUnit:
    """One file, parsed once; see :class:`vmfdlint.frontends.contract.Unit`."""

    def __init__(self, source: SourceText, index: Index) -> None:
        self._source = source
        self._index = index
        self._environment = Environment(index, source.path)
        self._problems: dict[Problem, None] = {}

    @cached_property
    def _parsed(self) -> Parsed:
        return parsed(self._source.data)

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        return items_of(self._parsed.root, self._source, self._environment)

    @cached_property
    def _definitions(self) -> dict[Sketch, Item]:
        found: dict[Sketch, Item] = {}
        for item in self._items:
            if item.node.type == "function_definition":
                found.setdefault(_sketch(item), item)
        return found

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(sketch.name for sketch in self._definitions)

    @cached_property
    def sketches(self) -> tuple[Sketch, ...]:
        """Every function definition, in source order; those a macro at file level makes stand at the
        macro's use."""
        return tuple(sorted(self._definitions, key=lambda sketch: (sketch.start, sketch.end, sketch.name)))

    @property
    def outline(self) -> dict[str, tuple[str, ...]]:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        return outline(self._source.data)

    def holders(self, offset: int) -> tuple[str, ...] | None:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        return holders(self._source.data, offset)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read so far."""
        return tuple(self._problems)

    def lower(self, sketch: Sketch) -> Function:
        """The function's IR. Pure: the same file and program give the same value, however deep the stack is
        already: where it does not suffice, the empty one of a thread decides."""
        item = self._definitions[sketch]
        try:
            return self._lower(sketch, item)
        except RecursionError:
            self._environment = Environment(self._index, self._source.path)  # half of an answer may be in it
        try:
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(self._lower, sketch, item).result()
        except RecursionError:
            self._environment = Environment(self._index, self._source.path)
            # An expression nested deeper than Python's stack: nothing of the function is known but its names.
            at = self._span(item)
            names = tuple(sorted(names_in(item.node)))
            blocks = (Block((Unparsed(names, at), Return(None, at)), ()),)
            self._problems[_too_deep(sketch.name, at)] = None
            return Function(FunctionKey(self._source.path, sketch.name), (), blocks, at, sketch.attributes)

    def forget(self) -> None:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        for tree in ("_parsed", "_items", "_definitions", "_raw_root"):
            self.__dict__.pop(tree, None)

    def damage(self, sketch: Sketch) -> Damage:
        """See :class:`vmfdlint.frontends.contract.Unit`; counted straight from the syntax trees."""
        item = self._definitions[sketch]
        raw = error_bytes(self._raw_root, sketch.start, sketch.end)
        return Damage(sketch.end - sketch.start, raw, damaged_bytes(item.node))

    @cached_property
    def _raw_root(self) -> Node:
        return tree_of(self._source.data).root_node

    def toplevel(self) -> Function:
        """A function named ``<file>`` whose one block holds what file-level initialisers and
        registrations assign."""
        lowering = FileLevel(self._source, self._environment, "<file>")
        lowering.own_functions = self._names
        for item in self._items:
            lowering.item(item)
        whole = self._source.span(0, len(self._source.data))
        instrs = (
            *lowering.instructions(),
            Return(None, Span(whole.path, *[whole.end_line, whole.end_col] * 2)),
        )
        self._note(lowering)
        return Function(
            FunctionKey(self._source.path, "<file>"),
            (),
            (Block(instrs, ()),),
            whole,
            (),
            tuple(lowering.local_types.items()),
            tuple(lowering.values),
        )

    def _lower(self, sketch: Sketch, item: Item) -> Function:
        node, fragment = item.node, item.fragment
        lowering = Statements(self._source, self._environment, sketch.name)
        lowering.own_functions = self._names
        with lowering.inside(fragment):
            params = lowering.parameters(declared_name(node)[1])
            body = node.child_by_field_name("body")
            if body is not None:
                lowering.body(body)
        damaged = damaged_bytes(node)
        at = self._span(item)
        if damaged:
            text = f"{damaged} bytes of {sketch.name} could not be read"
            self._problems[Problem(ProblemKind.PARSE, text, at.path, at)] = None
        self._note(lowering)
        function = Function(
            FunctionKey(self._source.path, sketch.name),
            params,
            lowering.graph.blocks(),
            at,
            self._attributes(sketch),
            tuple(lowering.local_types.items()),
            tuple(lowering.values),
            damaged,
        )
        return straight(function)

    def _attributes(self, sketch: Sketch) -> tuple[str, ...]:
        """A prototype elsewhere may be what says that the function does not return."""
        if "noreturn" in sketch.attributes or not self._environment.never_returns(sketch.name):
            return sketch.attributes
        return tuple(sorted((*sketch.attributes, "noreturn")))

    def _span(self, item: Item) -> Span:
        return item.fragment.span or self._source.span(item.node.start_byte, item.node.end_byte)

    def _note(self, lowering: Statements) -> None:
        for problem in lowering.problems:
            self._problems[problem] = None


def _sketch(item: Item) -> Sketch:
    node = item.node
    body = node.child_by_field_name("body")
    head_end = body.start_byte if body is not None else node.end_byte
    words = attributes_of(item.fragment.original, node.start_byte, head_end)
    return Sketch(item.name, item.start, item.end, words)


def _too_deep(name: str, at: Span) -> Problem:
    text = f"{name} is nested too deep to be read: what it does is not known; split it"
    return Problem(ProblemKind.PARSE, text, at.path, at, rough=True)


def open_unit(source: SourceText, index: Index) -> CUnit:
    """One C file of the program, ready to be lowered; it is parsed when first asked."""
    return CUnit(source, index)
