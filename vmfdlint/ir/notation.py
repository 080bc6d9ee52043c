"""How the language of a file writes a path: words for people, of no meaning to the analysis."""

import msgspec


class Notation(msgspec.Struct, frozen=True):
    """``member`` stands before a member's name, ``unknown`` in the brackets of an element whose index is not
    known. ``quoted``: a key that is a word is a text. ``dotted``: a record's name begins with those of what
    it lies in. ``nameless`` is a path from an object that no variable names; "" tells such a path's steps.
    """

    member: str = "->"
    unknown: str = ""
    quoted: bool = False
    dotted: bool = False
    nameless: str = ""
