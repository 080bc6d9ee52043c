"""Where a function's name stands in the program: in a call, or as a value. Read off the bytes, no parse.

In: a function. Out: the functions that call it by name, and those that use its name; memoised.
"""

import re

from vmfdlint.ir import FunctionKey
from vmfdlint.link.occurrences import occurrences
from vmfdlint.link.program import FILE, Program

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
        name = key.name.encode()
        for path in paths:
            data = self.program.lexicon.source(path).data
            uses = [at for at in occurrences(data, name) if not _declared(data, at)]
            # What the name means there may cost a parse, its places cost next to nothing.
            if not uses or not self.means(key.name, path, key):
                continue
            for at in uses:
                here = self.program.enclosing(path, at)
                if _CALLED.match(data, at + len(name)):
                    if here is not None:
                        callers.add(here)
                else:
                    values.update({here or FunctionKey(path, FILE), FunctionKey(path, FILE)})
                    values.update(self.program.around(path, at))
        self._named_by[key] = frozenset(callers), frozenset(values)
        return self._named_by[key]

    def means(self, name: str, path: str, key: FunctionKey) -> bool:
        """Whether ``name`` in the file ``path`` is the function ``key``."""
        return key in self.program.resolve(name, path)


def _declared(data: bytes, at: int) -> bool:
    """Whether only the words of a type stand before a name in its line."""
    return _DECLARES.fullmatch(data, data.rfind(b"\n", 0, at) + 1, at) is not None
