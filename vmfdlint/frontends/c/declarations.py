"""What one file declares. In: source text. Out: types, fields, constants, variables and function results."""

import msgspec

from vmfdlint.base import SourceText


class CType(msgspec.Struct, frozen=True):
    """A declared type, as far as access paths need it.

    ``record`` is the struct or union tag, typedefs resolved ("" for scalars and void). ``pointer`` is the number of
    ``*``. ``array`` says that the outermost layer is an array. ``function`` says that this is a function or a
    pointer to one; the other fields then describe its result. ``name`` is the type name as written.
    """

    record: str = ""
    pointer: int = 0
    array: bool = False
    function: bool = False
    name: str = ""


class Declarations(msgspec.Struct, frozen=True):
    """What a file declares at file level. Anonymous inner records are flattened into the outer one.

    A named field of an anonymous inner record gets the synthetic record ``Outer.field``. ``constants`` holds enum
    constants (None where not a plain number). ``variables`` maps to (type, is it static). ``results`` maps a
    function to its result type, ``attributes`` to the words of all its declarations here.
    """

    typedefs: dict[str, CType]
    records: dict[str, dict[str, CType]]
    constants: dict[str, int | None]
    variables: dict[str, tuple[CType, bool]]
    results: dict[str, CType]
    attributes: dict[str, tuple[str, ...]]


def declarations(source: SourceText) -> Declarations:
    """Parse a file and list what it declares; cached by content."""
    raise NotImplementedError
