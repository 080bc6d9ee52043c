"""Files that kernel code makes in debugfs for a VM: mode, data, operations. In: a solved program. Out: files.

Only files of the program that name such a call and a structure or reference of a VM are parsed. The calls and
structures are rows of the models.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import (
    Address,
    Assign,
    Call,
    Const,
    Field,
    Flags,
    FuncRef,
    Function,
    FunctionKey,
    Instr,
    Named,
    Operand,
    Place,
    Root,
    Text,
    places_named,
)
from vmfdlint.link import FILE, Program, Site
from vmfdlint.models import Acquire, Expose, Models, Port, Release, resolve
from vmfdlint.solve import Solver
from vmfdlint.summary import Chain, Origin, Origins, pointed

Members = dict[tuple[str, str], str]
"""Record and member -> the VM structure it points to."""


class Operations(msgspec.Struct, frozen=True):
    """A struct file_operations: what its members hold, as functions of the program and as other names."""

    path: str
    name: str
    open: tuple[FunctionKey, ...] = ()
    release: tuple[FunctionKey, ...] = ()
    other: tuple[FunctionKey, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """What releases the file outside of the program: ``single_release``."""


class KernelFile(msgspec.Struct, frozen=True):
    """One debugfs file as one chain of callers makes it.

    ``name`` is "" where it is no literal. ``modes`` are the permissions it can have, as far as they are
    known; ``computed`` the functions they come from. ``subject`` says in words what VM structure the file is
    of, "" where its data is none.
    """

    site: Site
    at: Span
    api: str
    name: str
    modes: tuple[int, ...]
    computed: tuple[str, ...]
    subject: str
    operations: tuple[Operations, ...]
    calls: tuple[tuple[Span, FunctionKey], ...]


class KernelFiles:
    """Finds the files of one program."""

    def __init__(self, solver: Solver) -> None:
        self.program: Program = solver.program
        self.models: Models = solver.models
        self.origins = Origins(solver.graph)
        self.aliases = solver.aliases

    def found(self) -> Iterator[KernelFile]:
        """Every file, by place."""
        names = self.models.names_with(Expose)
        paths = set(self._paths(names))
        macros = {alias for path in paths for alias in self.aliases(path, names)}
        paths.update(path for macro in macros for path in self.program.lexicon.files_with(macro))
        names |= macros
        for path in sorted(paths):
            keys = {key for name in names for key in self.program.mentioning_in(path, name)}
            for key in sorted(keys):
                function = self.program.function(key) if key.name != FILE else None
                if function is not None:
                    yield from self._made_in(function)

    def _paths(self, names: frozenset[str]) -> frozenset[str]:
        """The files that name one of the calls and a VM."""
        lexicon = self.program.lexicon
        making = {path for name in names for path in lexicon.files_with(name)}
        if not making:
            return frozenset()
        vm = self.models.vm_records | self.models.names_with(Acquire)
        return frozenset(making.intersection(path for name in vm for path in lexicon.files_with(name)))

    def _made_in(self, function: Function) -> Iterator[KernelFile]:
        for number, block in enumerate(function.blocks):
            for index, instr in enumerate(block.instrs):
                if not isinstance(instr, Call) or not isinstance(instr.target, Named):
                    continue
                modelled = resolve(self.models, instr.target.name, instr.args)
                for effect in modelled.effects if modelled is not None else ():
                    if isinstance(effect, Expose) and modelled is not None:
                        site = Site(function.key, number, index)
                        yield from self._files(site, instr, modelled.api, effect)

    def _files(self, site: Site, call: Call, api: str, effect: Expose) -> Iterator[KernelFile]:
        ports = (effect.mode, effect.data, *((effect.operations,) if effect.operations is not None else ()))
        operands = [_argument(port, call) for port in ports]
        text = _argument(effect.name, call)
        name = text.value if isinstance(text, Text) else ""
        for chain in self.origins.chains(site.function, operands, frozenset({1})):
            modes, computed = self._modes(chain, site.function)
            operations = (
                tuple(one for origin in chain.operands[2] for one in self._operations(origin))
                if len(chain.operands) > 2
                else ()
            )
            calls = tuple((self._at(above), above.function) for above in chain.calls)
            data = (Origin(site.function, operands[1]), *chain.operands[1])
            subject = self._subject(chain, data, operations)
            yield KernelFile(site, call.at, api, name, modes, computed, subject, operations, calls)

    def _at(self, site: Site) -> Span:
        function = self.program.function(site.function)
        assert function is not None  # a call was found in it
        return function.blocks[site.block].instrs[site.index].at

    def _modes(self, chain: Chain, maker: FunctionKey) -> tuple[tuple[int, ...], tuple[str, ...]]:
        inside = {maker, *(site.function for site in chain.calls)}
        modes: set[int] = set()
        computed: set[str] = set()
        for origin in chain.operands[0]:
            mode = self._mode(origin.operand)
            if mode is not None:
                modes.add(mode)
                if origin.function not in inside and origin.function.name != FILE:
                    computed.add(origin.function.name)
        return tuple(sorted(modes)), tuple(sorted(computed))

    def _mode(self, operand: Operand) -> int | None:
        """Permission bits that a value surely has; None where none is known."""
        match operand:
            case Const(value=value) if value is not None:
                return value & 0o7777
            case Const(names=names) | Flags(on=names) if names:
                bits = 0
                for name in names:
                    number = int(name) if name.isdecimal() else self.models.constants.get(name)
                    if number is None:
                        return None
                    bits |= number
                return bits & 0o7777
            case _:
                return None

    def _operations(self, origin: Origin) -> Iterator[Operations]:
        """The struct file_operations a value names, read from its initialiser."""
        place = pointed(origin.operand)
        if place is None or place.root is not Root.GLOBAL:
            return
        near = place.unit or origin.function.path
        others = self.program.lexicon.defining("variables", place.name, near)
        for path in dict.fromkeys((near, *(() if place.unit else others))):
            level = self.program.function(FunctionKey(path, FILE))
            found = [
                (instr.dst.fields[-1].name, instr.src)
                for block in (level.blocks if level is not None else ())
                for instr in block.instrs
                if isinstance(instr, Assign) and instr.dst.name == place.name and instr.dst.fields
            ]
            if found:
                yield self._read(path, place.name, found)
                return

    def _read(self, path: str, name: str, members: list[tuple[str, Operand]]) -> Operations:
        def bodies(wanted: Iterable[str]) -> tuple[FunctionKey, ...]:
            return tuple(
                key
                for member, value in members
                if member in wanted and isinstance(value, FuncRef)
                for key in self._bodies(value.name, path)
            )

        last = [value for member, value in members if member == "release"]
        elsewhere = [
            value.name
            for value in last
            if isinstance(value, Place | FuncRef) and not self._bodies(value.name, path)
        ]
        rest = {member for member, _value in members} - {"open", "release"}
        return Operations(path, name, bodies({"open"}), bodies({"release"}), bodies(rest), tuple(elsewhere))

    def _bodies(self, name: str, path: str) -> tuple[FunctionKey, ...]:
        """The definitions a name means in a file; no index knows those that a macro of the file makes."""
        own = FunctionKey(path, name)
        return (own,) if self.program.function(own) is not None else self.program.resolve(name, path)

    # -- what the data is ----------------------------------------------------------------------------------

    def _subject(self, chain: Chain, data: tuple[Origin, ...], operations: tuple[Operations, ...]) -> str:
        """What VM structure the data is, in words: itself, a part of it, or one that leads to it."""
        keys = {origin.function for origins in chain.operands for origin in origins}
        keys |= {site.function for site in chain.calls}
        keys |= {key for one in operations for key in (*one.open, *one.release, *one.other)}
        members = self._vm_members(keys)
        holders = {record for record, _name in members}
        words: list[str] = []
        for origin in data:
            record, part = self._record(origin, members)
            if record in self.models.vm_records:
                words.append(f"a part of struct {record}" if part else f"struct {record}")
            elif record and record in holders and not part:
                words.append(f"struct {record} (it leads to the VM)")
        return min(words, key=len, default="")

    def _record(self, origin: Origin, members: Members) -> tuple[str, bool]:
        """The record that a value points to, and whether it points to a part of it only."""
        operand = origin.operand
        if isinstance(operand, Address):
            inside = [
                field.record for field in operand.place.fields if field.record in self.models.vm_records
            ]
            if inside:
                return inside[-1], True
        place = pointed(operand)
        if place is None:
            return "", False
        if place.fields:
            last = place.fields[-1]
            return members.get((last.record, last.name), ""), False
        function = self.program.function(origin.function)
        return (_types(function).get(place.name, "") if function is not None else ""), False

    def _vm_members(self, keys: set[FunctionKey]) -> Members:
        """Members that point to a VM structure, as functions that use them show."""
        found: Members = {}
        for key in sorted(keys):
            function = self.program.function(key)
            if function is not None:
                types = _types(function)
                for block in function.blocks:
                    for instr in block.instrs:
                        for field, record in self._shown(instr, types):
                            if field.record:
                                found.setdefault((field.record, field.name), record)
        return found

    def _shown(self, instr: Instr, types: dict[str, str]) -> Iterator[tuple[Field, str]]:
        """The members that one instruction shows to lead to a VM structure, and to which."""
        records = self.models.vm_records
        if not isinstance(instr, Assign | Call):
            return
        for place in places_named(instr):
            for field, following in pairwise(place.fields):
                if following.record in records:
                    yield field, following.record
        if isinstance(instr, Assign) and isinstance(instr.src, Place):
            for one, other in ((instr.dst, instr.src), (instr.src, instr.dst)):
                if one.fields and not other.fields and types.get(other.name) in records:
                    yield one.fields[-1], types[other.name]
        elif isinstance(instr, Call) and isinstance(instr.target, Named):
            modelled = resolve(self.models, instr.target.name, instr.args)
            for effect in modelled.effects if modelled is not None else ():
                if isinstance(effect, Acquire | Release):
                    argument = _argument(effect.ref, instr)
                    if isinstance(argument, Place) and argument.fields:
                        yield argument.fields[-1], effect.record


def _argument(port: Port, call: Call) -> Operand:
    """What stands at a port of a call; a constant without a value where the call has no such argument."""
    index = port.arg
    return call.args[index] if index is not None and index < len(call.args) else Const(None)


def _types(function: Function) -> dict[str, str]:
    return dict(function.local_types)
