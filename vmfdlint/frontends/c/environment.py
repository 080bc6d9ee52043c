"""Names across files. In: the program's index and one file. Out: macros, constants, types, members."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vmfdlint.base import LIMITS, SourceText
from vmfdlint.frontends.c.attributes import attributes_of
from vmfdlint.frontends.c.constants import Value, evaluate
from vmfdlint.frontends.c.declarations import CType, Declarations, cast_results, declarations, fragment_type
from vmfdlint.frontends.c.macros import MACROS
from vmfdlint.frontends.c.noreturn import noreturn_functions
from vmfdlint.frontends.c.outside import seen_by_others
from vmfdlint.frontends.c.preprocess import Macro, expand, macros_in
from vmfdlint.frontends.c.stated import states_constants, states_members, states_type
from vmfdlint.frontends.c.text import WORD
from vmfdlint.frontends.contract import Index
from vmfdlint.ir import Const, Place, Root, Text

_PARSED = 3
_LOOKED_AT = 40
_MENTIONS = 40
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]*\Z")
_AUTOPTR = rb"\bG_DEFINE_AUTOPTR_CLEANUP_FUNC\s*\(\s*%s\s*,\s*(\w+)\s*\)"
_STATIC = re.compile(rb"\bstatic\b")
_LIST_PART = re.compile(r"\w+?_(?:HEAD|ENTRY)_+(?:struct_)?(\w+?)_+\Z")
_LIST_LINKS = frozenset(("first", "next"))
_OPENED = re.compile(rb"\s*\(")
_ENDS_STATEMENT = re.compile(rb"[;{}]|\*/|^[ \t]*#[^\n]*\n|//[^\n]*\n|\)[ \t]*\n(?=\s*\n)", re.M)
_STATEMENT = re.compile(rb"[;{]")


class Global(NamedTuple):
    """A variable at file level: its type, and what it is called everywhere."""

    type: CType
    place: Place


class Environment:
    """Names as code in the file ``path`` sees them. Lookups are cached and deterministic.

    A name is looked for in the files that the index gives for it, likeliest first; of these no more than a
    few are parsed.
    """

    def __init__(self, index: Index, path: str) -> None:
        self._index = index
        self._path = path
        self._macros: dict[str, Macro | None] = {}
        self._constants: dict[str, Value] = {}
        self._types: dict[str, CType] = {}
        self._fields: dict[tuple[str, str], CType | None] = {}
        self._variables: dict[str, Global | None] = {}
        self._results: dict[str, CType | None] = {}
        self._functions: dict[str, bool] = {}
        self._attributes: dict[str, tuple[str, ...]] = {}
        self._never: dict[str, bool] = {}
        self._expanding: set[str] = set()

    def _source(self, path: str) -> SourceText:
        """A file as this one sees it."""
        source = self._index.source(path)
        return source if path == self._path else seen_by_others(source)

    def macro(self, name: str) -> Macro | None:
        """The macro of this name: of the same file, an included one, then the nearest that defines it."""
        if name not in self._macros:
            self._macros[name] = self._find_macro(name)
        return self._macros[name]

    def macro_at(self, name: str, line: int) -> Macro | None:
        """As :meth:`macro`; of one that the file takes back and defines anew, the one before a line."""
        found = self.macro(name)
        if found is None or found.at.path != self._path:
            return found
        every = macros_in(self._source(self._path)).get(name, ())
        before = [one for one in every if one.at.line <= line]
        if len(every) < 2 or not before:
            return found
        undone = re.search(rb"#[ \t]*undef[ \t]+" + name.encode() + rb"\b", self._source(self._path).data)
        return before[-1] if undone else found

    def _find_macro(self, name: str) -> Macro | None:
        for path in self._index.defining("macros", name, self._path)[:_PARSED]:
            if path != self._path and path.endswith(".c"):
                # No one includes it: its free() and assert() are its own.
                continue
            found = macros_in(self._source(path)).get(name)
            if found:
                return found[0]
        return None

    def constant(self, name: str) -> Const | Text | None:
        """The value of an object-like macro or enum constant, None where the name is no constant.

        One for other names, whose numbers are not known, gives those alone, as if they were written out:
        ``#define MY_CREATE KVM_CREATE_VM``, ``#define MY_FLAGS (O_RDWR | O_CLOEXEC)``.
        """
        if name in self._constants:
            return self._constants[name]
        if name in self._expanding or len(self._expanding) >= LIMITS.macro_depth:
            return None
        self._expanding.add(name)
        try:
            value = self._find_constant(name)
        finally:
            self._expanding.discard(name)
        if not self._expanding or value is not None:
            # A None met while another macro expands may only be the cut of a cycle.
            self._constants[name] = value
        return value

    def _find_constant(self, name: str) -> Const | Text | None:
        if name in MACROS.known:
            return Const(MACROS.known[name], (name,))
        macro = self.macro(name)
        if macro is not None:
            if macro.params is not None or not macro.body:
                return None
            value = evaluate(macro.body, self._named, self._called)
            if isinstance(value, Const):
                if value.value is None and (len(value.names) > 1 or _alone(macro.body)):
                    return value
                return Const(value.value, tuple(sorted({*value.names, name})))
            return value
        for file in self._declaring("variables", name, states_constants):
            if name in file.constants:
                return Const(file.constants[name], (name,))
        return None

    def constant_expression(self, text: str) -> Const | Text | None:
        """The value of an expression; an upper-case name that is defined nowhere gives ``Const(None,
        (name,))``.
        """
        return evaluate(text, self._named, self._called)

    def _named(self, name: str) -> Const | Text | None:
        value = self.constant(name)
        if value is not None or not _CONSTANT_NAME.match(name) or name in self._expanding:
            return value
        if self.macro(name) is not None or self.variable(name) is not None or self.is_function(name):
            return None
        return Const(None, (name,))

    def _called(self, name: str, args: list[str]) -> Const | Text | None:
        macro = self.macro(name)
        if macro is None or macro.params is None or name in self._expanding:
            return None
        if len(self._expanding) >= LIMITS.macro_depth:
            return None
        self._expanding.add(name)
        try:
            text = expand(macro, args)
            return evaluate(text, self._named, self._called) if len(text) <= LIMITS.expansion_bytes else None
        finally:
            self._expanding.discard(name)

    def resolve(self, type_name: str) -> CType:
        """The type behind a type name (``KVMState``, ``struct kvm``, ``int``), typedefs followed.

        A type name that no file declares counts as a record of that name, unless it looks like a number's
        type.
        """
        words = [
            word for word in type_name.split() if word not in ("const", "volatile", "restrict", "_Atomic")
        ]
        if len(words) == 2 and words[0] in ("struct", "union"):
            return CType(record=words[1], name=type_name)
        name = words[0] if len(words) == 1 else ""
        if not name or name in MACROS.scalars or words[0] == "enum":
            return CType(name=type_name)
        if name not in self._types:
            self._types[name] = CType(name=name)
            self._types[name] = self._find_type(name)
        return self._types[name]

    def _find_type(self, name: str) -> CType:
        for file in self._declaring("types", name, states_type):
            written = file.typedefs.get(name)
            if written is not None:
                return self.resolve_type(
                    CType(written.record, written.pointer, written.array, written.function, written.name)
                )
        # uint32_t, pid_t and the like are numbers; GError and what is generated at build time are records.
        return CType(name=name) if name.endswith("_t") else CType(record=name, name=name)

    def resolve_type(self, written: CType) -> CType:
        """A type as written somewhere -> the same with its typedef followed."""
        if written.record or not written.name:
            return written
        base = self.resolve(written.name)
        if base.function and not written.function:
            return CType(base.record, base.pointer, written.array, True, base.name)
        array = written.array or (base.array and not written.pointer)
        return CType(base.record, written.pointer + base.pointer, array, written.function, written.name)

    def field(self, record: str, field: str) -> CType | None:
        """The type of a member, resolved; None where unknown."""
        key = (record, field)
        if key not in self._fields:
            self._fields[key] = self._find_field(record, field)
        return self._fields[key]

    def _find_field(self, record: str, field: str) -> CType | None:
        for fields in self._bodies(record):
            if field in fields:
                return self.resolve_type(fields[field])
        part = _LIST_PART.match(record)
        if part and field.rsplit("_", 1)[-1] in _LIST_LINKS:
            # A list head or link made by a macro, whose argument the pre-pass keeps in the type's name.
            element = self.resolve(part.group(1))
            return CType(element.record, element.pointer + 1, name=element.name)
        return None

    def members(self, record: str) -> tuple[str, ...]:
        """Names of a record's members in order of declaration, from the nearest definition; empty where
        unknown.
        """
        return tuple(next(self._bodies(record), {}))

    def _bodies(self, record: str) -> Iterator[dict[str, CType]]:
        """The members of a record in each of the nearest files that define it."""
        outer = record.split(".", 1)[0]
        for kind in ("types", "variables"):
            for file in self._declaring(kind, outer, states_members):
                if record in file.records:
                    yield file.records[record]
        here = self._source(self._path)
        own = declarations(here).records if states_members(here.data, outer) else {}
        if record in own:
            yield own[record]

    def variable(self, name: str) -> Global | None:
        """A variable at file level, None where no file that counts declares one."""
        if name not in self._variables:
            self._variables[name] = self._find_variable(name)
        return self._variables[name]

    def _find_variable(self, name: str) -> Global | None:
        for path in self._index.defining("variables", name, self._path)[: _PARSED + 1]:
            found = declarations(self._source(path)).variables.get(name)
            if found is None:
                continue
            if found.static and path != self._path and not path.endswith(".h"):
                continue
            root = Root.THREAD if found.per_thread else Root.GLOBAL
            return Global(self.resolve_type(found.type), Place(root, name, (), path if found.static else ""))
        return None

    def result(self, function: str) -> CType | None:
        """What a function returns, resolved; None where no declaration was found."""
        if function not in self._results:
            self._results[function] = self._find_result(function)
        return self._results[function]

    def _find_result(self, function: str) -> CType | None:
        for source in self._mentioning(function):
            for start, at, _ in self._headers(source, function):
                # A fragment is far cheaper to parse than the whole file of every function that is called.
                written = fragment_type(source.data[start:at])
                if written is not None:
                    return self.resolve_type(written)
            cast = cast_results(source.data).get(function)
            if cast is not None:
                return self.resolve_type(cast)
        return None

    def attributes(self, function: str) -> tuple[str, ...]:
        """Attribute words of any declaration of the function seen nearby, sorted."""
        if function not in self._attributes:
            words: set[str] = set()
            for source in self._mentioning(function):
                for start, _, end in self._headers(source, function):
                    words.update(attributes_of(source.data, start, end))
            self._attributes[function] = tuple(sorted(words))
        return self._attributes[function]

    def never_returns(self, function: str) -> bool:
        """Whether a declaration seen nearby says that the function does not return to its caller."""
        if function not in self._never:
            sources = self._mentioning(function)
            self._never[function] = any(function in noreturn_functions(source.data) for source in sources)
        return self._never[function]

    def autoptr_cleanup(self, type_name: str) -> str | None:
        """The function that a header registers for ``g_autoptr(type_name)``; None where none does.

        GLib: G_DEFINE_AUTOPTR_CLEANUP_FUNC(TypeName, func) has func called with the pointer.
        """
        wanted = re.compile(_AUTOPTR % re.escape(type_name.encode()))
        for path in (self._path, *self._index.defining("types", type_name, self._path)[:_PARSED]):
            found = wanted.search(self._source(path).data)
            if found is not None:
                return found[1].decode()
        return None

    def is_function(self, name: str) -> bool:
        """Whether some file defines a function of this name that this one sees, and itself nothing else of
        it.
        """
        if name not in self._functions:
            self._functions[name] = self._sees_function(name)
        return self._functions[name]

    def _sees_function(self, name: str) -> bool:
        paths = self._index.defining("functions", name, self._path)
        if not paths or self._path == paths[0]:
            return bool(paths)
        for kind in ("variables", "macros", "types"):
            if self._path in self._index.defining(kind, name, self._path)[:1]:
                return False
        return any(self._sees(self._source(path), name) for path in paths[:_PARSED])

    def _sees(self, source: SourceText, function: str) -> bool:
        return source.path.endswith(".h") or any(True for _ in self._headers(source, function))

    def _headers(self, source: SourceText, function: str) -> Iterator[tuple[int, int, int]]:
        """As :func:`_headers`, without what is static to another file."""
        own = source.path == self._path or source.path.endswith(".h")
        for start, at, end in _headers(source.data, function):
            if own or not _STATIC.search(source.data, start, at):
                yield start, at, end

    def _mentioning(self, function: str) -> Iterator[SourceText]:
        """Files likely to declare a function: this one, those that define it or declare it noreturn."""
        seen = {self._path}
        yield self._index.source(self._path)
        for kind in ("functions", "variables"):
            for path in self._index.defining(kind, function, self._path)[:_PARSED]:
                if path not in seen:
                    seen.add(path)
                    yield self._source(path)

    def _declaring(
        self, kind: str, name: str, states: Callable[[bytes, str], bool]
    ) -> Iterator[Declarations]:
        """Declarations of the nearest files for a name, of those whose text ``states`` something of it."""
        parsed = 0
        for path in self._index.defining(kind, name, self._path)[:_LOOKED_AT]:
            source = self._source(path)
            if states(source.data, name):
                yield declarations(source)
                parsed += 1
                if parsed == _PARSED:
                    return


def _alone(body: str) -> bool:
    """Whether a macro stands for one other name."""
    return body.strip("() \t").isidentifier()


def _headers(data: bytes, function: str) -> Iterator[tuple[int, int, int]]:
    """Where a function may be declared: offsets of the statement's start, of the name, and of what ends it.

    A use as a call has no type words before it in its statement, and is passed over.
    """
    name = function.encode("utf-8", "replace")
    found = 0
    at = data.find(name)
    while at >= 0 and found < _MENTIONS:
        after = at + len(name)
        opened = _OPENED.match(data, after)
        if opened and (at == 0 or data[at - 1] not in WORD):
            found += 1
            start = _declared_from(data, at)
            if start >= 0:
                end = _STATEMENT.search(data, opened.end())
                yield start, at, end.start() if end else len(data)
        at = data.find(name, after)


def _declared_from(data: bytes, at: int) -> int:
    """The start of the statement of which the name at ``at`` is the declarator; -1 where it is used, not
    declared.
    """
    line = data[data.rfind(b"\n", 0, at) + 1 : at].split(b"//")[0].strip()
    if line[-1:] in (b"(", b",", b"!", b".", b"=", b"&", b"|", b":", b"?", b">", b"{"):
        return -1
    start = statement_start(data, at)
    before = data[start:at]
    words = before.split(None, 1)
    if not words or words[0] in (b"return", b"else", b"case", b"do") or b"=" in before:
        return -1
    return start if before.count(b"(") == before.count(b")") else -1


def statement_start(data: bytes, at: int) -> int:
    """Offset just after what ends the statement or line of preprocessor before ``at``."""
    floor = max(0, at - 400)
    last = floor
    for match in _ENDS_STATEMENT.finditer(data[floor:at]):
        last = floor + match.end()
    return last
