"""The classes of exceptions, by the last part of their names. In: a name. Out: it and those of its bases."""

import builtins

from vmfdlint.frontends.python.hierarchy import Hierarchy

_LIBRARY = {
    "JSONDecodeError": "ValueError",
    "CalledProcessError": "SubprocessError",
    "TimeoutExpired": "SubprocessError",
    "SubprocessError": "Exception",
    "ArgumentError": "Exception",
    "CancelledError": "BaseException",
    "Empty": "Exception",
    "Full": "Exception",
}
"""Those of the standard library that no failing system call raises, with a base."""


def is_builtin(name: str) -> bool:
    """Whether a name is that of an exception of Python's own."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def family(name: str) -> tuple[str, ...]:
    """The names of an exception of the library, sorted: its own, and those of its bases."""
    if is_builtin(name):
        return tuple(sorted({name, *(one.__name__ for one in getattr(builtins, name).__mro__)} - {"object"}))
    base = _LIBRARY.get(name)
    return tuple(sorted({name, *family(base)})) if base is not None else (name,)


class Exceptions:
    """The exceptions of the library and of a program."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._classes: dict[str, set[str]] = {}
        for name in hierarchy.classes:
            bases = (one.rpartition(".")[2] for one in hierarchy.mro(name))
            names = {each for base in bases for each in family(base)}
            self._classes.setdefault(name.rpartition(".")[2], set()).update(names)

    def names(self, name: str) -> tuple[str, ...]:
        """The names of an exception, sorted: its own, and those of its bases."""
        return tuple(sorted(self._classes.get(name, ()))) or family(name)

    def all_known(self, names: tuple[str, ...]) -> bool:
        """Whether it is known of each of these what raises it: of others a call that fails may."""
        return all(one in self._classes or one in _LIBRARY or is_builtin(one) for one in names)
