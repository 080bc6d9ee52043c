"""Counts of users: numbers that a function steps down, where 0 says that nobody is left.

In: a lowered function and the models. Out: how it steps which numbers, the blocks that run for the last user
alone, what a number is at an instruction. A number is named by its cell or its global variable behind COUNT,
the same in every function.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec
import rustworkx

from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Call,
    Const,
    Field,
    Function,
    Instr,
    Named,
    Place,
    Return,
    Step,
    places_read,
)
from vmfdlint.link import Site
from vmfdlint.models import Count, Models, resolve
from vmfdlint.summary.definitions import Definitions
from vmfdlint.summary.paths import Path, cell_of, path_of, starts_with

COUNT = "*#"
"""The root of a number of users, as the solver names it."""
_PAST = {"<": 2, "<=": 1, "==": 1}
"""Up to which number a test leaves one user, or none: that is who asks."""


class Answer(NamedTuple):
    """What a function answers that steps down a number behind its parameter at ``position``, ``fields`` from
    there: as Count says."""

    position: int
    fields: tuple[Field, ...]
    by: int
    gives: str


def count_of(place: Place) -> Path | None:
    """The name that a number has in every function; None for one that only this function knows."""
    if place.is_global and not place.fields:
        return COUNT, path_of(place)[0]
    cell = cell_of(place)
    return None if cell is None or cell[0] == "*?" else (COUNT, *cell)


class Counts(Definitions):
    """A function and the numbers that it steps."""

    @cached_property
    def steps(self) -> dict[Path, frozenset[int]]:
        """By how much each number is stepped, by its name."""
        found: dict[Path, frozenset[int]] = {}
        for instr in self.function.instrs:
            if isinstance(instr, Assign) and isinstance(instr.src, Step):
                name = count_of(instr.dst)
                if name is not None:
                    found[name] = found.get(name, frozenset()) | {instr.src.by}
        return found

    @cached_property
    def last_user(self) -> dict[int, Path]:
        """The blocks that run only where a number that the function steps down came to its end, with the name
        of that."""
        down = {name for name, steps in self.steps.items() if max(steps) < 0}
        found: dict[int, Path] = {}
        for number, block in enumerate(self.function.blocks) if down else ():
            for instr in block.instrs:
                name = self._asked(instr) if isinstance(instr, Assume) else None
                if name in down and isinstance(instr, Assume) and _ends(instr):
                    assert name is not None
                    found.update((each, name) for each in self.behind(number))
        return found

    def behind(self, number: int) -> Iterator[int]:
        """The blocks that are reached through a block alone, with that."""
        return (each for each in range(len(self.function.blocks)) if number in self.above(each))

    def _asked(self, test: Assume) -> Path | None:
        """The number that is tested, also as it was before the step: ``refs-- == 1``."""
        name = count_of(test.left)
        if name is None and not test.left.fields:
            sources = self.sources(test.left)
            if len(sources) == 1 and isinstance(sources[0], Place):
                name = count_of(sources[0])
        return name

    @cached_property
    def answer(self) -> "Answer | None":
        """What the function returns of a number behind a parameter that it steps down; None where it does no
        such thing."""
        for number, block in enumerate(self.function.blocks):
            for index, instr in enumerate(block.instrs):
                if not isinstance(instr, Assign) or not isinstance(instr.src, Step) or instr.src.by > 0:
                    continue
                if instr.dst.name in self.params and instr.dst.fields:
                    gives = self._given(instr.dst, Site(self.key, number, index))
                    position = self.params.index(instr.dst.name)
                    return Answer(position, instr.dst.fields, instr.src.by, gives) if gives else None
        return None

    def _given(self, stepped: Place, site: Site) -> str:
        """What is returned of a number that an instruction steps down: as in Count; "" for anything else."""
        for number, block in enumerate(self.function.blocks):
            for instr in block.instrs:
                value = instr.value if isinstance(instr, Return) else None
                if isinstance(value, Const) and value.value and number in self.last_user:
                    return "zero"
                if value == stepped:
                    return "after"
                if isinstance(value, Place) and not value.fields:
                    return self._copied(value, stepped, site)
        return ""

    def _copied(self, variable: Place, stepped: Place, site: Site) -> str:
        for number, block in enumerate(self.function.blocks):
            for index, instr in enumerate(block.instrs):
                if not isinstance(instr, Assign) or instr.dst != variable:
                    continue
                if isinstance(instr.src, Const) and instr.src.value and number in self.last_user:
                    return "zero"
                if instr.src == stepped:
                    early = number == site.block and index < site.index
                    return "before" if early else "after"
        return ""

    @cached_property
    def numbered(self) -> frozenset[tuple[Path, Path]]:
        """The numbers that the function sets to a constant, or finds to be one: paths and names."""
        found = set()
        for instr in self.function.instrs:
            if (
                isinstance(instr, Assign)
                and _positive(instr.src)
                and (name := count_of(instr.dst)) is not None
            ):
                found.add((path_of(instr.dst), name))
            elif isinstance(instr, Assume) and instr.op == "==" and not instr.left.fields:
                for source in self.sources(instr.left):
                    if isinstance(source, Place) and (name := count_of(source)) in self.steps:
                        assert name is not None
                        found.add((path_of(source), name))
        return frozenset(found)

    def number_at(self, path: Path, block: int, index: int) -> int | None:
        """What stands at a path of :attr:`numbered`, whatever way led to an instruction: by those that every
        way passes; None where others may set it, and for 0."""
        chain = list(self.above(block))[::-1]
        value: int | None = None
        copies: dict[str, int] = {}
        """Variables that were copies of the number, and how far it is from them by now."""
        for instr in self._passed(chain, index):
            match instr:
                case Assign(dst=dst, src=Step(by=by)) if path_of(dst) == path:
                    value = None if value is None else value + by
                    copies = {name: away + by for name, away in copies.items()}
                case Assign(dst=dst, src=src) if path_of(dst) == path:
                    value, copies = src.value if isinstance(src, Const) else None, {}
                case Assign(dst=dst, src=Place() as src) if path_of(src) == path:
                    copies[path_of(dst)[0]] = 0
                case Assume(left=left, op="==", right=Const(value=found)):
                    away = 0 if path_of(left) == path else copies.get(path_of(left)[0])
                    if away is not None and found is not None and not left.fields[1:]:
                        value = found + away
                case _ if self._may_set(instr, path):
                    value, copies = None, {}
                case _:
                    pass
        aside = rustworkx.ancestors(self.graph, block) - set(chain)
        if value is None or any(self._writes_to(self.function.blocks[each].instrs, path) for each in aside):
            return None
        return value if value > 0 else None

    def _passed(self, chain: list[int], index: int) -> Iterator[Instr]:
        """The instructions of some blocks, up to one in the last of them."""
        for number in chain:
            instrs = self.function.blocks[number].instrs
            yield from instrs[:index] if number == chain[-1] else instrs

    def _writes_to(self, instrs: tuple[Instr, ...], path: Path) -> bool:
        return any(
            (isinstance(instr, Assign) and path_of(instr.dst) == path) or self._may_set(instr, path)
            for instr in instrs
        )

    def _may_set(self, instr: Instr, path: Path) -> bool:
        """Whether an instruction writes what leads to a number, or is a call that may step it."""
        dst = path_of(instr.dst) if isinstance(instr, Assign | Call) and instr.dst is not None else path
        if dst != path and starts_with(path, dst):
            return True
        if not isinstance(instr, Call) or (isinstance(instr.target, Named) and self.effects(instr)):
            return False
        name = instr.target.name if isinstance(instr.target, Named) else ""
        if name and self._models.is_neutral(name):
            return False
        given = (one.place if isinstance(one, Address) else one for one in instr.args)
        return len(path) == 1 or any(isinstance(one, Place) and one.name == path[0] for one in given)


def _positive(operand: object) -> bool:
    return isinstance(operand, Const) and operand.value is not None and operand.value > 0


def ends_with(test: Assume, answer: Answer) -> bool:
    """Whether a test of what a function answered holds for the last user alone."""
    return isinstance(test.right, Const) and _ends(_of_number(test, answer.by, answer.gives))


def _ends(test: Assume) -> bool:
    """Whether a test holds for the last user alone."""
    value = test.right.value if isinstance(test.right, Const) else None
    return value is not None and 0 <= value <= _PAST.get(test.op, -1)


def stepped(function: Function, models: Models) -> Function:
    """The function with the calls that step a number as what they do to it: ``atomic_fetch_sub(&refs, 1)``.
    One whose answer is more than compared with constants stays."""
    names = _counting(models)
    replaced: dict[int, Assign] = {}
    answers: dict[Place, tuple[Assign, str]] = {}
    for call in function.instrs:
        if not isinstance(call, Call) or not isinstance(call.target, Named) or call.target.name not in names:
            continue
        step = _step(call, models) if call.dst is None or _is_compared(function, call.dst) else None
        if step is not None:
            replaced[id(call)] = step[0]
        if step is not None and call.dst is not None:
            answers[call.dst] = step
    if not replaced:
        return function

    def rewrite(instr: Instr) -> Instr:
        if isinstance(instr, Assume) and instr.left in answers:
            assign, gives = answers[instr.left]
            by = assign.src.by if isinstance(assign.src, Step) else 0
            return msgspec.structs.replace(_of_number(instr, by, gives), left=assign.dst)
        return replaced.get(id(instr), instr)

    blocks = tuple(
        msgspec.structs.replace(block, instrs=tuple(map(rewrite, block.instrs))) for block in function.blocks
    )
    return msgspec.structs.replace(function, blocks=blocks)


@lru_cache(maxsize=8)
def _counting(models: Models) -> frozenset[str]:
    return models.names_with(Count)


def _step(call: Call, models: Models) -> tuple[Assign, str] | None:
    """What a call does to a number, and what it answers; None where that is not known."""
    assert isinstance(call.target, Named)
    modelled = resolve(models, call.target.name, call.args)
    effect = next((one for one in modelled.effects if isinstance(one, Count)), None) if modelled else None
    if effect is None or effect.at.arg is None or effect.at.arg >= len(call.args):
        return None
    at = call.args[effect.at.arg]
    if isinstance(at, Address):
        place = at.place
    elif isinstance(at, Place):
        place = at.step(Field("*", "", True))
    else:
        return None
    given = effect.times.arg if effect.times is not None else None
    times = Const(1) if given is None else call.args[given]
    if effect.sets:
        return Assign(place, times, call.at), ""
    if not isinstance(times, Const) or times.value is None:
        return None
    return Assign(place, Step(effect.by * times.value), call.at), effect.gives


def _is_compared(function: Function, answer: Place) -> bool:
    """Whether a variable is set once, and read by comparisons with constants alone."""
    if answer.fields or answer.is_global:
        return False
    writes = 0
    for instr in function.instrs:
        writes += isinstance(instr, Assign | Call) and instr.dst is not None and instr.dst.name == answer.name
        test = isinstance(instr, Assume) and instr.left == answer and isinstance(instr.right, Const)
        if not test and any(place.name == answer.name for place in places_read(instr)):
            return False
    return writes == 1


def _of_number(test: Assume, by: int, gives: str) -> Assume:
    """A test of what a call answered as one of the number behind it."""
    assert isinstance(test.right, Const)
    if gives == "zero":
        return msgspec.structs.replace(
            test, op={"!=": "==", "==": "!="}.get(test.op, test.op), right=Const(0)
        )
    if gives == "before" and test.right.value is not None:
        return msgspec.structs.replace(test, right=Const(test.right.value + by))
    return test
