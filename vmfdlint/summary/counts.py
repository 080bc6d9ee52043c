"""Counts of users: numbers that a function steps down, where 0 says that nobody is left.

In: a lowered function and the models. Out: how it steps which numbers, the blocks that run for the last user
alone, what a number is at an instruction. A number is named by its cell or its global variable behind COUNT,
the same in every function.
"""

from collections.abc import Callable, Iterator
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
        for number in chain:
            instrs = self.function.blocks[number].instrs
            for instr in instrs[:index] if number == block else instrs:
                if isinstance(instr, Assign) and path_of(instr.dst) == path:
                    if isinstance(instr.src, Step):
                        value = None if value is None else value + instr.src.by
                        copies = {name: away + instr.src.by for name, away in copies.items()}
                    else:
                        value = instr.src.value if isinstance(instr.src, Const) else None
                        copies = {}
                elif (
                    isinstance(instr, Assign) and isinstance(instr.src, Place) and path_of(instr.src) == path
                ):
                    copies[path_of(instr.dst)[0]] = 0
                elif isinstance(instr, Assume) and instr.op == "==" and isinstance(instr.right, Const):
                    away = 0 if path_of(instr.left) == path else copies.get(path_of(instr.left)[0])
                    if away is not None and instr.right.value is not None and not instr.left.fields[1:]:
                        value = instr.right.value + away
                elif self._may_set(instr, path):
                    value, copies = None, {}
        aside = rustworkx.ancestors(self.graph, block) - set(chain)
        if value is None or any(self._writes_to(self.function.blocks[each].instrs, path) for each in aside):
            return None
        return value if value > 0 else None

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
    calls = [
        instr
        for block in function.blocks
        for instr in block.instrs
        if isinstance(instr, Call) and isinstance(instr.target, Named) and instr.target.name in names
    ]
    answers: dict[Place, tuple[Place, Callable[[Assume], Assume]]] = {}
    replaced: dict[int, Assign] = {}
    for call in calls:
        step = _step(call, models)
        if step is None or not (call.dst is None or _is_compared(function, call.dst)):
            continue
        assign, gives = step
        replaced[id(call)] = assign
        if call.dst is not None:
            by = assign.src.by if isinstance(assign.src, Step) else 0
            answers[call.dst] = assign.dst, lambda test, by=by, gives=gives: _of_number(test, by, gives)  # type: ignore[misc]
    if not replaced:
        return function

    def rewrite(instr: Instr) -> Instr:
        if isinstance(instr, Assume) and instr.left in answers:
            place, translated = answers[instr.left]
            return msgspec.structs.replace(translated(instr), left=place)
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
    place = (
        at.place
        if isinstance(at, Address)
        else at.step(Field("*", "", True))
        if isinstance(at, Place)
        else None
    )
    if place is None:
        return None
    times = (
        call.args[effect.times.arg] if effect.times is not None and effect.times.arg is not None else Const(1)
    )
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
