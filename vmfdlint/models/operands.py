"""The words that all effects share: where a value sits in a call, a condition decided, a class of result."""

from enum import StrEnum

import msgspec

REST = ".."
"""The step that means an argument and all behind it, up to a null pointer."""

NAME = "%name"
"""The step from a directory's descriptor to the path it was opened by."""

MADE = "%made"
"""The step from a variable to the call that its value came from, as a text: ``fdopen(accept())``."""

KEY = "[arg "
"""What the step to the element begins with that another argument is the key of: ``[arg 1]``."""


class Port(msgspec.Struct, frozen=True):
    """Where a value sits in a call: ``ret``, ``arg 1``, ``arg 2 .fd``, ``arg 0 *``, ``arg 0 [0]``,
    ``arg 0 [arg 1]`` (the element that another argument is the key of), ``arg 1 ..`` (that argument and all
    behind it), ``arg 0 named`` (the path of a directory's descriptor), ``arg 0 made`` (the call it
    came from).

    ``arg`` is the argument's index from 0, None for the result. ``fields`` are the steps from it as names
    (``fd``, ``*``, ``[]``, ``[0]``, ``[arg 1]``); a member step on an argument that is a pointer goes through
    the pointer.
    """

    arg: int | None
    fields: tuple[str, ...] = ()

    @property
    def is_keyed(self) -> bool:
        """Whether it is the element of an argument that another one is the key of."""
        return len(self.fields) == 1 and self.fields[0].startswith(KEY)


class Truth(StrEnum):
    """A condition decided for one call."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


class Sign(StrEnum):
    """A class of result."""

    NEGATIVE = "negative"
    ZERO = "zero"
    POSITIVE = "positive"
    NONZERO = "nonzero"
    NULL = "null"
    ANY = "any"
    RAISES = "raises"
    """An exception instead of a result."""
