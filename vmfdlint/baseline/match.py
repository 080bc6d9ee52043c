"""Entries against entries: which of the findings of now were known."""

import os
from collections import defaultdict
from collections.abc import Callable, Container, Sequence

import msgspec

from vmfdlint.baseline.entry import Entry

_KEYS: tuple[Callable[[Entry], tuple[str, ...]], ...] = (
    lambda one: (one.fingerprint, one.path, one.function, one.text),
    lambda one: (one.fingerprint, one.path, one.text),
    lambda one: (one.fingerprint, one.path),
    lambda one: (one.fingerprint, one.text),
    lambda one: (one.fingerprint,),
    lambda one: (one.rule, one.path, one.function, one.text),
    lambda one: (one.rule, one.path, one.text),
    lambda one: (one.rule, one.function, one.text),
)
"""What two entries may share, from the closest down: a moved line keeps all, a renamed file the fingerprint,
a renamed function or another way to the same code the code itself."""


class Matched(msgspec.Struct, frozen=True):
    """``known`` says of each finding of now whether it was there before; ``gone`` is what is not any more."""

    known: tuple[bool, ...]
    gone: tuple[Entry, ...]


def match_known(now: Sequence[Entry], before: Sequence[Entry]) -> Matched:
    """Pairs the findings of now with known ones, each with one at most, the closest pairs first."""
    left = dict(enumerate(before))
    known = [False] * len(now)
    for key in _KEYS:
        waiting: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, entry in left.items():
            waiting[key(entry)].append(number)
        for index, entry in enumerate(now):
            if known[index] or not _told(key(entry)):
                continue
            numbers = waiting.get(key(entry))
            if numbers:
                del left[numbers.pop(0)]
                known[index] = True
    return Matched(tuple(known), tuple(left.values()))


def surely_gone(gone: Sequence[Entry], read: Container[str], file: str, root: str) -> list[Entry]:
    """Those of what was not found again whose source was ``read``, or is there no more: the others may be
    found still. Paths are relative to ``root``, or to where the baseline ``file`` lies."""
    places = (root, os.path.dirname(file))  # noqa: PTH120 - "" is the current directory
    return [
        one
        for one in gone
        if one.path in read or not any(os.path.lexists(os.path.join(place, one.path)) for place in places)  # noqa: PTH118
    ]


def _told(key: tuple[str, ...]) -> bool:
    """Whether a key says something: an empty fingerprint, or a rule without code, would match too much."""
    return bool(key[0]) and bool(key[-1])
