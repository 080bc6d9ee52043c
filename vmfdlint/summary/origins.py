"""Where an argument's value comes from: variables of the function, results of calls, tables, callers.

In: a call's operands. Out: operands that are no variables of their function any more, without regard to the
order of statements. For questions about a few calls; descriptors are followed by the solver.
"""

from collections.abc import Iterator, Sequence

import msgspec

from vmfdlint.ir import Address, Assign, Call, FunctionKey, Named, Opaque, Operand, Place, Return, Root
from vmfdlint.link import FILE, CallGraph, EdgeKind, Site, slot_of

_DEPTH = 4
_CALLERS = 40


class Origin(msgspec.Struct, frozen=True, order=True):
    """``operand`` as it stands in ``function``; the file level of a file is a function too."""

    function: FunctionKey
    operand: Operand


class Chain(msgspec.Struct, frozen=True):
    """What the operands of a call can be when it is reached through ``calls``, the outermost first."""

    operands: tuple[tuple[Origin, ...], ...]
    calls: tuple[Site, ...] = ()


class Origins:
    """Questions about single operands, answered from the bodies at hand."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.program = graph.program

    def chains(
        self, key: FunctionKey, operands: Sequence[Operand], by_type: frozenset[int]
    ) -> Iterator[Chain]:
        """The ways to reach a call in ``key``: one where nothing comes from parameters, else one a caller.

        For the operands whose index is in ``by_type`` a parameter of a known record is answer enough.
        """
        yield from self._climb(key, Chain(tuple(self.of(key, operand) for operand in operands)), by_type)

    def of(self, key: FunctionKey, operand: Operand, depth: int = 0) -> tuple[Origin, ...]:
        """What ``operand`` may be: parameters stay as they are, as does what nothing is known of."""
        found: list[Origin] = []
        pending, seen = [operand], {operand}
        while pending:
            current = pending.pop()
            sources = self._sources(key, current, depth)
            if not sources:
                found.append(Origin(key, current))
            for source in sources:
                if source.function != key:
                    found.append(source)
                elif source.operand not in seen:
                    seen.add(source.operand)
                    pending.append(source.operand)
        return tuple(dict.fromkeys(found))

    def _sources(self, key: FunctionKey, operand: Operand, depth: int) -> list[Origin]:
        if not isinstance(operand, Place):
            return []
        if operand.root is Root.LOCAL and not operand.fields:
            return self._assigned(key, operand, depth)
        return self._tabled(key, operand)

    def _assigned(self, key: FunctionKey, place: Place, depth: int) -> list[Origin]:
        """What the statements of a function put in one of its variables."""
        function = self.program.function(key)
        found: list[Origin] = []
        for block in function.blocks if function is not None else ():
            for instr in block.instrs:
                match instr:
                    case Assign(dst=dst, src=src) if dst == place:
                        found.append(Origin(key, src))
                    case Call(dst=dst) if dst == place:
                        found.extend(self._returned(key, instr, depth))
                    case _:
                        pass
        if found and function is not None and place.name in function.params:
            found.append(Origin(key, Opaque("parameter")))
        return found

    def _returned(self, key: FunctionKey, call: Call, depth: int) -> list[Origin]:
        unknown = [Origin(key, Opaque("result"))]
        if not isinstance(call.target, Named) or depth >= _DEPTH:
            return unknown
        found: list[Origin] = []
        for target in self.program.targets(key, call):
            function = self.program.function(target)
            for block in function.blocks if function is not None else ():
                for instr in block.instrs:
                    if isinstance(instr, Return) and instr.value is not None:
                        found.extend(self.of(target, instr.value, depth + 1))
        return found or unknown

    def _tabled(self, key: FunctionKey, place: Place) -> list[Origin]:
        """What the initialisers of the file put in a member or a variable of that name."""
        level = FunctionKey(key.path, FILE)
        slot = slot_of(place)
        function = self.program.function(level) if slot is not None and key != level else None
        return [
            Origin(level, instr.src)
            for block in (function.blocks if function is not None else ())
            for instr in block.instrs
            if isinstance(instr, Assign) and instr.dst.root is Root.GLOBAL and slot_of(instr.dst) == slot
        ]

    def _climb(self, key: FunctionKey, chain: Chain, by_type: frozenset[int]) -> Iterator[Chain]:
        function = self.program.function(key)
        params = function.params if function is not None else ()
        types = dict(function.local_types) if function is not None else {}

        wanted = any(
            self._parameter(origin, key, params) is not None
            and not (index in by_type and _name(origin.operand) in types)
            for index, origins in enumerate(chain.operands)
            for origin in origins
        )
        edges = self.graph.callers(key) if wanted and len(chain.calls) < _DEPTH else ()
        climbed = False
        for edge in [edge for edge in edges if edge.kind is EdgeKind.DIRECT][:_CALLERS]:
            if edge.site.function == key or edge.site.function.name == FILE:
                continue
            climbed = True
            operands = tuple(
                tuple(
                    dict.fromkeys(
                        new
                        for origin in origins
                        for new in self._given(origin, key, params, edge.site, edge.args)
                    )
                )
                for origins in chain.operands
            )
            yield from self._climb(edge.site.function, Chain(operands, (edge.site, *chain.calls)), by_type)
        if not climbed:
            yield chain

    def _given(
        self, origin: Origin, key: FunctionKey, params: tuple[str, ...], site: Site, args: tuple[Operand, ...]
    ) -> tuple[Origin, ...]:
        """An origin of the callee as one of the caller."""
        index = self._parameter(origin, key, params)
        if index is None:
            return (origin,)
        return (
            self.of(site.function, args[index]) if index < len(args) else (Origin(site.function, Opaque()),)
        )

    @staticmethod
    def _parameter(origin: Origin, key: FunctionKey, params: tuple[str, ...]) -> int | None:
        name = _name(origin.operand) if origin.function == key else ""
        return params.index(name) if name in params else None


def _name(operand: Operand) -> str:
    """The variable an operand is, "" where it is anything else."""
    return operand.name if isinstance(operand, Place) and not operand.fields else ""


def pointed(operand: Operand) -> Place | None:
    """The object that a pointer value names: ``&x`` and an array or pointer ``x``."""
    return operand.place if isinstance(operand, Address) else operand if isinstance(operand, Place) else None
