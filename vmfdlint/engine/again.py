"""Whether an analysis would find what the one before found, though some files changed, and where that is now.

What an analysis hangs on of one file is what the file said when it was asked (``link.told``), which names it
holds and defines, what it says of names to other files, and what its functions were lowered to. All that is
asked again of each file that changed; where nothing is said otherwise, the analysis would come to the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vmfdlint.base import LIMITS, Shift, SourceText, in_order, number_of, unpacked
from vmfdlint.cache import Coding, Rows, digest
from vmfdlint.engine.read import Target, aliases, read_files, scan_of
from vmfdlint.engine.solve import Solved, linked
from vmfdlint.frontends import c
from vmfdlint.frontends.contract import Scan
from vmfdlint.frontends.languages import PYTHON, language_of
from vmfdlint.link import KINDS, CallGraph, KeptUnits, Lexicon, Program, Signatures, Slots, mark
from vmfdlint.models import Models
from vmfdlint.run import Workers
from vmfdlint.solve import Receivers, Solver


class _Last(msgspec.Struct, frozen=True, array_like=True):
    """The analysis before. ``files`` are paths with hashes of contents, ``sought`` the names of which was
    asked where they stand, ``asked`` those of which was asked where they are defined, ``lowering`` those of
    them that were asked to lower functions, ``told`` the files that were asked something, ``spoken`` those
    with comments for vmfdlint; ``run`` tells its rows from those of others."""

    files: tuple[tuple[str, str], ...]
    outcome: bytes
    sought: tuple[str, ...]
    asked: tuple[str, ...]
    lowering: tuple[str, ...]
    told: tuple[str, ...]
    spoken: tuple[str, ...]
    run: bytes


class _Answers(msgspec.Struct, frozen=True, array_like=True):
    """What a file said. ``names`` are numbers for what it says of names to other files (``link.signature``);
    ``lowered``: its functions were asked for, too, and are kept in the row with that mark (``link.kept``)."""

    answers: tuple[tuple[str, tuple[str, ...], bytes], ...]
    names: Mapping[str, int]
    lowered: bool
    mark: bytes

    @property
    def is_light(self) -> bool:
        """Whether the file alone can answer again."""
        return not self.lowered and all(name in _ALONE for name, _args, _said in self.answers)


class AsBefore(msgspec.Struct, frozen=True):
    """The key of the outcome before, and by path which lines stand elsewhere now, of the changed files that
    it names."""

    outcome: bytes
    shifts: Mapping[str, tuple[Shift, ...]]


_LAST = Coding(_Last)
_ANSWERS = Coding(_Answers)
_SPOKEN = b"vmfdlint"
_ALONE = frozenset(
    (
        "Members.declared",
        "Members.tagged",
        "Mentions.calling",
        "Mentions.shows",
        "Mentions.uses",
        "Texts.literals_in",
        "Texts.says",
        "Receivers.holding",
        "Receivers.is_static",
        "Receivers.requesting",
        "SlotCalls.picking",
        "Slots.assigning",
        "Solver.standing_for",
    )
)
"""Questions that a file answers by its own text, whatever else there is."""


def remember(
    rows: Rows, asked: bytes, sources: tuple[SourceText, ...], outcome: bytes, solved: Solved
) -> None:
    """Keeps what the analysis that was just made hung on. ``asked`` stands for its options, ``outcome`` is
    the key of what it found."""
    kept, program = solved.kept, solved.solver.program
    told = program.told
    if kept is None or told is None:
        return
    kept.save()
    files = tuple((source.path, source.content_hash) for source in sources)
    run = digest((asked, outcome))
    spoken = tuple(source.path for source in sources if _SPOKEN in source.data)
    lowering = tuple(sorted(kept.names))
    lexicon = program.lexicon
    sought, defined = tuple(sorted(lexicon.sought)), tuple(sorted({*lexicon.asked, *lowering}))
    parsed = set(program.parsed)
    signatures = kept.signatures
    asked_of = tuple(sorted({*told.answers, *parsed, *signatures.used}))
    last = _Last(files, outcome, sought, defined, lowering, asked_of, spoken, run)
    made = {_key(asked): _LAST.encode(last)}
    for path in asked_of:
        answers = tuple((name, args, said) for (name, args), said in told.answers.get(path, {}).items())
        said = signatures.said_by(path)
        made[_key(run, path)] = _ANSWERS.encode(_Answers(answers, said, path in parsed, kept.mark(path)))
    rows.put({key: row for key, row in made.items() if row is not None})


def as_before(
    rows: Rows,
    asked: bytes,
    sources: tuple[SourceText, ...],
    models: Models,
    workers: Workers,
    target: Target,
    spoken_of: Callable[[bytes, str], bool],
    outcome: bytes,
) -> AsBefore | None:
    """What was found before, where these sources would give the same; else None. ``spoken_of`` says whether
    an outcome names a file: then places in it count. ``outcome`` is the key under which that of these sources
    will be kept."""
    last = _LAST.decode(rows.get((_key(asked),)).get(_key(asked)))
    if last is None or len(last.files) != len(sources):
        return None
    changed: dict[str, tuple[SourceText, str]] = {}
    for (path, before), source in zip(last.files, sources, strict=True):
        if path != source.path:
            return None
        if before != source.content_hash:
            changed[path] = (source, before)
    if not changed or len(changed) > LIMITS.changed_files:
        return None
    if any(
        language_of(source) == PYTHON or path in last.spoken or _SPOKEN in source.data
        for path, (source, _before) in changed.items()
    ):
        return None
    again = _Again(rows, last, models)
    if not all(again.names_alike(source, before) for source, before in changed.values()):
        return None
    whole: tuple[Program, KeptUnits] | None = None
    lowered: dict[str, _Answers] = {}
    shifts: dict[str, tuple[Shift, ...]] = {path: () for path in changed if spoken_of(last.outcome, path)}
    for source, _before in changed.values():
        if source.path not in last.told:
            continue
        key = _key(last.run, source.path)
        told = _ANSWERS.decode(rows.get((key,)).get(key))
        if told is None:
            return None
        if told.lowered:
            lowered[source.path] = told
        if whole is None and not told.is_light:
            read = read_files(sources, models, workers, target, lambda _text: None, rows)
            linkage = linked(sources, target, read, rows, lambda _count: None)
            assert linkage[1] is not None  # the last analysis came out of these rows
            whole = linkage[0], linkage[1]
        moved = again.says_alike(source, told, whole)
        if moved is None:
            return None
        if source.path in shifts:
            shifts[source.path] = moved
    if whole is not None and not whole[1].names.issubset(last.lowering):
        return None  # of such a name nobody knows what was said before
    if not all(map(in_order, shifts.values())):
        return None  # of several places the first one is told
    now = msgspec.structs.replace(
        last, files=tuple((source.path, source.content_hash) for source in sources), outcome=outcome
    )
    made: dict[bytes, bytes | None] = {}
    if whole is not None:
        program, kept = whole
        now = msgspec.structs.replace(
            now,
            sought=tuple(sorted(program.lexicon.sought.union(last.sought))),
            asked=tuple(sorted(program.lexicon.asked.union(last.asked))),
        )
        kept.save()
        for path, told in lowered.items():
            made[_key(last.run, path)] = _ANSWERS.encode(msgspec.structs.replace(told, mark=kept.mark(path)))
    made[_key(asked)] = _LAST.encode(now)
    rows.put({key: row for key, row in made.items() if row is not None})
    return AsBefore(last.outcome, shifts)


class _Again:
    """Asks files again what they said in the last analysis."""

    def __init__(self, rows: Rows, last: _Last, models: Models) -> None:
        self._rows = rows
        asked = frozenset(map(number_of, last.asked))
        self._counting = {"tokens": frozenset(map(number_of, last.sought)), **dict.fromkeys(KINDS, asked)}
        self._models = models
        self._basenames = frozenset(path.rpartition("/")[2] for path, _hash in last.files)

    def names_alike(self, source: SourceText, before: str) -> bool:
        """Whether a file holds and defines the same of the names that were asked for."""
        old = scan_of(self._rows, source.path, before)
        new = self._scan(source)
        if old is None or new is None or self._leading(old) != self._leading(new):
            return False
        return all(
            (unpacked(getattr(old, kind)) ^ unpacked(getattr(new, kind))).isdisjoint(names)
            for kind, names in self._counting.items()
        )

    def _leading(self, scan: Scan) -> list[str]:
        """What a file includes that may be a file of the program."""
        return [name for name in scan.includes if name.rpartition("/")[2] in self._basenames]

    def says_alike(
        self, source: SourceText, told: _Answers, whole: tuple[Program, KeptUnits] | None
    ) -> tuple[Shift, ...] | None:
        """Where the functions of a file that were lowered now stand, if it says to all that it was asked what
        it said before; else None."""
        program = _alone(source, self._scan(source)) if whole is None else whole[0]
        signatures = Signatures(program.lexicon, c.seen_by_others, {})
        if any(signatures.by(source.path, name) != said for name, said in told.names.items()):
            return None
        program.told = None
        ask = _Questions(program, self._models)
        if any(mark(ask[name](source.path, *args)) != said for name, args, said in told.answers):
            return None
        if not told.lowered:
            return ()
        return None if whole is None else whole[1].lowers_alike(source, told.mark, program.lexicon)

    def _scan(self, source: SourceText) -> Scan | None:
        return scan_of(self._rows, source.path, source.content_hash, source)


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


def _key(*parts: bytes | str) -> bytes:
    return digest((b"again", *(part.encode() if isinstance(part, str) else part for part in parts)))
