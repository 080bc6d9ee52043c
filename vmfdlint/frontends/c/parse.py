"""Bytes -> syntax tree. In: bytes of a file or fragment. Out: a tree-sitter tree, which stays inside this
folder.
"""

from collections import deque
from functools import cache
from weakref import WeakValueDictionary

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Tree

from vmfdlint.frontends.c.even import even


@cache
def _parser() -> Parser:
    """One parser for each process: making one costs more than parsing a small fragment."""
    return Parser(Language(tree_sitter_c.language()))


def tree_of(data: bytes) -> Tree:
    """Parse bytes as they stand; of whole files see :func:`parsed`."""
    return _parser().parse(data)


class Parsed:
    """A file's tree, which goes with the last of those that hold this object."""

    def __init__(self, data: bytes) -> None:
        self.root: Node = tree_of(even(data)).root_node


_held: WeakValueDictionary[bytes, Parsed] = WeakValueDictionary()
_latest: deque[Parsed] = deque(maxlen=16)


def parsed(data: bytes) -> Parsed:
    """A file after the pre-pass, as a tree: the one that somebody holds, or that was made a moment ago. What
    a file declares and what its functions do is thus read from one parse."""
    found = _held.get(data)
    if found is None:
        found = _held[data] = Parsed(data)
        _latest.append(found)
    return found
