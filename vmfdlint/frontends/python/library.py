"""All Python files of a program, joined. In: modules as lowered. Out: bound functions, who names whom.

Everything is worked out when it is first asked for, and once for the whole program.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property

from vmfdlint.base import Problem, SourceText, Span, packed
from vmfdlint.frontends.contract import Damage, Scan, Sketch
from vmfdlint.frontends.python.bind import Binder
from vmfdlint.frontends.python.constants import Constants
from vmfdlint.frontends.python.decorate import BARE, decorated
from vmfdlint.frontends.python.imports import Names
from vmfdlint.frontends.python.infer import Inference
from vmfdlint.frontends.python.module import Module
from vmfdlint.frontends.python.registered import registered
from vmfdlint.frontends.python.tokens import tokens_of
from vmfdlint.frontends.python.types import TYPES
from vmfdlint.frontends.python.unify import gives_first, unified
from vmfdlint.ir import Block, Call, FuncRef, Function, FunctionKey, Named, Notation, Return, reads

NOTATION = Notation(member=".", unknown="...", quoted=True, dotted=True, nameless="an object")
FILE = "<file>"
_NOTHING: Mapping[str, int] = {}
MAIN = "__main__"
_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")


class Library:
    """The Python part of a program.

    ``known`` says whether the models have an API of a dotted name. ``fork_default`` is whether
    multiprocessing forks where the program does not choose (Python up to 3.13); ``python2`` that os
    makes descriptors as Python 2 does, for programs that are executed to inherit (up to 3.3). ``numbers`` are
    those of constants of the library by dotted name.
    """

    def __init__(
        self,
        modules: Mapping[str, Module],
        known: Callable[[str], bool],
        sources: Mapping[str, SourceText],
        fork_default: bool = True,
        python2: bool = False,
        numbers: Mapping[str, int] = _NOTHING,
    ) -> None:
        self._modules = modules
        self.sources = sources
        self._known = known
        self._fork_default = fork_default
        self._python2 = python2
        self._numbers = numbers
        self._bound: dict[FunctionKey, Function] = {}

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """The files as they were lowered, with what stands above their functions written out."""
        written = decorated(self._modules, Names(self._modules, self._known))
        return registered(written, Names(written, self._known))

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files."""
        return frozenset(self._modules)

    @property
    def notation(self) -> Notation:
        """How Python writes a path."""
        return NOTATION

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Files that a program begins in, sorted: those that no other imports, and those that ask whether
        they are the program."""
        imported: set[str] = set()
        for path, module in self.modules.items():
            for target in (*module.imports.values(), *module.stars):
                meaning = self.names.meaning(target, path)
                imported |= {meaning.path} - {path}
        asks = {path for path in self.modules if any(text == MAIN for _, text in self.texts(path))}
        return tuple(sorted((self.modules.keys() - imported) | asks))

    def texts(self, path: str) -> tuple[tuple[int, str], ...]:
        """The string literals of a file with their byte offsets."""
        return self.modules[path].texts

    @cached_property
    def names(self) -> Names:
        """What dotted names mean."""
        return Names(self.modules, self._known)

    @cached_property
    def _binder(self) -> Binder:
        inference = Inference(self.names, self._fork_default)
        return Binder(inference, Constants(self.names, inference.hierarchy, self._numbers), self._python2)

    def unit(self, path: str) -> "PythonUnit":
        """One file as the program asks for it."""
        return PythonUnit(self, self.modules[path])

    def function(self, key: FunctionKey) -> Function | None:
        """A bound function, None where its file has none of that name."""
        known = self._bound.get(key)
        if known is None:
            module = self.modules.get(key.path)
            if module is None or key.name not in module.functions:
                return self.unit(key.path).toplevel() if module is not None and key.name == FILE else None
            known = self._bound[key] = self._binder.bind(module.functions[key.name])
        return known

    def gives_first(self, call: Call) -> bool:
        """Whether a call gives its first argument: an ``__enter__`` that returns the manager itself."""
        if not isinstance(call.target, Named):
            return False
        keys = self.resolve(call.target.name)
        if not keys:
            return call.target.name in TYPES.selves
        return all(gives_first(self.modules[key.path].functions.get(key.name)) for key in keys)

    @cached_property
    def _by_name(self) -> dict[str, tuple[FunctionKey, ...]]:
        found: dict[str, list[FunctionKey]] = {}
        for path in sorted(self.paths):
            module = self.modules[path]
            for name in module.functions:
                found.setdefault(f"{module.name}.{name}", []).append(FunctionKey(path, name))
        return {name: tuple(keys) for name, keys in found.items()}

    def resolve(self, name: str, path: str = "") -> tuple[FunctionKey, ...]:
        """The functions that a bound name means in a file; a call of one of several has ``|`` between.

        Where two files have one dotted name (``vm.py`` and a script ``vm``), the file itself comes first,
        then what is no stub.
        """
        found: dict[FunctionKey, None] = {}
        for one in name.split("|"):
            keys = self._by_name.get(one, ())
            if keys:
                found[min(keys, key=lambda key: (key.path != path, key.path.endswith(".pyi"), key))] = None
        return tuple(found)

    def naming(self, key: FunctionKey) -> tuple[frozenset[FunctionKey], frozenset[FunctionKey]]:
        """The functions that call ``key`` by name, and those that use it as a value."""
        callers, values = self._naming
        return frozenset(callers.get(key, ())), frozenset(values.get(key, ()))

    @cached_property
    def _naming(self) -> tuple[dict[FunctionKey, set[FunctionKey]], dict[FunctionKey, set[FunctionKey]]]:
        callers: dict[FunctionKey, set[FunctionKey]] = {}
        values: dict[FunctionKey, set[FunctionKey]] = {}
        for path in sorted(self.paths):
            for name in self.modules[path].functions:
                here = FunctionKey(path, name)
                function = self.function(here)
                assert function is not None
                for instr in function.instrs:
                    if isinstance(instr, Call) and isinstance(instr.target, Named):
                        for key in self.resolve(instr.target.name, path):
                            callers.setdefault(key, set()).add(here)
                    for operand in reads(instr):
                        if isinstance(operand, FuncRef):
                            for key in self.resolve(operand.name, path):
                                values.setdefault(key, set()).add(here)
        return callers, values

    def mentioning(self, path: str, token: str) -> tuple[FunctionKey, ...]:
        """The functions of a file in whose IR a name stands: of a call, a constant, a member, a variable; or
        a text, or a number in decimal."""
        return self._mentions[path].get(token, ())

    @cached_property
    def _mentions(self) -> dict[str, dict[str, tuple[FunctionKey, ...]]]:
        found: dict[str, dict[str, tuple[FunctionKey, ...]]] = {}
        for path in sorted(self.paths):
            table: dict[str, dict[FunctionKey, None]] = {}
            for name in self.modules[path].functions:
                key = FunctionKey(path, name)
                function = self.function(key)
                assert function is not None
                for token in tokens_of(function, self.resolve):
                    table.setdefault(token, {})[key] = None
            found[path] = {token: tuple(keys) for token, keys in table.items()}
        return found

    def scan(self, path: str) -> Scan:
        """The names in a file, as a lexical pass over another language's gives them, and those that are bound
        to others: ``os.open`` of ``from os import open``. It defines nothing that other languages can see."""
        module = self.modules[path]
        tokens = {token.encode("utf-8", "replace") for token in self._mentions[path]}
        tokens.update(_WORD.findall(self.sources[path].data) if path in self.sources else ())
        for _offset, text in module.texts:
            data = text.encode("utf-8", "replace")
            tokens.add(data)
            if b"/" in data:
                tokens.add(b"/" + data.rpartition(b"/")[2])
        return Scan(tokens=packed(tokens - {b""}))


class PythonUnit:
    """One file; see :class:`vmfdlint.frontends.contract.Unit`. There is no tree to give up."""

    def __init__(self, library: Library, module: Module) -> None:
        self._library = library
        self._module = module

    @property
    def sketches(self) -> tuple[Sketch, ...]:
        """See :class:`vmfdlint.frontends.contract.Unit`. A function that became a class has its methods', one
        that stands below decorators is there besides."""
        functions = self._module.functions
        found: list[Sketch] = []
        for sketch in self._module.sketches:
            names = [sketch.name]
            if sketch.name not in functions:
                names = [name for name in functions if name.rpartition(".")[0] == sketch.name]
            names += [name for name in functions if name.startswith(sketch.name + BARE)]
            found += [Sketch(name, sketch.start, sketch.end, sketch.attributes) for name in names]
        return tuple(found)

    @property
    def outline(self) -> Mapping[str, tuple[str, ...]]:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        return {}

    def holders(self, _offset: int) -> tuple[str, ...] | None:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        return None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        return self._module.problems

    def lower(self, sketch: Sketch) -> Function:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        found = self._library.function(FunctionKey(self._module.path, sketch.name))
        assert found is not None, sketch.name
        return unified(found, self._library.gives_first)

    def forget(self) -> None:
        """See :class:`vmfdlint.frontends.contract.Unit`."""

    def damage(self, sketch: Sketch) -> Damage:
        """See :class:`vmfdlint.frontends.contract.Unit`."""
        damaged = self._module.functions[sketch.name].damaged
        return Damage(sketch.end - sketch.start, damaged, damaged)

    def toplevel(self) -> Function:
        """An empty function: the statements of the file are one of its functions."""
        path = self._module.path
        source = self._library.sources.get(path)
        at = Span(path, 1, 1, 1, 1) if source is None else source.span(0, len(source.data))
        return Function(FunctionKey(path, FILE), (), (Block((Return(None, at),), ()),), at)
