"""One Python file as it was lowered, before its names are bound to the rest of the program.

The functions are IR whose names are still those of the source, written out as far as the file alone tells:

- ``Named("os.open")``: a name with the file's imports put in; what the file defines itself begins with the
  file's dotted name (``tools.vm.Vm.close``), a builtin with ``builtins.``, a name that only a star import can
  give with ``*.``.
- ``Member("", "close", <receiver>.close)``: a method of a value whose type the file alone does not tell.
- ``Indirect(place)``: a call of a variable.
- A global of this file is ``Place(GLOBAL, name, unit=path)``; a name of another file is
  ``Place(GLOBAL, "vm.KVM_CREATE_VM")`` without a unit, whatever it means there: a constant, function, class.
- ``Call.keywords`` names the last arguments. The result of a call is always a fresh temporary.
- A member is a step with ``deref`` and the class's dotted name as record where it is ``self``, else "". A key
  that is a literal string is such a member too, an index is ``[3]`` or ``[]``.

Everything here is frozen and can be sent between processes.
"""

import msgspec

from vmfdlint.base import Problem
from vmfdlint.frontends.contract import Sketch
from vmfdlint.ir import Function, Operand

NEW = "python.new"
"""An object is made: ``%t = python.new()``, before its class's ``__init__`` runs."""

DROP = "python.drop"
"""A variable lets go of the object it holds: at the end of the function, at ``del``, when it is overwritten.
"""

FORMAT = "python.format"
"""A text is made of a format, whose directives are all ``%s``, and values."""

BELOW = "%s/%s"
"""The format of ``a / b``: a path is of the type of what it begins with."""

KEPT = "python.kept"
"""A value is returned by a function that gives the same one the next time."""

YIELD = "python.yield"
"""A value is given to whoever drives a generator."""

NEXT = "__next__"
"""A loop asks an iterable for its next element; what is no collection may have to wait for it."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter. ``kind`` is ``plain``, ``keyword`` (only by name), ``*`` or ``**``.

    ``default`` is its default where that is a constant or a name, else None; ``optional`` says that it has
    one. ``type`` is the annotation as a dotted name, "" where there is none or it names no class.
    """

    name: str
    kind: str = "plain"
    optional: bool = False
    default: Operand | None = None
    type: str = ""


class Signature(msgspec.Struct, frozen=True):
    """What callers have to know of a function. ``owner`` is the class it is a method of (``Vm``), else "".

    ``kind``: ``function``, ``method``, ``static``, ``class`` or ``property``. ``returns`` is the annotation.
    ``factories`` are those of the decorators that are calls: ``@retry(3)``.
    """

    parameters: tuple[Parameter, ...] = ()
    kind: str = "function"
    owner: str = ""
    returns: str = ""
    decorators: tuple[str, ...] = ()
    factories: tuple[str, ...] = ()


class Class(msgspec.Struct, frozen=True):
    """A class. ``name`` is its qualified name in the file, ``bases`` and ``decorators`` are dotted names.

    ``constants`` are the names that its body gives a constant; ``fields`` its annotated names in order, each
    with the annotation ("" where it names no class); ``methods`` the functions its body defines.
    """

    name: str
    bases: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    constants: dict[str, Operand] = {}
    fields: tuple[tuple[str, str], ...] = ()
    decorators: tuple[str, ...] = ()


class Module(msgspec.Struct, frozen=True):
    """A file. ``name`` is its dotted name from the root of the tree: ``tools.vm`` for ``tools/vm.py``.

    ``functions`` and ``signatures`` are keyed by qualified name (``Vm.close``); the statements of the file
    are the function ``<module>``. ``imports`` says what a name at file level was imported as (``ioctl`` ->
    ``fcntl.ioctl``), ``stars`` the modules imported whole. ``constants`` are the names assigned a constant
    once and nothing else. ``texts`` are the string literals with their byte offsets.
    """

    path: str
    name: str
    functions: dict[str, Function] = {}
    signatures: dict[str, Signature] = {}
    classes: dict[str, Class] = {}
    imports: dict[str, str] = {}
    stars: tuple[str, ...] = ()
    constants: dict[str, Operand] = {}
    sketches: tuple[Sketch, ...] = ()
    texts: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()


def module_name(path: str) -> str:
    """The dotted name of a file: ``a/b/vm.py`` is ``a.b.vm``, ``a/b/__init__.py`` is ``a.b``."""
    stem = path
    for suffix in (".py", ".pyi", ".pyw"):
        stem = stem.removesuffix(suffix)
    parts = [part for part in stem.split("/") if part not in ("", ".", "..")]
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)
