"""Whether an analysis would find what the one before found, though some files changed, and where that is now;
and if not, what need not be asked again.

All that the one before asked is asked again of each file that changed; where nothing is said otherwise, the
analysis would come to the same. Where the files that changed say of names what they said, so do all others.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from vmfdlint.base import LIMITS, Shift, SourceText, in_order, number_of, unpacked
from vmfdlint.cache import Rows, digest
from vmfdlint.engine.read import Files, Target, aliases, read_files, scan_of
from vmfdlint.engine.record import SPOKEN, Last, Record, Sayings
from vmfdlint.engine.solve import Solved, lexicon_of, linked
from vmfdlint.frontends import c
from vmfdlint.frontends.contract import Scan
from vmfdlint.frontends.languages import PYTHON, language_of
from vmfdlint.link import (
    KINDS,
    Answer,
    Asked,
    CallGraph,
    KeptUnits,
    Lexicon,
    Program,
    Signatures,
    Slots,
    Told,
)
from vmfdlint.models import Models
from vmfdlint.run import Workers
from vmfdlint.solve import Receivers, Solver


class AsBefore(msgspec.Struct, frozen=True):
    """The key of the outcome before, and by path which lines stand elsewhere now, of the changed files that
    it names."""

    outcome: bytes
    shifts: Mapping[str, tuple[Shift, ...]]


class _Change(msgspec.Struct, frozen=True):
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


class Again:
    """The analysis before, beside the sources of the next one. ``asked`` stands for its options."""

    def __init__(
        self,
        rows: Rows,
        asked: bytes,
        sources: tuple[SourceText, ...],
        models: Models,
        workers: Workers,
        target: Target,
        tell: Callable[[str], None],
    ) -> None:
        """``tell`` hears how far the files are read."""
        self._tell = tell
        self._rows = rows
        self._asked = asked
        self._sources = {source.path: source for source in sources}
        self._models = models
        self._workers = workers
        self._target = target
        self._record = Record(rows, asked)
        last = self._record.last
        self._files = dict(last.files) if last is not None else {}

    @cached_property
    def read(self) -> Files:
        """The files of the next analysis, as their front-ends read them."""
        sources = tuple(self._sources.values())
        return read_files(sources, self._models, self._workers, self._target, self._tell, self._rows)

    @cached_property
    def lexicon(self) -> Lexicon:
        """Which of them hold a name."""
        return lexicon_of(tuple(self._sources.values()), self._target, self.read)

    @cached_property
    def _whole(self) -> tuple[Program, KeptUnits]:
        sources = tuple(self._sources.values())
        program, kept = linked(sources, self._target, self.read, self._rows, lambda _count: None, self)
        assert kept is not None  # the last analysis came out of these rows
        return program, kept

    @cached_property
    def _differing(self) -> frozenset[str]:
        """Paths of the files that changed, are new or gone."""
        return frozenset(
            path
            for path in self._files.keys() | self._sources.keys()
            if path not in self._sources or self._files.get(path) != self._sources[path].content_hash
        )

    @cached_property
    def _changes(self) -> tuple[_Change, ...] | None:
        """What changed; None where it is too much, or was bound by a front-end that knows more than names."""
        if self._record.last is None or len(self._differing) > LIMITS.changed_files:
            return None
        found = []
        for path in sorted(self._differing):
            source, before = self._sources.get(path), self._files.get(path, "")
            if path.endswith(".py") if source is None else language_of(source) == PYTHON:
                return None
            old = scan_of(self._rows, path, before) if before else Scan(b"")
            new = scan_of(self._rows, path, source.content_hash, source) if source else Scan(b"")
            if old is None or new is None:
                return None
            found.append(_Change(path, source, before, old, new))
        return tuple(found)

    def outcome(self, spoken_of: Callable[[bytes, str], bool], key: bytes) -> AsBefore | None:
        """What was found before, where these sources would give the same; else None. ``spoken_of`` says
        whether an outcome names a file: then places in it count. ``key`` is the one under which the outcome
        of these sources will be kept."""
        last, changes = self._record.last, self._changes
        if last is None or not changes or not all(self._names_alike(change, last) for change in changes):
            return None
        shifts: dict[str, tuple[Shift, ...]] = {}
        now: dict[str, Sayings] = {}
        for change in changes:
            said = self._record.of(change.path)
            if said is None and change.path in self._record:
                return None
            moved = () if said is None else self._says_alike(change, said)
            if moved is None:
                if "_whole" in self.__dict__:
                    self._whole[1].save()  # what was lowered to see it need not be lowered once more
                return None
            if spoken_of(last.outcome, change.path):
                shifts[change.path] = moved
            if said is not None:
                now[change.path] = said
        asked = "_whole" in self.__dict__
        if asked and not self._whole[1].names.issubset(last.lowering):
            return None  # of such a name nobody knows what was said before
        if not all(map(in_order, shifts.values())):
            return None  # of several places the first one is told
        if asked:
            program, kept = self._whole
            kept.save()
            last = _with_more(last, program.lexicon, frozenset())
            now = {
                path: msgspec.structs.replace(said, mark=kept.mark(path) if said.lowered else b"")
                for path, said in now.items()
            }
        files = tuple((path, source.content_hash) for path, source in self._sources.items())
        self._record.put(msgspec.structs.replace(last, files=files, outcome=key), now, carry=True)
        return AsBefore(last.outcome, shifts)

    def _names_alike(self, change: _Change, last: Last) -> bool:
        """Whether a file that was edited holds and defines the same of the names that were asked for, and
        says nothing to vmfdlint."""
        return (
            change.source is not None
            and change.is_edit
            and change.path not in last.spoken
            and SPOKEN not in change.source.data
            and self._defines_alike(change)
            and self._tokens(change).isdisjoint(self._sought)
            and self._sees_alike(change)
        )

    def _sees_alike(self, change: _Change) -> bool:
        """Whether a file that was edited, and all that include it, see the same files as before."""
        if self._leading(change.old) == self._leading(change.new):
            return True
        if self._is_included(change.path):
            return False
        before, now = (self.lexicon.reach(scan.includes, change.path) for scan in (change.old, change.new))
        # A file's own variables count for those that include it directly.
        names = unpacked(change.old.tokens) | unpacked(change.new.tokens)
        others = (self.read.scans[path] for path in before.direct ^ now.direct)
        return before.all == now.all and all(unpacked(scan.variables).isdisjoint(names) for scan in others)

    def _is_included(self, path: str) -> bool:
        return path.rpartition("/")[2] in self._included

    @cached_property
    def _included(self) -> frozenset[str]:
        """The last parts of all names that files include."""
        scans = self.read.scans.values()
        return frozenset(name.rpartition("/")[2] for scan in scans for name in scan.includes)

    @cached_property
    def _sought(self) -> frozenset[int]:
        return frozenset(map(number_of, self._record.last.sought)) if self._record.last else frozenset()

    @cached_property
    def _defined(self) -> frozenset[int]:
        return frozenset(map(number_of, self._record.last.asked)) if self._record.last else frozenset()

    @cached_property
    def _basenames(self) -> frozenset[str]:
        return frozenset(path.rpartition("/")[2] for path in self._sources)

    def _leading(self, scan: Scan) -> list[str]:
        """What a file includes that may be a file of the program."""
        return [name for name in scan.includes if name.rpartition("/")[2] in self._basenames]

    def _defines_alike(self, change: _Change) -> bool:
        """Whether a file defines the same of the names that were asked for."""
        return all(
            (unpacked(getattr(change.old, kind)) ^ unpacked(getattr(change.new, kind))).isdisjoint(
                self._defined
            )
            for kind in KINDS
        )

    def _tokens(self, change: _Change) -> frozenset[int]:
        """The names that a file holds now and did not before, or the other way round."""
        return frozenset(unpacked(change.old.tokens) ^ unpacked(change.new.tokens))

    def _says_alike(self, change: _Change, said: Sayings) -> tuple[Shift, ...] | None:
        """Where the functions of a file that were lowered now stand, if it says to all that it was asked what
        it said before; else None."""
        assert change.source is not None
        if not self._tells_alike(change, said):
            return None
        program = _alone(change.source, change.new) if said.is_light else self._whole[0]
        program.told = None
        ask = _Questions(program, self._models)
        if any(ask[name](change.path, *args) != answer for name, args, answer in said.answers):
            return None
        if not said.lowered:
            return ()
        return self._whole[1].lowers_alike(change.source, said.mark, program.lexicon)

    def _tells_alike(self, change: _Change, said: Sayings) -> bool:
        """Whether a file says of names to others what it said before."""
        assert change.source is not None
        signatures = Signatures(_alone(change.source, change.new).lexicon, c.seen_by_others, {})
        return all(signatures.by(change.path, name) == number for name, number in said.names.items())

    @cached_property
    def _stands(self) -> bool:
        """Whether nothing that changed says anything else to other files: then these answer what they
        answered, and are lowered to what they were."""
        if self._changes is None:
            return False
        telling = frozenset(map(number_of, self._models.telling_names()))
        for change in self._changes:
            if self._is_included(change.path) and not (change.is_edit and self._sees_alike(change)):
                return False
            if not self._defines_alike(change) or not self._tokens(change).isdisjoint(telling):
                return False
            said = self._record.of(change.path)
            if said is None and change.path in self._record:
                return False
            if said is not None and change.source is not None and not self._tells_alike(change, said):
                return False
        return True

    @property
    def told(self) -> Told:
        """What the files that are the same need not be asked again."""
        return Told(self._before)

    def _before(self, path: str) -> dict[Asked, Answer]:
        source = self._sources.get(path)
        if source is None or path in self._differing or language_of(source) == PYTHON:
            return {}
        return self._record.answers(path, alone=not self._stands)

    def holds(self, path: str) -> bytes:
        """The mark of the kept row of a file (``link.kept``) that needs no comparison; b"" for none."""
        if path in self._differing or not self._stands:
            return b""
        said = self._record.of(path)
        return said.mark if said is not None and said.lowered else b""

    def remember(self, outcome: bytes, solved: Solved) -> None:
        """Keeps what the analysis that was just made of the sources hung on. ``outcome`` is the key of what
        it found."""
        kept, program = solved.kept, solved.solver.program
        told = program.told
        if kept is None or told is None:
            return
        kept.save()
        sources = self._sources.values()
        files = tuple((source.path, source.content_hash) for source in sources)
        spoken = tuple(source.path for source in sources if SPOKEN in source.data)
        before = self._record.last if self._stands else None
        last = before or Last(run=digest((self._asked, outcome)))
        last = msgspec.structs.replace(
            _with_more(last, program.lexicon, kept.names), files=files, outcome=outcome, spoken=spoken
        )
        parsed = frozenset(program.parsed)
        sayings: dict[str, Sayings] = {}
        for path in sorted({*told.answers, *parsed, *kept.signatures.used}):
            answers = tuple((name, args, said) for (name, args), said in told.of(path).items())
            old = (self._record.of(path) if before is not None else None) or Sayings()
            names = {**old.names, **kept.signatures.said_by(path)}
            if path in parsed:
                sayings[path] = Sayings(answers, names, lowered=True, mark=kept.mark(path))
            elif path in self._differing:
                sayings[path] = Sayings(answers, names)
            else:
                sayings[path] = Sayings(answers, names, old.lowered, old.mark)
        gone = self._differing - self._sources.keys()
        self._record.put(last, sayings, carry=before is not None, gone=gone)


def _with_more(last: Last, lexicon: Lexicon, lowering: frozenset[str]) -> Last:
    """The record with what was asked now as well."""
    return msgspec.structs.replace(
        last,
        sought=tuple(sorted(lexicon.sought.union(last.sought))),
        asked=tuple(sorted(lexicon.asked.union(last.asked, lowering))),
        lowering=tuple(sorted(lowering.union(last.lowering))),
    )


def _alone(source: SourceText, scan: Scan | None) -> Program:
    """A program of one file, for what needs no other."""

    def none_such(_source: SourceText, _index: object) -> Any:
        raise AssertionError("a question that a file answers alone has it parsed")

    return Program(Lexicon({source.path: source}, {source.path: scan or Scan(b"")}), none_such)


class _Questions:
    """Every question by its name."""

    def __init__(self, program: Program, models: Models) -> None:
        graph = CallGraph(program, models)
        self._owners: dict[str, object] = {
            "Texts": program,
            "Units": program,
            "Mentions": graph.mentions,
            "Members": graph.members,
            "SlotCalls": graph.slots,
            "Slots": Slots(program),
            "Receivers": Receivers(program, models),
            "Solver": Solver(program, models, aliases),
        }

    def __getitem__(self, name: str) -> Callable[..., object]:
        owner, _, method = name.partition(".")
        found: Callable[..., object] = getattr(self._owners[owner], method)
        return found
