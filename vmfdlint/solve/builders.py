"""Functions that build a text for their caller: a path in the caller's buffer, a returned command line.

In: a call of such a function, what is known at it. Out: the texts it leaves behind. A straight walk over the
blocks that decides no branch: the first text at each place counts.
"""

from collections.abc import Iterable, Iterator

from vmfdlint.ir import Address, Assign, Call, FunctionKey, Named, Operand, Place, Return, Text
from vmfdlint.link import Edge, EdgeKind, Site
from vmfdlint.models import Copy, Create, Models, Write, path_kind
from vmfdlint.solve.boundary import enter, outside
from vmfdlint.solve.facts import ZERO_FACT, Fact
from vmfdlint.solve.invocation import Invocation
from vmfdlint.solve.local import assign, evaluate
from vmfdlint.solve.texts import aliased, copied, delivered, named, text_of, write
from vmfdlint.summary import RESULT, Behaviour, Flow, Path, path_of, port_path, starts_with

_DEPTH = 3
"""Builders that call builders."""


class Builders:
    """Answers for calls of functions in the tree; ``keys`` are those that name a text of interest."""

    def __init__(self, behaviour: Behaviour, models: Models) -> None:
        self.behaviour = behaviour
        self.models = models
        self.keys: set[FunctionKey] = set()

    def after(self, fact: Fact, edges: Iterable[Edge], depth: int = 0) -> tuple[tuple[Path, Text], ...]:
        """The texts that a call leaves at places of the caller; what is returned stands below RESULT."""
        if not self.keys:
            return ()
        return tuple(
            (path, text)
            for edge in edges
            if edge.kind is EdgeKind.DIRECT
            and (edge.site.function in self.keys or edge.callee in self.keys or self._given(edge))
            for path, text in self._left(fact, edge, depth)
        )

    def hands_out(self, key: FunctionKey) -> bool:
        """Whether a function gives its caller a text of interest, whatever it is called with."""
        return any(
            self.models.speaks(text.value) or path_kind(self.models, text.value) is not None
            for _path, text in self._walk(key, ZERO_FACT, 0)
        )

    def _given(self, edge: Edge) -> bool:
        return any(isinstance(one, Text) and self.models.speaks(one.value) for one in edge.args)

    def _left(self, fact: Fact, edge: Edge, depth: int) -> Iterator[tuple[Path, Text]]:
        callee = self.behaviour.flow(edge.callee)
        if callee is None or depth >= _DEPTH:
            return
        for path, text in self._walk(edge.callee, enter(fact, edge.args, callee), depth):
            if starts_with(path, RESULT):
                yield path, text
                continue
            for place in outside(path, edge.args, callee):
                yield place, text

    def _walk(self, key: FunctionKey, fact: Fact, depth: int) -> list[tuple[Path, Text]]:
        flow = self.behaviour.flow(key)
        if flow is None:
            return []
        left: dict[Path, Text] = {}
        for number, block in enumerate(flow.function.blocks):
            for index, instr in enumerate(block.instrs):
                if isinstance(instr, Assign):
                    fact = assign(fact, instr, flow)
                elif isinstance(instr, Call):
                    fact = self._call(fact, instr, flow, Site(key, number, index), depth)
                elif isinstance(instr, Return):
                    for path, text in _returned(fact, instr.value, flow):
                        left.setdefault(path, text)
        return list(left.items())

    def _call(self, fact: Fact, instr: Call, flow: Flow, site: Site, depth: int) -> Fact:
        args = tuple(evaluate(argument, fact) for argument in instr.args)
        texts = tuple(text_of(argument, fact, flow.counts_references) for argument in args)
        target = path_of(instr.dst) if instr.dst is not None else None
        modelled = self.behaviour.modelled(
            flow.key, Call(instr.dst, instr.target, texts, instr.at), lambda port: None
        )
        if modelled is not None:
            call = Invocation(site, instr.at, modelled.api, args, flow, False, self.behaviour.sharing)
            for effect in modelled.effects:
                if isinstance(effect, Write):
                    fact = write(fact, effect, call)
                elif isinstance(effect, Create) and effect.name:
                    fact = named(fact, effect.at, effect.name, call)
                elif isinstance(effect, Copy):
                    source, at = port_path(effect.src, args), port_path(effect.at, args)
                    fact = copied(fact, source, at) if source and at else fact
            return delivered(fact, target)
        if not isinstance(instr.target, Named):
            return delivered(fact, target)
        edges = [
            Edge(site, callee, EdgeKind.DIRECT, texts)
            for callee in self.behaviour.program.targets(flow.key, instr)
        ]
        built = self.after(fact, edges, depth + 1)
        for path, text in built:
            fact = fact.knowing(path, text)
        return delivered(fact, target)


def _returned(fact: Fact, value: Operand | None, flow: Flow) -> Iterator[tuple[Path, Text]]:
    """The texts that outlive a return: behind parameters, and what is returned."""
    behind = RESULT if flow.counts_references else (*RESULT, "->[0]")
    if isinstance(value, Text):
        yield behind, value
    elif isinstance(value, Place | Address):
        place = value.place if isinstance(value, Address) else value
        moved = copied(fact, path_of(place), RESULT)
        if isinstance(value, Address):
            moved = aliased(moved, path_of(place), RESULT)
        known = fact.lookup(path_of(place))
        if isinstance(known, Text):
            yield behind, known
        for path, text in moved.env:
            if starts_with(path, RESULT) and len(path) > 1 and isinstance(text, Text):
                yield path, text
    for path, text in fact.env:
        if path[0] in flow.params and len(path) > 1 and isinstance(text, Text):
            yield path, text
