"""One function prepared for the solver: the variables worth remembering, what it puts where, the close-all
idioms.

In: a lowered function and the models. Out: a Flow. Purely intra-procedural.
"""

from collections import defaultdict
from collections.abc import Callable
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
    Member,
    Named,
    Opaque,
    Operand,
    Place,
    Step,
    places_named,
)
from vmfdlint.link import Site
from vmfdlint.models import Models, Port, Unmap
from vmfdlint.summary.arguments import ordered
from vmfdlint.summary.contents import joined
from vmfdlint.summary.counts import Counts, stepped
from vmfdlint.summary.paths import (
    EXCEPTION,
    FIRST,
    KIND,
    Path,
    cell_of,
    given_path,
    is_temporary,
    operand_path,
    path_of,
    port_path,
    step_name,
)
from vmfdlint.summary.sweeps import Handed, Loop, Sweep
from vmfdlint.summary.variadic import closed_rest, forwarded


class Flow(Counts):
    """A function and what a look at its own body alone can tell."""

    def __init__(self, function: Function, models: Models, managed: bool = False) -> None:
        """``managed``: of a language whose objects go when nothing refers to them."""
        function = stepped(ordered(function, models), models)
        super().__init__(joined(forwarded(function, models), models), models, managed)

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
    def closed_rest(self) -> frozenset[Path]:
        """See :func:`vmfdlint.summary.variadic.closed_rest`."""
        return closed_rest(self.function, self._models)

    def walks(self, site: Site) -> bool:
        """Whether a call goes through what a loop walks along: an entry of a table by a number that is
        stepped, an item of a list that leads to the next one. No loop without a bound does."""
        loop = next((loop for loop in self.loops if site.block in loop), frozenset())
        blocks = [self.function.blocks[number] for number in loop]
        call = self.call_at(site.block, site.index)
        if isinstance(call.target, Named) or any(block.unbounded for block in blocks):
            return False
        name = (call.target.base if isinstance(call.target, Member) else call.target.place).name
        return any(
            isinstance(instr, Assign)
            and (
                isinstance(instr.src, Step)
                or (instr.dst.is_variable(name) and isinstance(instr.src, Place | Opaque))
            )
            for block in blocks
            for instr in block.instrs
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
        """Paths whose value decides a branch, or that are returned, also as an element of a tuple, or copied
        into such a path."""
        found = {*self._tests, *self.returned, *self.returned_elements}
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
    def returned_elements(self) -> frozenset[Path]:
        """What is put into the tuples that the function makes to return them: one says what another is."""
        tuples = {path for path in self.returned if is_temporary(path)} if self.counts_references else set()
        written = (path_of(instr.dst) for instr in self.function.instrs if isinstance(instr, Assign))
        return frozenset(path for path in written if path[:-1] in tuples)

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
        """Variables given to a call whose meaning an argument decides, or to one that may be such a call."""
        selects = self._models.select_names() | self._models.deciding_names
        found: set[Path] = set()
        for call in self.calls:
            if _name(call) in selects or self._is_unknown(call):
                found.update(path for one in call.args if (path := operand_path(one)) and len(path) == 1)
        return frozenset(found)

    def _is_unknown(self, call: Call) -> bool:
        """Whether no model speaks of a call."""
        name = _name(call)
        return name not in self._models.apis and not self._models.is_neutral(name)

    @cached_property
    def shown(self) -> frozenset[Path]:
        """The members of this function's own structures that get constants, where the structure is returned,
        or it or its address is given to a function that no model knows: a note for that one, as in
        ``vm.owned = true``."""
        given = {path[0] for path in self.returned if len(path) == 1}
        for call in self.calls:
            if self._is_unknown(call):
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
    def correlated(self) -> frozenset[Path]:
        """Paths tested at two places or more, and those tested that callers know too, parameters and what is
        returned: a guard on them is remembered."""
        params = set(self.params)
        returned = self.returned
        return frozenset(
            path
            for path, spans in self._tests.items()
            if path not in (EXCEPTION, KIND)
            if len(spans) > 1 or path in returned or (len(path) == 1 and path[0] in params)
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
        for loop in map(self._loop, self.all_loops):
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
        for loop in map(self._loop, self.all_loops):
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
            if isinstance(instr, Assign) and isinstance(instr.src, Opaque | Step)
        }
        for call in self.calls:
            for effect in self.effects(call):
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

    def is_neutral_call(self, source: Operand | Call) -> bool:
        """Whether a source is the answer of a function that is listed as doing nothing to descriptors."""
        name = _name(source) if isinstance(source, Call) else ""
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


def _name(call: Call) -> str:
    """The name that is called, "" where a member or a variable is."""
    return call.target.name if isinstance(call.target, Named) else ""
