"""One function prepared for the solver: the variables worth remembering, what it puts where, the close-all
idioms.

In: a lowered function and the models. Out: a Flow. Purely intra-procedural.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property

from vmfdlint.base import Span
from vmfdlint.ir import (
    Address,
    Assign,
    Assume,
    Call,
    Const,
    FuncRef,
    Function,
    Indirect,
    Named,
    Opaque,
    Operand,
    Place,
    Return,
    places_named,
)
from vmfdlint.link import Site
from vmfdlint.models import Copy, Make, Models, Port, Unmap, resolve
from vmfdlint.summary.arguments import ordered
from vmfdlint.summary.contents import joined
from vmfdlint.summary.control_flow import ControlFlow
from vmfdlint.summary.paths import (
    EXCEPTION,
    FIRST,
    Path,
    cell_of,
    given_path,
    is_temporary,
    operand_path,
    path_of,
    port_path,
    starts_with,
    step_name,
)
from vmfdlint.summary.sweeps import Handed, Loop, Sweep
from vmfdlint.summary.variadic import forwarded

_CHAIN = 3
"""Variables that hand a value on."""


class Flow(ControlFlow):
    """A function and what a look at its own body alone can tell."""

    def __init__(self, function: Function, models: Models, managed: bool = False) -> None:
        """``managed``: of a language whose objects go when nothing refers to them."""
        super().__init__(joined(forwarded(ordered(function, models)), models))
        self.key = function.key
        self.params = self.function.params
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

    @cached_property
    def descents(self) -> tuple[tuple[Site, int], ...]:
        """The calls of the function by itself that are given what a parameter leads to in the place of that:
        ``release(n->next)``; with the position of the parameter."""
        return tuple(
            (site, position)
            for site, call in self.placed()
            if isinstance(call.target, Named) and call.target.name == self.key.name
            for position, (name, given) in enumerate(zip(self.params, call.args, strict=False))
            if isinstance(given, Place) and given.name == name and given.fields
        )

    @cached_property
    def giving(self) -> tuple[tuple[Site, Call], ...]:
        """The calls that are given a function and a variable's value: ``thread_start(run, fd)``."""
        return tuple(
            (site, call)
            for site, call in self.placed()
            if any(isinstance(argument, FuncRef) for argument in call.args)
            if any(isinstance(argument, Place) for argument in call.args)
        )

    @cached_property
    def called(self) -> frozenset[Path]:
        """Variables that are called, or handed to another call."""
        indirect = {path_of(call.target.place) for call in self.calls if isinstance(call.target, Indirect)}
        return frozenset(indirect | self.selecting)

    @cached_property
    def _tests(self) -> dict[Path, set[Span]]:
        spans: dict[Path, set[Span]] = defaultdict(set)
        for instr in self.function.instrs:
            if isinstance(instr, Assume):
                spans[path_of(instr.left)].add(instr.at)
                if isinstance(instr.right, Place):
                    spans[path_of(instr.right)].add(instr.at)
        return spans

    @cached_property
    def tested(self) -> frozenset[Path]:
        """Paths whose value decides a branch, or that are returned or copied into such a path."""
        found = {*self._tests, *self.returned}
        changed = True
        while changed:
            changed = False
            for instr in self.function.instrs:
                if isinstance(instr, Assign) and isinstance(instr.src, Place) and path_of(instr.dst) in found:
                    source = path_of(instr.src)
                    if source not in found:
                        found.add(source)
                        changed = True
        return frozenset(found)

    @cached_property
    def tested_members(self) -> frozenset[str]:
        """The members that :attr:`tested` paths end in."""
        return frozenset(map(_member, self.tested)) - {""}

    @cached_property
    def truths(self) -> frozenset[Path]:
        """Temporaries that hold the truth of an argument (``check(fd < 0)``): they decide in the callee."""
        given = {path for call in self.calls for path in map(operand_path, call.args) if path is not None}
        return frozenset(
            path_of(instr.dst)
            for instr in self.function.instrs
            if isinstance(instr, Assign) and isinstance(instr.src, Const)
            if path_of(instr.dst) in given and is_temporary(path_of(instr.dst))
        )

    @cached_property
    def selecting(self) -> frozenset[Path]:
        """Variables given to a call whose meaning an argument selects, or to one that may be such a call."""
        selects = self._models.select_names()
        found: set[Path] = set()
        for call in self.calls:
            name = call.target.name if isinstance(call.target, Named) else ""
            if name in selects or (name not in self._models.apis and not self._models.is_neutral(name)):
                found.update(path_of(one) for one in call.args if isinstance(one, Place) and not one.fields)
        return frozenset(found)

    @cached_property
    def shown(self) -> frozenset[Path]:
        """The members of this function's own structures that get constants, where the structure is returned,
        or it or its address is given to a function that no model knows: a note for that one, as in
        ``vm.owned = true``."""
        given = {path[0] for path in self.returned if len(path) == 1}
        for call in self.calls:
            name = call.target.name if isinstance(call.target, Named) else ""
            if name not in self._models.apis and not self._models.is_neutral(name):
                given.update(path[0] for one in call.args if (path := given_path(one)) is not None)
        return frozenset(
            path_of(instr.dst)
            for instr in self.function.instrs
            if isinstance(instr, Assign) and isinstance(instr.src, Const) and instr.dst.fields
            if instr.dst.name in given
            if not any(field.deref or field.name.startswith("[") for field in instr.dst.fields)
        )

    def asks(self, path: Path, value: object) -> bool:
        """Whether a model asks for the member at ``path``, or for one that is set from this variable, and for
        this named constant in it."""
        members, constants = self._models.asked
        if not isinstance(value, Const) or constants.isdisjoint(value.names):
            return False
        return path in self._asked_sources if len(path) == 1 else _member(path) in members

    @cached_property
    def _asked_sources(self) -> frozenset[Path]:
        members, _constants = self._models.asked
        return frozenset(
            path_of(instr.src)
            for instr in self.function.instrs
            if isinstance(instr, Assign) and isinstance(instr.src, Place)
            if _member(path_of(instr.dst)) in members
        )

    @cached_property
    def returned(self) -> frozenset[Path]:
        """Paths whose value is returned."""
        return frozenset(
            path_of(instr.value)
            for instr in self.function.instrs
            if isinstance(instr, Return) and isinstance(instr.value, Place)
        )

    @cached_property
    def correlated(self) -> frozenset[Path]:
        """Paths tested at two places or more, and those tested that callers know too, parameters and what is
        returned: a guard on them is remembered."""
        params = set(self.params)
        returned = self.returned
        return frozenset(
            path
            for path, spans in self._tests.items()
            if path != EXCEPTION
            if len(spans) > 1 or path in returned or (len(path) == 1 and path[0] in params)
        )

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
    def addresses(self) -> dict[str, Place]:
        """The local pointers that get a value once, the address of a place: name -> the place."""
        found: dict[str, Place] = {}
        for name, writes in self._writes.items():
            first = writes[0]
            once = len(writes) == 1 and name not in self.params
            if once and isinstance(first, Assign) and isinstance(first.src, Address):
                found[name] = first.src.place
        return found

    @property
    def origins(self) -> dict[str, Path]:
        """The locals that only ever get an object that something else has, in a language of objects, and
        what has it as long as the function runs: ``entry = self.machines[name]``."""
        return self.copies if self.counts_references else {}

    @cached_property
    def copies(self) -> dict[str, Path]:
        """The locals that get a value once, that of a path which keeps it as long as the function runs."""
        found: dict[str, Path] = {}
        for name, (first, *more) in self._writes.items():
            if more or name in self.params or not isinstance(first, Assign):
                continue
            if isinstance(first.src, Place) and first.src.name != name:
                path = path_of(first.src)
                again = len(self._writes.get(path[0], ())) > (path[0] not in self.params)
                if not again and not self._moves(path, first):
                    found[name] = path
        return found

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
        name = call.target.name if isinstance(call.target, Named) else ""
        modelled = resolve(self._models, name, call.args) if name and call.args else None
        for effect in modelled.effects if modelled is not None else ():
            if isinstance(effect, Copy) and effect.deep:
                source, target = port_path(effect.src, call.args), port_path(effect.at, call.args)
                if source is not None and target is not None and source in self._variables:
                    yield source, target

    @cached_property
    def made(self) -> frozenset[str]:
        """The local variables that get nothing but objects that were made for them."""
        return frozenset(
            name
            for name, writes in self._writes.items()
            if name not in self.params and all(map(self._makes, writes))
        )

    def _makes(self, instr: Assign | Call) -> bool:
        if not isinstance(instr, Call) or not isinstance(instr.target, Named):
            return False
        found = resolve(self._models, instr.target.name, instr.args)
        return found is not None and any(isinstance(effect, Make) for effect in found.effects)

    @cached_property
    def filled(self) -> frozenset[Path]:
        """Paths that receive something other than a constant."""
        found = set()
        for instr in self.function.instrs:
            if isinstance(instr, Assign) and isinstance(instr.src, Const):
                continue
            if isinstance(instr, Call | Assign) and instr.dst is not None:
                found.add(path_of(instr.dst))
        return frozenset(found)

    @cached_property
    def written(self) -> frozenset[Path]:
        """Paths that receive anything."""
        return frozenset(
            path_of(instr.dst)
            for instr in self.function.instrs
            if isinstance(instr, Call | Assign) and instr.dst is not None
        )

    @cached_property
    def cells(self) -> dict[Path, Path]:
        """The cell of each path that the function names, where it has one."""
        found: dict[Path, Path] = {}
        for instr in self.function.instrs:
            for place in places_named(instr):
                cell = cell_of(place)
                if cell is not None:
                    found.setdefault(path_of(place), cell)
        return found

    def cell_at(self, path: Path) -> Path | None:
        """The cell of a member right behind a local, also where the function itself does not name it."""
        cell = self.cells.get(path)
        if cell is not None or len(path) < 2:
            return cell
        if path[1] == FIRST:  # the address of a pointer to the record
            return self.cell_at((path[0], *path[2:]))
        record = dict(self.function.local_types).get(path[0])
        if record is None or "[" in path[1] or not all(step.startswith(".") for step in path[2:]):
            return None
        return ("*" + record, "->" + step_name(path[1]), *path[2:])

    @cached_property
    def sweeps(self) -> dict[int, tuple[Sweep, ...]]:
        """For the block a loop is entered through: the collections that its own calls close."""
        found: dict[int, tuple[Sweep, ...]] = {}
        for loop in map(self._loop, self.loops):
            sweeps = tuple(loop.sweeps())
            for head in loop.heads if sweeps else ():
                found[head] = found.get(head, ()) + sweeps
        return found

    def rounds(self, block: int) -> int | None:
        """How often the loop that a block lies in runs at most, where a constant says that."""
        return next((self._loop(loop).rounds for loop in self.loops if block in loop), None)

    def closed_by(self, site: Site) -> int | None:
        """How many elements of a collection a call in a loop ends at most, where a constant says that."""
        swept = (sweep for sweeps in self.sweeps.values() for sweep in sweeps)
        return next((one.rounds for one in swept if (one.block, one.index) == (site.block, site.index)), None)

    @cached_property
    def handed(self) -> dict[int, tuple[Handed, ...]]:
        """For the block a loop is entered through: the calls that are given an element of a collection."""
        found: dict[int, tuple[Handed, ...]] = {}
        for loop in map(self._loop, self.loops):
            handed = tuple(loop.handed())
            for head in loop.heads if handed else ():
                found[head] = found.get(head, ()) + handed
        return found

    @cached_property
    def unmaps_by_parts(self) -> bool:
        """Whether some call ends a mapping at an address that was reckoned: ``munmap(run + page, rest)``."""
        reckoned = {
            path_of(instr.dst)
            for instr in self.function.instrs
            if isinstance(instr, Assign) and isinstance(instr.src, Opaque)
        }
        for call in self.calls:
            name = call.target.name if isinstance(call.target, Named) else ""
            modelled = resolve(self._models, name, call.args) if name and call.args else None
            for effect in modelled.effects if modelled is not None else ():
                if not isinstance(effect, Unmap) or effect.at.arg is None or effect.at.arg >= len(call.args):
                    continue
                at = call.args[effect.at.arg]
                if isinstance(at, Opaque | Address) or operand_path(at) in reckoned:
                    return True
        return False

    @cached_property
    def elements(self) -> dict[Path, Operand]:
        """The elements of arrays that are set once each: the argument list of a command, what a callable was
        given beforehand. Where the index is a variable that counts, they come in the order of the text."""
        found: dict[Path, list[Operand]] = defaultdict(list)
        for instr in self.function.instrs:
            if isinstance(instr, Assign) and instr.dst.fields and instr.dst.fields[-1].name[:1] in ("[", "%"):
                found[path_of(instr.dst)].append(instr.src)
        elements: dict[Path, Operand] = {}
        for path, given in found.items():
            if path[-1].endswith("[]"):
                step = path[-1].removesuffix("[]")
                elements.update(((*path[:-1], f"{step}[{n}]"), one) for n, one in enumerate(given))
            elif len(given) == 1:
                elements[path] = given[0]
        return elements

    def _loop(self, blocks: frozenset[int]) -> Loop:
        return Loop(self.function, blocks, self.cells, self._models, self.counts_references)

    def sources(self, place: Place) -> list[Operand | Call]:
        """What the function itself puts into a place: operands, and calls whose result it receives."""
        return [
            instr if isinstance(instr, Call) else instr.src
            for instr in self.function.instrs
            if isinstance(instr, Assign | Call) and instr.dst == place
        ]

    def is_neutral_call(self, source: Operand | Call) -> bool:
        """Whether a source is the answer of a function that is listed as doing nothing to descriptors."""
        name = source.target.name if isinstance(source, Call) and isinstance(source.target, Named) else ""
        return bool(name) and self._models.is_neutral(name)

    def member_read(self, call: Call) -> Callable[[Port], Operand | None]:
        """What the function itself puts into a member that an argument of ``call`` points to: its value
        where one assignment gives it."""

        def read(port: Port) -> Operand | None:
            path = port_path(port, call.args)
            given = [
                instr.src
                for instr in self.function.instrs
                if isinstance(instr, Assign) and path is not None and path_of(instr.dst) == path
            ]
            return given[0] if len(given) == 1 else None

        return read


def _member(path: Path) -> str:
    """The name of the member a path ends in; "" for a variable."""
    return step_name(path[-1]) if len(path) > 1 else ""
