"""What the variables of a function are given, and what else has it: the definitions that reach an
instruction, other names of an object.

In: a lowered function and the models. Out: paths. Purely intra-procedural.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from vmfdlint.ir import Address, Assign, Assume, Call, Const, Function, Named, Operand, Place, Return
from vmfdlint.link import Site
from vmfdlint.models import Copy, Effect, Make, Models, resolve
from vmfdlint.summary.control_flow import ControlFlow
from vmfdlint.summary.paths import FIRST, Path, path_of, port_path, starts_with

_CHAIN = 3
"""Variables that hand a value on."""


class Definitions(ControlFlow):
    """A function and what it puts into its variables."""

    def __init__(self, function: Function, models: Models, managed: bool) -> None:
        """``managed``: of a language whose objects go when nothing refers to them."""
        super().__init__(function)
        self.key = function.key
        self.params = function.params
        self._models = models
        self._managed = managed

    @property
    def counts_references(self) -> bool:
        """Whether the function is of a language whose objects go when nothing refers to them; one with
        exceptions is."""
        return self._managed or bool(self._guarded)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls, block by block."""
        return tuple(instr for instr in self.function.instrs if isinstance(instr, Call))

    def placed(self) -> Iterator[tuple[Site, Call]]:
        """The calls with where they stand, block by block."""
        for number, block in enumerate(self.function.blocks):
            for index, instr in enumerate(block.instrs):
                if isinstance(instr, Call):
                    yield Site(self.key, number, index), instr

    def effects(self, call: Call) -> tuple[Effect, ...]:
        """What a model says of a call by its name and its arguments alone."""
        name = call.target.name if isinstance(call.target, Named) else ""
        found = resolve(self._models, name, call.args) if name else None
        return found.effects if found is not None else ()

    @cached_property
    def returned(self) -> frozenset[Path]:
        """Paths whose value is returned."""
        return frozenset(
            path_of(instr.value)
            for instr in self.function.instrs
            if isinstance(instr, Return) and isinstance(instr.value, Place)
        )

    @cached_property
    def is_predicate(self) -> bool:
        """Whether the function answers by constants alone, or by what a callee answers, and not always
        the same: ``return fd >= 0``."""
        answers: set[Operand | None] = set()
        for instr in self.function.instrs:
            if not isinstance(instr, Return):
                continue
            local = isinstance(instr.value, Place) and not instr.value.fields and not instr.value.is_global
            given = self.sources(instr.value) if local and isinstance(instr.value, Place) else [instr.value]
            for value in given:
                if isinstance(value, Call):
                    return True
                answers.add(value)
        return len(answers) > 1 and all(isinstance(value, Const) for value in answers)

    @cached_property
    def assigned(self) -> frozenset[str]:
        """Names of locals (parameters too) that are assigned as a whole somewhere."""
        return frozenset(self._writes)

    @cached_property
    def _writes(self) -> dict[str, list[Assign | Call]]:
        """What assigns a variable as a whole, by its name."""
        given: dict[str, list[Assign | Call]] = defaultdict(list)
        for instr in self.function.instrs:
            if isinstance(instr, Assign | Call) and instr.dst is not None and not instr.dst.fields:
                given[instr.dst.name].append(instr)
        return dict(given)

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The names in :attr:`assigned`, but for parameters that only get a default where nothing was given:
        ``if x is None: x = ...``. What is behind one of these is the caller's."""
        defaults = set(self.params)
        for number, block in enumerate(self.function.blocks):
            for instr in block.instrs:
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                whole = dst is not None and dst.name in defaults and not dst.fields
                if dst is not None and whole and not self._behind_absence(number, dst):
                    defaults.discard(dst.name)
        return self.assigned - defaults

    def _behind_absence(self, number: int, place: Place) -> bool:
        """Whether a block runs only where a place was found to be None or 0."""
        for above in self.above(number):
            for instr in self.function.blocks[above].instrs:
                if isinstance(instr, Assume) and instr.left == place and instr.op == "==":
                    return isinstance(instr.right, Const) and instr.right.value == 0
        return False

    @cached_property
    def filled(self) -> frozenset[Path]:
        """Paths that receive something other than a constant."""
        return frozenset(self._filling)

    @cached_property
    def _filling(self) -> dict[Path, list[tuple[int, int]]]:
        """Where paths receive something other than a constant."""
        found: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        for number, block in enumerate(self.function.blocks):
            for index, instr in enumerate(block.instrs):
                if isinstance(instr, Assign) and isinstance(instr.src, Const):
                    continue
                if isinstance(instr, Call | Assign) and instr.dst is not None:
                    found[path_of(instr.dst)].append((number, index))
        return dict(found)

    def filled_before(self, path: Path, at: tuple[int, int]) -> bool:
        """Whether a way leads from where ``path`` receives something other than a constant to a place."""
        block, index = at
        return any(
            (number == block and here < index) or block in self.reached_from(number)
            for number, here in self._filling.get(path, ())
        )

    @cached_property
    def written(self) -> frozenset[Path]:
        """Paths that receive anything."""
        return frozenset(
            path_of(instr.dst)
            for instr in self.function.instrs
            if isinstance(instr, Call | Assign) and instr.dst is not None
        )

    @cached_property
    def addresses(self) -> dict[str, Place]:
        """The local pointers that get a value once, the address of a place: name -> the place."""
        found: dict[str, Place] = {}
        for name, writes in self._writes.items():
            first = writes[0]
            once = len(writes) == 1 and name not in self.params
            if once and isinstance(first, Assign) and isinstance(first.src, Address):
                found[name] = first.src.place
        return found

    @cached_property
    def made(self) -> frozenset[str]:
        """The local variables that get nothing but objects that were made for them."""
        return frozenset(
            name
            for name, writes in self._writes.items()
            if name not in self.params and all(map(self.makes, writes))
        )

    @cached_property
    def given(self) -> dict[str, tuple[Call, ...]]:
        """The calls by which the locals get their values that get none in another way."""
        found: dict[str, tuple[Call, ...]] = {}
        for name, writes in self._writes.items():
            calls = tuple(one for one in writes if isinstance(one, Call))
            if name not in self.params and len(calls) == len(writes):
                found[name] = calls
        return found

    def makes(self, instr: Assign | Call) -> bool:
        """Whether an instruction makes an object."""
        return isinstance(instr, Call) and any(isinstance(effect, Make) for effect in self.effects(instr))

    def sources(self, place: Place) -> list[Operand | Call]:
        """What the function itself puts into a place: operands, and calls whose result it receives."""
        return [
            instr if isinstance(instr, Call) else instr.src
            for instr in self.function.instrs
            if isinstance(instr, Assign | Call) and instr.dst == place
        ]

    def provenance(self, operand: Operand, depth: int = 0) -> str:
        """The call or the global that a local variable has its value from, of a call with what its first
        argument came from: ``fdopen(accept(parameter))``, ``fdopen([])`` for an element; "" where that is not
        known or not one."""
        if not isinstance(operand, Place) or depth > _CHAIN:
            return ""
        if operand.is_global:
            return "" if operand.fields else operand.name
        sources = [source for source in self.sources(operand) if not isinstance(source, Const)]
        if not sources and operand.fields:
            return "[]" if operand.fields[-1].name.startswith("[") else ""
        if not sources:
            return "parameter" if operand.name in self.params else ""
        found = {self._maker(source, depth + 1) for source in sources}
        return found.pop() if len(found) == 1 else ""

    def _maker(self, source: Operand | Call, depth: int) -> str:
        if not isinstance(source, Call):
            return self.provenance(source, depth)
        if not isinstance(source.target, Named):
            return ""
        first = self.provenance(source.args[0], depth) if source.args else ""
        return f"{source.target.name}({first})"

    def read_from(self, path: Path, site: Site) -> Path:
        """A path at an instruction as what its variable was read from was called then: also where that is
        overwritten now, ``fd, self.fd = self.fd, None``; the path itself where that is not known."""
        for _step in range(_CHAIN):
            write = self.written_last(path[0], site) if path[0] not in self.params else None
            if write is None or not isinstance(write[1], Assign) or not isinstance(write[1].src, Place):
                break
            site = write[0]
            path = (*path_of(write[1].src), *path[1:])
        return path

    def written_last(self, name: str, site: Site) -> tuple[Site, Assign | Call] | None:
        """What writes a variable on every way to an instruction, the nearest."""
        if name not in self._writes:
            return None
        for number in self.above(site.block):
            instrs = self.function.blocks[number].instrs
            for index in reversed(range(site.index if number == site.block else len(instrs))):
                instr = instrs[index]
                dst = instr.dst if isinstance(instr, Assign | Call) else None
                if isinstance(instr, Assign | Call) and dst is not None and dst.is_variable(name):
                    return Site(self.key, number, index), instr
        return None

    @cached_property
    def origins(self) -> dict[str, Path]:
        """The locals that get a value once, that of a path which keeps it as long as the function runs, in a
        language of objects: ``entry = self.machines[name]``. Something else has what they have."""
        found: dict[str, Path] = {}
        for name, (first, *more) in self._writes.items() if self.counts_references else ():
            if more or name in self.params or not isinstance(first, Assign):
                continue
            if isinstance(first.src, Place) and first.src.name != name:
                path = path_of(first.src)
                again = len(self._writes.get(path[0], ())) > (path[0] not in self.params)
                if not again and not self._moves(path, first):
                    found[name] = path
        return found

    def _moves(self, path: Path, read: Assign) -> bool:
        """Whether something else may come to a path, or to what it is behind, once it was read."""
        if not any(len(one) > 1 and starts_with(path, one) for one in self.written):
            return False
        instrs = [
            (number, index, instr)
            for number, block in enumerate(self.function.blocks)
            for index, instr in enumerate(block.instrs)
            if isinstance(instr, Assign | Call) and instr.dst is not None
        ]
        block, at = next((number, index) for number, index, instr in instrs if instr is read)
        above = set(self.above(block))
        return any(
            number not in above or (number == block and index > at)
            for number, index, instr in instrs
            if instr.dst is not None and instr.dst.fields and starts_with(path, path_of(instr.dst))
        )

    def origin(self, path: Path) -> Path | None:
        """A path behind one of :attr:`origins` by way of what has the object, too; None for any other."""
        before = path
        for _step in self.origins:
            if path[0] not in self.origins:
                break
            path = (*self.origins[path[0]], *path[1:])
        return path if path != before else None

    @cached_property
    def pointing(self) -> tuple[tuple[Path, Path], ...]:
        """What else leads to an object of this function's, behind the path of that: a member that gets its
        address, and in a language of objects a member or a collection that gets the object itself."""
        found: list[tuple[Path, Path]] = []
        for instr in self.function.instrs:
            if isinstance(instr, Assign) and isinstance(instr.src, Address) and instr.dst.fields:
                found.append((path_of(instr.src.place), (*path_of(instr.dst), FIRST)))
            elif isinstance(instr, Assign) and isinstance(instr.src, Place) and self.counts_references:
                origin = self.origin(path_of(instr.src))
                if instr.dst.fields and path_of(instr.src) in self._variables:
                    found.append((path_of(instr.src), path_of(instr.dst)))
                elif instr.dst.fields and origin is not None and len(origin) > 1:
                    found.append((path_of(instr.dst), origin))
            elif isinstance(instr, Call) and self.counts_references:
                found += self._collected(instr)
        return tuple(dict.fromkeys(found))

    @cached_property
    def _variables(self) -> frozenset[Path]:
        """The parameters, as paths."""
        return frozenset((name,) for name in self.params)

    def _collected(self, call: Call) -> Iterator[tuple[Path, Path]]:
        """The parameters that a call puts into collections."""
        for effect in self.effects(call):
            if isinstance(effect, Copy) and effect.deep:
                source, target = port_path(effect.src, call.args), port_path(effect.at, call.args)
                if source is not None and target is not None and source in self._variables:
                    yield source, target
