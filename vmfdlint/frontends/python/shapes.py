"""Types of values as short texts, and the sets of them that variables have.

- ``tools.vm.Vm``: an object of a class of the project; ``mmap.mmap``: of the library;
- ``ref:tools.vm.Vm``: the class itself; so for functions, modules and what belongs to an API;
- ``part:2:flags:os.open``: a function with its first two arguments and ``flags`` given, as members ``%0``,
  ``%1`` and ``%flags`` of the value; a bound method is ``part:1::tools.vm.Vm.close``;
- ``super:tools.vm.Vm``: what ``super()`` gives in that class; ``c:ioctl``: a function of a C library;
- ``text:spawn``: that text, where it names how processes are made;
- ``[]tools.vm.Vm``, ``[3]...``, ``[name]...``: a collection with such elements.
"""

from collections.abc import Iterable

from vmfdlint.ir import Field, FunctionKey

REF = "ref:"
PART = "part:"
SUPER = "super:"
FOREIGN = "c:"
TEXT = "text:"
_DEEP = 3
_WIDE = 48

Node = tuple[str, str, str]
"""A variable: its sort, whose it is, its name."""


def local(key: FunctionKey, name: str) -> Node:
    """A local variable or parameter."""
    return (f"local {key.name}", key.path, name)


def result(key: FunctionKey) -> Node:
    """What a function returns."""
    return (f"result {key.name}", key.path, "")


def variable(path: str, name: str) -> Node:
    """A variable of a file."""
    return ("variable", path, name)


def attribute(owner: str, name: str) -> Node:
    """A member of the objects of a class, or of the class itself (``ref:``)."""
    return ("attribute", owner, name)


def filled(owner: str, name: str, path: str) -> Node:
    """A member that a file gives to all objects of a class of the library."""
    return ("filled", f"{owner}.{name}", path)


HELD = "[thing]"
"""The step from a context manager to the object that it holds and closes."""


class Store:
    """The types of all variables while they are found out, and who has read them."""

    def __init__(self) -> None:
        self._types: dict[Node, dict[str, None]] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._readers: dict[Node, dict[FunctionKey, None]] = {}
        self.reader: FunctionKey | None = None
        """The function that is asking."""
        self.again: dict[FunctionKey, None] = {}
        """Functions that have read something that has changed since."""

    def read(self, node: Node) -> tuple[str, ...]:
        """The types of a variable found so far."""
        if self.reader is not None:
            self._readers.setdefault(node, {})[self.reader] = None
        return tuple(self._types.get(node, ()))

    def members(self, owner: str) -> tuple[str, ...]:
        """The members of a class's objects whose types have been found."""
        return tuple(self._members.get(owner, ()))

    def add(self, node: Node, types: Iterable[str]) -> None:
        """More types of a variable."""
        known = self._types.setdefault(node, {})
        if node[0] == "attribute":
            self._members.setdefault(node[1], {})[node[2]] = None
        fresh = [one for one in types if one not in known]
        if fresh and len(known) < _WIDE:
            known.update(dict.fromkeys(fresh))
            self.again.update(self._readers.get(node, {}))


def is_step(name: str) -> bool:
    """Whether a step of a place leads to an element: ``[]``, ``[3]``, ``[name]``."""
    return name.startswith("[")


def holding(step: str, types: Iterable[str]) -> tuple[str, ...]:
    """Types of a collection whose elements at ``step`` have ``types``; nothing beyond a depth."""
    return tuple(step + one for one in types if one.count("[") < _DEEP)


def elements(type_: str, step: str) -> str | None:
    """The type of an element of a collection; None where it has no such one or is none."""
    if not type_.startswith("["):
        return None
    own, _, inner = type_[1:].partition("]")
    return inner if own == "" or step == "[]" or step == f"[{own}]" else None


def partial(name: str, count: int, keywords: Iterable[str]) -> str:
    """The type of a function with arguments given."""
    return f"{PART}{count}:{','.join(keywords)}:{name}"


def parted(type_: str) -> tuple[str, int, tuple[str, ...]]:
    """The function, the number of arguments given and the names of those given by name."""
    count, words, name = type_.removeprefix(PART).split(":", 2)
    return name, int(count), tuple(words.split(",")) if words else ()


def bound(index: int | str) -> Field:
    """The member of a function's value that holds an argument given before."""
    return Field(f"%{index}", "", True)
