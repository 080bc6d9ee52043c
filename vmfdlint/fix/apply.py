"""Fixes into bytes, and where a place of the old bytes lies in the new ones."""

from collections.abc import Mapping, Sequence

import msgspec

from vmfdlint.base import SourceText, Span
from vmfdlint.finding import Edit, Fix


class Applied(msgspec.Struct, frozen=True):
    """``sources`` are the changed files by path, ``taken`` tells for each fix whether it is in them: of two
    that change the same bytes it is the first. ``edits`` are by path, in order, as byte offsets."""

    sources: dict[str, SourceText]
    taken: tuple[bool, ...]
    edits: dict[str, tuple[tuple[int, int, bytes], ...]]

    def moved(self, source: SourceText, at: Span) -> tuple[str, int]:
        """The path and the byte at which a place of an old source starts in the new one."""
        start = source.offsets(at)[0]
        shift = 0
        for first, end, text in self.edits.get(at.path, ()):
            if end <= start:
                shift += len(text) - (end - first)
            elif first < start:
                return at.path, first + shift
        return at.path, start + shift


def applied(sources: Mapping[str, SourceText], fixes: Sequence[Fix]) -> Applied:
    """The fixes, as many as go together. What two of them change in the same way is changed once."""
    edits: dict[str, set[tuple[int, int, bytes]]] = {}
    taken = []
    for fix in fixes:
        wanted = [(edit.at.path, _bytes(sources[edit.at.path], edit)) for edit in fix.edits]
        free = all(
            one == other or not _meet(one, other) for path, one in wanted for other in edits.get(path, set())
        )
        if free:
            for path, one in wanted:
                edits.setdefault(path, set()).add(one)
        taken.append(free)
    ordered = {path: tuple(sorted(here)) for path, here in edits.items()}
    changed = {path: SourceText(path, _written(sources[path].data, here)) for path, here in ordered.items()}
    return Applied(changed, tuple(taken), ordered)


def _bytes(source: SourceText, edit: Edit) -> tuple[int, int, bytes]:
    start, end = source.offsets(edit.at)
    return start, end, edit.text.encode()


def _meet(one: tuple[int, int, bytes], other: tuple[int, int, bytes]) -> bool:
    """Whether two edits change the same bytes, or insert at one place."""
    if one[0] == other[0]:
        return True
    first, second = sorted((one, other))
    return second[0] < first[1]


def _written(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    parts, done = [], 0
    for start, end, text in edits:
        parts += [data[done:start], text]
        done = end
    return b"".join((*parts, data[done:]))
