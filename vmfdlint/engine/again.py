"""Whether an analysis would find what the one before found, though some files changed, and where that is now;
and if not, what need not be asked again.

All that the one before asked is asked again of each file that changed; where nothing is said otherwise, the
analysis would come to the same. Where the files that changed say of names what they said, so do all others.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from vmfdlint.base import Shift, SourceText, in_order
from vmfdlint.cache import Rows
from vmfdlint.engine.changes import Change, Changes
from vmfdlint.engine.questions import Questions, alone
from vmfdlint.engine.read import Files, Target, read_files
from vmfdlint.engine.record import SPOKEN, Last, Record, Sayings
from vmfdlint.engine.solve import Solved, kept_units, lexicon_of, linked
from vmfdlint.frontends.languages import PYTHON, language_of
from vmfdlint.ir import FunctionKey
from vmfdlint.link import Answer, Asked, Comparison, KeptUnits, Lexicon, Program, Told
from vmfdlint.models import Models
from vmfdlint.run import Workers
from vmfdlint.solve import Passage


class AsBefore(msgspec.Struct, frozen=True):
    """The key of the outcome before, and by path which lines stand elsewhere now, of the changed files that
    it names."""

    outcome: bytes
    shifts: Mapping[str, tuple[Shift, ...]]


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
        self._sources = {source.path: source for source in sources}
        self._models = models
        self._workers = workers
        self._target = target
        self._record = Record(rows, asked)
        self._comparisons: dict[str, Comparison | None] = {}
        self._passages: dict[FunctionKey, Passage | None] = {}
        self._changes = Changes(
            self._record, rows, self._sources, models, lambda: self.read, lambda: self.lexicon
        )

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
    def kept(self) -> KeptUnits:
        """The files as they were lowered before, and as this analysis lowers them."""
        return kept_units(self._rows, self.lexicon, self.holds)

    @cached_property
    def _program(self) -> Program:
        """The program of the next analysis, to ask its files as those of the one before were asked."""
        sources = tuple(self._sources.values())
        return linked(sources, self._target, self.read, self._rows, lambda _count: None, self)[0]

    @property
    def _asked(self) -> bool:
        """Whether anybody needed :attr:`_program`."""
        return "_program" in self.__dict__

    @property
    def follows_up(self) -> bool:
        """Whether there is an analysis before, of which little changed."""
        return self._record.last is not None and self._changes.are_few

    @property
    def before(self) -> bytes:
        """The key of the outcome before; b"" where there is none."""
        return self._record.last.outcome if self._record.last is not None else b""

    def outcome(self, spoken_of: Callable[[bytes, str], bool], key: bytes) -> AsBefore | None:
        """What was found before, where these sources would give the same; else None. ``spoken_of`` says
        whether an outcome names a file: then places in it count. ``key`` is the one under which the outcome
        of these sources will be kept."""
        last, changes = self._record.last, self._changes.all
        if last is None or not changes or not all(map(self._changes.names_alike, changes)):
            return None
        shifts: dict[str, tuple[Shift, ...]] = {}
        now: dict[str, Sayings] = {}
        for change in changes:
            if not self._changes.tells_alike(change):
                return None
            said = self._record.of(change.path)
            moved = () if said is None else self._says_alike(change, said)
            if moved is None:
                return None
            if spoken_of(last.outcome, change.path):
                shifts[change.path] = moved
            if said is not None:
                now[change.path] = said
        if self._asked and not self.kept.names.issubset(last.lowering):
            return None  # of such a name nobody knows what was said before
        if not all(map(in_order, shifts.values())):
            return None  # of several places the first one is told
        if self._asked:
            self.kept.save()
            last = _with_more(last, self.lexicon, frozenset())
            now = {
                path: msgspec.structs.replace(said, mark=self.kept.mark(path) if said.lowered else b"")
                for path, said in now.items()
            }
        files = tuple((path, source.content_hash) for path, source in self._sources.items())
        self._record.put(msgspec.structs.replace(last, files=files, outcome=key), now, lambda _path: True)
        return AsBefore(last.outcome, shifts)

    def _says_alike(self, change: Change, said: Sayings) -> tuple[Shift, ...] | None:
        """Where the functions of a file that were lowered now stand, if it answers all that it was asked as
        before; else None."""
        assert change.source is not None
        program = alone(change.source, change.new) if said.is_light else self._program
        program.told = None
        ask = Questions(program, self._models)
        if any(ask[name](change.path, *args) != answer for name, args, answer in said.answers):
            return None
        if not said.lowered:
            return ()
        compared = self._compared(change.path)
        if compared is None:
            return None
        found: list[Shift] = []
        for name in sorted(compared.names, key=lambda name: name not in said.passed):
            moved = compared.moved(name)
            if moved is None:
                return None
            found += moved
        return tuple(found)

    def _compared(self, path: str) -> Comparison | None:
        """The functions of a file beside those of the analysis before; None where these are not known."""
        if path not in self._comparisons:
            said, source = self._record.of(path), self._sources.get(path)
            known = said is not None and source is not None and said.lowered
            self._comparisons[path] = (
                self.kept.compared(source, said.mark, self.lexicon) if known and said and source else None
            )
        return self._comparisons[path]

    def changed(self, key: FunctionKey) -> bool:
        """Whether a function is not what it was when it was followed last: then it is not surely the same."""
        if key.path not in self._changes.differing:
            return False
        compared = self._compared(key.path)
        return compared is None or compared.moved(key.name) is None

    def suspects(self, program: Program) -> list[FunctionKey]:
        """See :class:`vmfdlint.engine.early.Since`: of files that changed what descriptors passed, and
        whatever names an API that its file did not name before; all of a Python file."""
        found: dict[FunctionKey, None] = {}
        for path in sorted(self._changes.differing & self._sources.keys()):
            said = self._record.of(path) or Sayings()
            found |= dict.fromkeys(FunctionKey(path, name) for name in said.passed)
            if language_of(self._sources[path]) == PYTHON:
                found |= dict.fromkeys(program.keys(path))
        for path, name in self._changes.fresh(self._models.apis):
            found |= dict.fromkeys(program.mentioning_in(path, name))
        return [key for key in found if self.changed(key)]

    def passage(self, key: FunctionKey) -> Passage | None:
        """See :class:`vmfdlint.engine.early.Since`."""
        if key not in self._passages:
            said = self._record.of(key.path) or Sayings()
            for name, passage in said.passed.items():
                self._passages[FunctionKey(key.path, name)] = passage
        return self._passages.setdefault(key)

    @property
    def told(self) -> Told:
        """What the files that are the same need not be asked again."""
        return Told(self._before)

    def _before(self, path: str) -> dict[Asked, Answer]:
        source = self._sources.get(path)
        if source is None or path in self._changes.differing or language_of(source) == PYTHON:
            return {}
        return self._record.answers(path, alone=not self._stands(path))

    def _stands(self, path: str) -> bool:
        """Whether a file is the same, and what it says and is lowered to hangs on nothing that changed."""
        changes = self._changes
        return path not in changes.differing and changes.stands and path not in changes.seeing

    def holds(self, path: str) -> bytes:
        """The mark of the kept row of a file (``link.kept``) that needs no comparison; b"" for none."""
        if not self._stands(path):
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
        if self._record.last is None:
            solved.solver.look_ahead()
        kept.save()
        sources = self._sources.values()
        files = tuple((source.path, source.content_hash) for source in sources)
        spoken = tuple(source.path for source in sources if SPOKEN in source.data)
        before = self._record.last if self._changes.stands else None
        last = before or Last()
        last = msgspec.structs.replace(
            _with_more(last, program.lexicon, kept.names), files=files, outcome=outcome, spoken=spoken
        )
        parsed = frozenset(program.parsed)
        passed: dict[str, dict[str, Passage]] = {}
        for key, passage in solved.solver.passed.items():
            passed.setdefault(key.path, {})[key.name] = passage
        sayings: dict[str, Sayings] = {}
        for path in sorted({*told.answers, *parsed, *passed, *kept.signatures.used}):
            answers = tuple((name, args, said) for (name, args), said in told.of(path).items())
            old = (self._record.of(path) if before is not None else None) or Sayings()
            names = {**old.names, **kept.signatures.said_by(path)}
            if path in parsed:
                sayings[path] = Sayings(answers, names, True, kept.mark(path), passed.get(path, {}))
            elif self._stands(path):
                sayings[path] = Sayings(answers, names, old.lowered, old.mark, old.passed)
            else:
                sayings[path] = Sayings(answers, names, passed=passed.get(path, {}))
        self._record.put(last, sayings, self._stands)


def _with_more(last: Last, lexicon: Lexicon, lowering: frozenset[str]) -> Last:
    """The record with what was asked now as well."""
    return msgspec.structs.replace(
        last,
        sought=tuple(sorted(lexicon.sought.union(last.sought))),
        asked=tuple(sorted(lexicon.asked.union(last.asked, lowering))),
        lowering=tuple(sorted(lowering.union(last.lowering))),
    )
