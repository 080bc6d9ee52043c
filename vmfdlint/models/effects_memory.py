"""What a call does to memory: mappings of descriptors, and values and texts that are moved about.

Fields name operands by :class:`Port`; a :class:`Truth` is a condition decided for one call.
"""

import msgspec

from vmfdlint.models.operands import Port, Truth

ANSWERS = ("before", "after", "zero")
"""What a call that steps a number can answer."""


class Map(msgspec.Struct, frozen=True, tag=True):
    """Maps ``fd`` into memory at ``at``; ``length`` is the operand that gives its bytes. ``owner``: an object
    is at ``at`` that ends the mapping when nothing refers to it any more. ``numbered``: a duplicate of the
    descriptor goes with the mapping, under a number that nobody sees.
    """

    fd: Port
    at: Port
    length: Port | None = None
    owner: bool = False
    numbered: Truth = Truth.NO


class Unmap(msgspec.Struct, frozen=True, tag=True):
    """Ends the mapping at ``at``, over ``length`` bytes. ``asks_views``: not while a view of it is alive
    (Export), which makes the call fail.
    """

    at: Port
    length: Port | None = None
    asks_views: bool = False


class Make(msgspec.Struct, frozen=True, tag=True):
    """A new object is at ``at``: it is none of those that other variables name."""

    at: Port


class Export(msgspec.Struct, frozen=True, tag=True):
    """A view of the mapping ``of`` is at ``at`` (a buffer export of Python): it keeps the mapping alive."""

    of: Port
    at: Port


class Resize(msgspec.Struct, frozen=True, tag=True):
    """Leaves ``length`` bytes of the mapping at ``at``."""

    at: Port
    length: Port


class DontFork(msgspec.Struct, frozen=True, tag=True):
    """MADV_DONTFORK (``on`` YES) or MADV_DOFORK (NO) on the mapping at ``at``."""

    at: Port
    on: Truth
    length: Port | None = None


class Count(msgspec.Struct, frozen=True, tag=True):
    """Adds ``by`` to the number that ``at`` points to, so many ``times`` as that operand says; ``sets``: the
    operand is what it is from then on. ``gives`` says what is returned: the number ``before`` or ``after``
    the step, or whether it is ``zero`` behind it.
    """

    at: Port
    by: int = 1
    times: Port | None = None
    sets: bool = False
    gives: str = ""


class Inside(msgspec.Struct, frozen=True, tag=True):
    """``pointer`` leads into what ``object`` leads to: what is written behind the one is found behind the
    other (CMSG_DATA, the control buffer of a message).
    """

    pointer: Port
    object: Port


class Free(msgspec.Struct, frozen=True, tag=True):
    """Releases the memory ``pointer`` points to; descriptors kept only there are lost."""

    pointer: Port


class Drop(msgspec.Struct, frozen=True, tag=True):
    """The variable ``pointer`` lets go of its object, which goes with all it holds where nothing else refers
    to it. ``early``: what stands behind the call has not been given it.
    """

    pointer: Port
    early: bool = False


class Copy(msgspec.Struct, frozen=True, tag=True):
    """The value in ``src`` is also in ``at`` afterwards (memcpy, a steal helper, an atomic store). ``deep``:
    and what lies below it, elements and members.
    """

    src: Port
    at: Port
    deep: bool = False


class Store(msgspec.Struct, frozen=True, tag=True):
    """The place ``at`` receives ``value`` (g_clear_fd leaves -1 behind)."""

    at: Port
    value: int


class Wipe(msgspec.Struct, frozen=True, tag=True):
    """The memory that ``at`` points to is overwritten: numbers of what was closed are not there any more. How
    much of it is not asked, so what is open counts as held there still.
    """

    at: Port


class Keep(msgspec.Struct, frozen=True, tag=True):
    """The callee keeps ``value`` in a structure of its own that can still be reached (a list, a table)."""

    value: Port


class Write(msgspec.Struct, frozen=True, tag=True):
    """A text that is made of the text in ``value`` stands at ``at`` afterwards.

    ``values``: the argument that fills its first % directive, the others follow (None: it is no format).
    ``join``: put between ``value`` and each argument behind it, up to a null pointer. ``append``: behind what
    stands there.
    """

    at: Port
    value: Port
    values: int | None = None
    join: str | None = None
    append: bool = False
