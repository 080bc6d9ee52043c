"""Where a function's name stands in the program: in a call, or as a value. Read off the bytes, no parse.

In: a function. Out: the functions that call it by name, and those that use its name; memoised.
"""

import re
from collections.abc import Iterable, Iterator

from vmfdlint.ir import FunctionKey
from vmfdlint.link.occurrences import member_sign, occurrences
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.sight import Sight
from vmfdlint.link.told import Told, question, text_question

_DECLARES = re.compile(rb"[A-Za-z_][\w \t*]*")
_CALLED = re.compile(rb"\s*\(")


class Mentions:
    """Memoised mentions of functions by name."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._named_by: dict[FunctionKey, tuple[frozenset[FunctionKey], frozenset[FunctionKey]]] = {}

    def named_by(self, key: FunctionKey) -> tuple[frozenset[FunctionKey], frozenset[FunctionKey]]:
        """The functions that call ``key`` by name, and those (or file levels) that use its name as a value.

        Read off the bytes without a parse: a call is ``name(`` in the text of a function. A comment that
        looks like one adds a caller too many.
        """
        known = self._named_by.get(key)
        if known is not None:
            return known
        bound = self.program.bound(key.path)
        if bound is not None:
            self._named_by[key] = bound.naming(key)
            return self._named_by[key]
        callers: set[FunctionKey] = set()
        values: set[FunctionKey] = set()
        paths = self.program.lexicon.files_with(key.name)
        if "static" in self.program.attributes(key) and not key.path.endswith(".h"):
            included = self.program.lexicon.included
            paths = tuple(path for path in paths if path == key.path or key.path in included(path))
        seeing: Sight | None = None
        for path in paths:
            # What the name means there may cost a parse, its places cost next to nothing.
            if self.uses(path, key.name) and self.means(key.name, path, key):
                callers.update(FunctionKey(path, name) for name in self.calling(path, key.name))
                used = {FunctionKey(path, name) for name in self.using(path, key.name)}
                # A value is no implicit declaration: without one in sight it is a variable's.
                if used and path != key.path and not self.shows(path, key.name):
                    seeing = seeing or self._seeing(key, paths)
                    used = used if path in seeing else set()
                values |= used
        self._named_by[key] = frozenset(callers), frozenset(values)
        return self._named_by[key]

    def _seeing(self, key: FunctionKey, paths: Iterable[str]) -> Sight:
        """The files that see a declaration of a function, of those with its name."""
        shown = (path for path in paths if not path.endswith(".c") and self.shows(path, key.name))
        return Sight(self.program.lexicon.may_include, {key.path, *shown})

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.told.Told`."""
        return self.program.told

    @text_question
    def uses(self, path: str, name: str) -> bool:
        """Whether a file does more with a name than declare it."""
        return any(True for _at in self._uses(path, name))

    @text_question
    def shows(self, path: str, name: str) -> bool:
        """Whether a file declares a function of that name, as far as a line shows it."""
        data, wanted = self.program.lexicon.source(path).data, name.encode()
        return any(
            _CALLED.match(data, at + len(wanted)) and (_declared(data, at) or data[at - 1 : at] in b"\n")
            for at in occurrences(data, wanted)
        )

    @text_question
    def calling(self, path: str, name: str) -> tuple[str, ...]:
        """The functions of a file that call ``name``."""
        data = self.program.lexicon.source(path).data
        found = {
            here.name
            for at in self._uses(path, name)
            if _CALLED.match(data, at + len(name.encode()))
            and (here := self.program.enclosing(path, at)) is not None
        }
        return tuple(sorted(found))

    @question
    def using(self, path: str, name: str) -> tuple[str, ...]:
        """The functions of a file, or its file level, that use ``name`` as a value."""
        data = self.program.lexicon.source(path).data
        found: set[str] = set()
        for at in self._uses(path, name):
            if not _CALLED.match(data, at + len(name.encode())):
                here = self.program.enclosing(path, at)
                found.update({here.name if here is not None else FILE, FILE})
                found.update(holder.name for holder in self.program.around(path, at))
        return tuple(sorted(found))

    def _uses(self, path: str, name: str) -> Iterator[int]:
        """Where a name stands and is no declaration's, and no member's: ``.open = vm_open``."""
        data = self.program.lexicon.source(path).data
        places = occurrences(data, name.encode())
        return (at for at in places if not _declared(data, at) and member_sign(data, at) < 0)

    def means(self, name: str, path: str, key: FunctionKey) -> bool:
        """Whether ``name`` in the file ``path`` is the function ``key``."""
        return key in self.program.resolve(name, path)


def _declared(data: bytes, at: int) -> bool:
    """Whether only the words of a type stand before a name in its line."""
    return _DECLARES.fullmatch(data, data.rfind(b"\n", 0, at) + 1, at) is not None
