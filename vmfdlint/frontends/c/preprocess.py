"""Macros of one file, and their textual substitution. In: source text. Out: Macro values and strings."""

from collections.abc import Sequence

import msgspec

from vmfdlint.base import SourceText, Span


class Macro(msgspec.Struct, frozen=True):
    """A ``#define``. ``params`` is None for an object-like macro; ``body`` is one line without comments."""

    name: str
    params: tuple[str, ...] | None
    variadic: bool
    body: str
    at: Span


def macros_in(source: SourceText) -> dict[str, tuple[Macro, ...]]:
    """Every macro of the file by name, in source order; branches known to be dead are left out."""
    raise NotImplementedError


def expand(macro: Macro, args: Sequence[str]) -> str:
    """The body with arguments put in (``#``, ``##``, ``__VA_ARGS__``). The result is not scanned again."""
    raise NotImplementedError


def split_arguments(text: str) -> list[str]:
    """Split what stands between the parentheses of a macro's use at its top-level commas; pieces are stripped."""
    raise NotImplementedError
