"""What an analysis hung on, kept for the next one. In: a solved program. Out: rows, and what of an earlier
run's still holds for a file that is the same.

What an analysis hangs on of one file is what the file said when it was asked (``link.told``), which names it
holds and defines, what it says of names to other files, and what its functions were lowered to.
"""

from collections.abc import Callable, Mapping

import msgspec

from vmfdlint.cache import Coding, Rows, digest
from vmfdlint.link import ANSWERED_ALONE, Answer, Asked
from vmfdlint.solve import Passage

SPOKEN = b"vmfdlint"
"""What a file with comments for vmfdlint holds."""


class Last(msgspec.Struct, frozen=True, array_like=True):
    """The analysis before. ``files`` are paths with hashes of contents, ``sought`` the names of which was
    asked where they stand, ``asked`` those of which was asked where they are defined, ``lowering`` those of
    them that were asked to lower functions, ``spoken`` the files with comments for vmfdlint."""

    files: tuple[tuple[str, str], ...] = ()
    outcome: bytes = b""
    sought: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    lowering: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()


class Sayings(msgspec.Struct, frozen=True, array_like=True):
    """What a file said. ``names`` are numbers for what it says of names to other files (``link.signature``);
    ``lowered``: its functions were asked for, too, and are kept in the row with that mark (``link.kept``);
    ``passed``: of those that descriptors passed, where these came from, by name."""

    answers: tuple[tuple[str, tuple[str, ...], Answer], ...] = ()
    names: Mapping[str, int] = {}
    lowered: bool = False
    mark: bytes = b""
    passed: Mapping[str, Passage] = {}

    @property
    def is_light(self) -> bool:
        """Whether the file alone can answer again."""
        return not self.lowered and all(name in ANSWERED_ALONE for name, _args, _said in self.answers)


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """One analysis; the sayings by path, encoded each on its own: few of them are ever read."""

    last: Last
    sayings: dict[str, msgspec.Raw]


_ROWS = Coding(_Row)
_SAYINGS = Coding(Sayings)
_UNKEPT = msgspec.Raw(msgspec.msgpack.encode(None))
"""In the place of what no row can hold."""


class Record:
    """An analysis before, as it was kept; ``last`` is None where there is none. ``asked`` stands for its
    options."""

    def __init__(self, rows: Rows, asked: bytes) -> None:
        self._rows = rows
        self._key = digest((b"again", asked))
        kept = _ROWS.decode(rows.get((self._key,)).get(self._key))
        self.last = kept.last if kept is not None else None
        self._kept = kept.sayings if kept is not None else {}

    def is_lost(self, path: str) -> bool:
        """Whether a file said what could not be kept."""
        return path in self._kept and self.of(path) is None

    def of(self, path: str) -> Sayings | None:
        """What a file said, None where it was asked nothing, or it could not be kept."""
        return _SAYINGS.decode(self._kept.get(path))

    def answers(self, path: str, alone: bool) -> dict[Asked, Answer]:
        """What a file answered; only what it answers ``alone``."""
        said = self.of(path) or Sayings()
        return {
            (name, args): answer for name, args, answer in said.answers if not alone or name in ANSWERED_ALONE
        }

    def put(self, last: Last, sayings: Mapping[str, Sayings], carries: Callable[[str], bool]) -> None:
        """Keeps an analysis that hung on ``sayings``, and on what files said in this one for which that still
        holds: ``carries`` says of which; none of those that are there no more."""
        there = {path for path, _content in last.files}
        kept = {path: row for path, row in self._kept.items() if path in there and carries(path)}
        for path, said in sayings.items():
            row = _SAYINGS.encode(said)
            kept[path] = _UNKEPT if row is None else msgspec.Raw(row)
        made = _ROWS.encode(_Row(last, kept))
        if made is not None:
            self._rows.put({self._key: made})
