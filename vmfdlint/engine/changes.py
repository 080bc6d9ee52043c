"""What changed since an analysis, and whether that says anything else to the files that did not.

In: the record of the analysis and the sources now. Out: the changes, compared by what was asked for then.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

import msgspec

from vmfdlint.base import LIMITS, SourceText, number_of, unpacked
from vmfdlint.cache import Rows
from vmfdlint.engine.questions import alone
from vmfdlint.engine.read import Files, scan_of
from vmfdlint.engine.record import SPOKEN, Last, Record
from vmfdlint.frontends import c
from vmfdlint.frontends.contract import Scan
from vmfdlint.frontends.languages import PYTHON, language_of
from vmfdlint.link import KINDS, Lexicon, Signatures
from vmfdlint.models import Models


class Change(msgspec.Struct, frozen=True):
    """A file that is not what it was: ``source`` is None where it is gone, ``before`` the hash of its content
    before, "" where it is new; ``old`` and ``new`` are its scans, empty where there was or is none."""

    path: str
    source: SourceText | None
    before: str
    old: Scan
    new: Scan

    @property
    def is_edit(self) -> bool:
        """Whether the file was there before, and still is."""
        return self.source is not None and bool(self.before)


class Changes:
    """The files that are not what they were. ``read`` and ``lexicon`` give the program now, which costs time
    and is not always needed."""

    def __init__(
        self,
        record: Record,
        rows: Rows,
        sources: Mapping[str, SourceText],
        models: Models,
        read: Callable[[], Files],
        lexicon: Callable[[], Lexicon],
    ) -> None:
        self._record = record
        self._rows = rows
        self._sources = sources
        self._models = models
        self._read = read
        self._lexicon = lexicon
        self._last = record.last or Last()
        self._files = dict(self._last.files)
        self._alike: dict[str, bool] = {}

    @cached_property
    def differing(self) -> frozenset[str]:
        """Paths of the files that changed, are new or gone."""
        return frozenset(
            path
            for path in self._files.keys() | self._sources.keys()
            if path not in self._sources or self._files.get(path) != self._sources[path].content_hash
        )

    @property
    def are_few(self) -> bool:
        """Whether it pays to look at each."""
        return len(self.differing) <= LIMITS.changed_files

    @cached_property
    def all(self) -> tuple[Change, ...] | None:
        """What changed; None where it is too much, or was bound by a front-end that knows more than names."""
        if self._record.last is None or not self.are_few:
            return None
        found = []
        for path in sorted(self.differing):
            source, before = self._sources.get(path), self._files.get(path, "")
            if path.endswith(".py") if source is None else language_of(source) == PYTHON:
                return None
            old = scan_of(self._rows, path, before) if before else Scan(b"")
            new = scan_of(self._rows, path, source.content_hash, source) if source else Scan(b"")
            if old is None or new is None:
                return None
            found.append(Change(path, source, before, old, new))
        return tuple(found)

    def names_alike(self, change: Change) -> bool:
        """Whether a file that was edited holds and defines the same of the names that were asked for, and
        says nothing to vmfdlint."""
        return (
            change.source is not None
            and change.is_edit
            and change.path not in self._last.spoken
            and SPOKEN not in change.source.data
            and self._defines_alike(change)
            and self._tokens(change).isdisjoint(self._sought)
            and self._sees_alike(change)
        )

    def _sees_alike(self, change: Change) -> bool:
        """Whether a file that was edited, and all that include it, see the same files as before."""
        if self._leading(change.old) == self._leading(change.new):
            return True
        if self._is_included(change.path):
            return False
        before, now = (self._lexicon().reach(scan.includes, change.path) for scan in (change.old, change.new))
        # A file's own variables count for those that include it directly.
        names = unpacked(change.old.tokens) | unpacked(change.new.tokens)
        others = (self._read().scans[path] for path in before.direct ^ now.direct)
        return before.all == now.all and all(unpacked(scan.variables).isdisjoint(names) for scan in others)

    def _is_included(self, path: str) -> bool:
        return path.rpartition("/")[2] in self._included

    @cached_property
    def _included(self) -> frozenset[str]:
        """The last parts of all names that files include."""
        scans = self._read().scans.values()
        return frozenset(name.rpartition("/")[2] for scan in scans for name in scan.includes)

    @cached_property
    def _sought(self) -> frozenset[int]:
        return frozenset(map(number_of, self._last.sought))

    @cached_property
    def _defined(self) -> frozenset[int]:
        return frozenset(map(number_of, self._last.asked))

    @cached_property
    def _basenames(self) -> frozenset[str]:
        return frozenset(path.rpartition("/")[2] for path in self._sources)

    def _leading(self, scan: Scan) -> list[str]:
        """What a file includes that may be a file of the program."""
        return [name for name in scan.includes if name.rpartition("/")[2] in self._basenames]

    def _defines_alike(self, change: Change) -> bool:
        """Whether a file defines the same of the names that were asked for."""
        return all(
            (unpacked(getattr(change.old, kind)) ^ unpacked(getattr(change.new, kind))).isdisjoint(
                self._defined
            )
            for kind in KINDS
        )

    def _tokens(self, change: Change) -> frozenset[int]:
        """The names that a file holds now and did not before, or the other way round."""
        return frozenset(unpacked(change.old.tokens) ^ unpacked(change.new.tokens))

    def fresh(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """The names, of some, that files hold now and did not before, with the paths."""
        for change in self.all or ():
            new = unpacked(change.new.tokens) - unpacked(change.old.tokens)
            yield from ((change.path, name) for name in names if number_of(name) in new)

    def tells_alike(self, change: Change) -> bool:
        """Whether a file says of names to others what it said before; one that is gone said nothing that
        counts, or :meth:`_defines_alike` would tell."""
        known = self._alike.get(change.path)
        if known is None:
            known = self._alike[change.path] = self._find_telling(change)
        return known

    def _find_telling(self, change: Change) -> bool:
        said = self._record.of(change.path)
        if said is None or change.source is None:
            return not self._record.is_lost(change.path)
        signatures = Signatures(alone(change.source, change.new).lexicon, c.seen_by_others, {})
        return all(signatures.by(change.path, name) == number for name, number in said.names.items())

    @cached_property
    def seeing(self) -> frozenset[str]:
        """The files that include one that was edited and includes other files now, directly or not, and that
        one itself: they may see other files than before."""
        found = {
            change.path
            for change in self.all or ()
            if change.is_edit and self._is_included(change.path) and not self._sees_alike(change)
        }
        return self._lexicon().including(found) if found else frozenset()

    @cached_property
    def stands(self) -> bool:
        """Whether nothing that changed says anything else to other files: then these answer what they
        answered, and are lowered to what they were, but for those :attr:`seeing` others."""
        if self.all is None:
            return False
        requests = frozenset(map(number_of, self._models.telling_names()))
        for change in self.all:
            if self._is_included(change.path) and not change.is_edit:
                return False
            if not self._defines_alike(change) or not self._tokens(change).isdisjoint(requests):
                return False
            if not self.tells_alike(change):
                return False
        return True
