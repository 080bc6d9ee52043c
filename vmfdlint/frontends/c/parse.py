"""Bytes -> syntax tree. In: bytes of a file or fragment. Out: a tree-sitter tree, which stays inside this
folder.
"""

from functools import cache

import tree_sitter_c
from tree_sitter import Language, Parser, Tree


@cache
def _parser() -> Parser:
    """One parser for each process: making one costs more than parsing a small fragment."""
    return Parser(Language(tree_sitter_c.language()))


def tree_of(data: bytes) -> Tree:
    """Parse bytes as they stand; callers that read whole files pass them through :func:`even.even` first."""
    return _parser().parse(data)
