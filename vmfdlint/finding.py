"""What a rule reports: frozen, complete, free of engine words."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from vmfdlint.base import Problem, Span


class Level(StrEnum):
    """How grave a finding is (rules.md, "Levels")."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Certainty(StrEnum):
    """MUST where the analysis decided; MAY where an unknown value, damage or a limit lies on the path."""

    MUST = "must"
    MAY = "may"


class Role(StrEnum):
    """What a step of a trace is."""

    CREATE = "create"
    MOVE = "move"
    CALL = "call"
    RETURN = "return"
    GUARD = "guard"
    EVENT = "event"
    SURVIVE = "survive"
    RELEASE = "release"
    EXIT = "exit"


class Step(msgspec.Struct, frozen=True):
    """One line of a trace.

    ``depth`` is the call depth relative to the shallowest step (0). ``child`` says the step runs in a forked
    child. ``holders`` says who holds the VM after the step, for people: ``vm fd in s->vmfd (parent and
    child)``.
    """

    at: Span
    text: str
    role: Role
    depth: int = 0
    child: bool = False
    function: str = ""
    holders: tuple[str, ...] = ()


class Related(msgspec.Struct, frozen=True):
    """A further place that belongs to a finding."""

    at: Span
    text: str


class Question(msgspec.Struct, frozen=True):
    """A fact that only a person can add. ``row`` is TOML for a model file that states it."""

    text: str
    row: str


class Edit(msgspec.Struct, frozen=True):
    """``text`` in the place of what stands at ``at``; an empty span inserts."""

    at: Span
    text: str


class Fix(msgspec.Struct, frozen=True):
    """A change that removes a finding. ``safe`` where it keeps what the program does otherwise."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


class Subject(msgspec.Struct, frozen=True):
    """What a finding is about, for a change of the source. ``api`` is the name of the call that it stands at,
    "" where it stands at none; ``made_by`` what made the references that are lost there, and ``variables``
    the local variables that alone hold them, the last one made first; empty where another place may."""

    api: str = ""
    made_by: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """One reported fault.

    ``at`` is the primary place, ``function`` its enclosing function. ``via`` names what made it uncertain
    (``unknown callee poll_events``), ``questions`` what would make it certain. ``programs`` are the paths of
    the files with the ``main`` it holds for. ``fingerprint`` is stable under edits elsewhere: no line numbers
    go into it.
    """

    rule: str
    level: Level
    at: Span
    function: str
    message: str
    trace: tuple[Step, ...]
    related: tuple[Related, ...] = ()
    certainty: Certainty = Certainty.MUST
    via: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    fingerprint: str = ""
    questions: tuple[Question, ...] = ()
    fixes: tuple[Fix, ...] = ()


class Act(StrEnum):
    """What a site does by which a VM could get another holder."""

    FORK = "fork"
    DAEMON = "daemon"
    WORKER = "worker"
    EXEC = "exec"
    SPAWN = "spawn"
    DUP = "dup"


class SafeSite(msgspec.Struct, frozen=True):
    """A site that was judged safe, and why; shown by ``check --show-safe``. ``rule`` is the one it passes."""

    at: Span
    function: str
    text: str
    act: Act = Act.FORK
    rule: str = ""


class Matter(StrEnum):
    """What an item does, as far as the life of a VM goes."""

    CREATION = "creation"
    COPY = "copy"
    TRANSFER = "transfer"
    FORK = "fork"
    PROGRAM = "program"
    RELEASE = "release"


class Item(msgspec.Struct, frozen=True):
    """One place that makes, copies, hands over or releases a holder, or makes a process."""

    matter: Matter
    text: str
    at: Span
    function: str


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of a program.

    ``oracle`` is "kvm", the announcements of a real kernel, or "fifo", a play of /dev/kvm.
    ``shown`` says whether the hazard was there, ``observed`` what was seen, for people.
    """

    oracle: str
    kernel: str
    date: str
    shown: bool
    observed: str


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program of fixtures/programs/evidence that was run.

    ``clean``: it does right what its twin does wrong. ``says`` is its first comment, ``repeats``
    names the measurements of the kernel that it repeats.
    ``found`` says whether vmfdlint finds the rule in it, ``known`` why that is wrong, where it is;
    ``kernel_only`` why the play of /dev/kvm cannot show it.
    ``text`` is the source of one that is the example.
    """

    program: str
    clean: bool
    says: str
    repeats: tuple[str, ...]
    found: bool
    measured: tuple[Measured, ...]
    known: str = ""
    kernel_only: str = ""
    text: str = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind a rule: programs, or lines of the kernel, and ``why`` no program can show it."""

    programs: tuple[Proof, ...] = ()
    lines: tuple[str, ...] = ()
    why: str = ""


class Page(msgspec.Struct, frozen=True):
    """What a rule says of itself beyond a report.

    ``flags`` and ``spares`` say what it flags and what it does not, ``kernels`` where that holds, ``cves``
    name faults of the same class in the field. ``evidence`` is there only where somebody asks for it.
    """

    flags: str
    spares: str
    kernels: str
    cves: tuple[str, ...] = ()
    evidence: Evidence | msgspec.UnsetType = msgspec.UNSET


class RuleDoc(msgspec.Struct, frozen=True):
    """The part of a rule that people read. ``why`` answers "so what?": what stays pinned.

    ``fix`` says what to do; ``fixes`` the same for a language, by its name in ``frontends.languages``, that
    does it by other means.

    ``optional``: it is off unless its id, its name or a prefix selects it; ALL does not.
    """

    id: str
    name: str
    family: str
    level: Level
    summary: str
    why: str
    fix: str
    cwe: tuple[int, ...] = ()
    cert: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    optional: bool = False
    page: Page | msgspec.UnsetType = msgspec.UNSET
    fixes: Mapping[str, str] = {}

    def fix_in(self, language: str) -> str:
        """What to do in a file of a language, on one line."""
        return " ".join(self.fixes.get(language, self.fix).split())


class Statistics(msgspec.Struct, frozen=True):
    """What was done, in counts; ``seconds`` is the wall time per room by name.

    ``parsed`` are the files of which functions were read: others may have been parsed to see that none need
    be. ``unreached_files`` is None where nobody counted them. ``descriptor_bytes`` is the size of the
    functions that touch descriptors; of these bytes the parser could not read ``unread_raw`` in the source as
    it stands and ``unread_left`` after the pre-pass. 0 where nobody counted.
    """

    files: int = 0
    parsed: int = 0
    partly_parsed: int = 0
    functions: int = 0
    descriptor_functions: int = 0
    objects: int = 0
    programs: int = 0
    unreached_files: int | None = None
    descriptor_bytes: int = 0
    unread_raw: int = 0
    unread_left: int = 0
    cpp_files: int = 0
    seconds: tuple[tuple[str, float], ...] = ()


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that a comment silences; ``at`` is the comment."""

    finding: Finding
    at: Span
    reason: str


class Claim(msgspec.Struct, frozen=True):
    """A comment says that ``holder`` is meant to hold a VM on the lines ``first`` to ``last`` and until a
    time: ``exit``, or the name of the function that releases it. ``at`` is the comment."""

    at: Span
    first: int
    last: int
    holder: str
    until: str
    reason: str


class Claimed(msgspec.Struct, frozen=True):
    """A claim that was held to the program. ``wrong`` says why it is not true, "" where it is; ``meant`` are
    the findings that it speaks of, by place and rule."""

    claim: Claim
    wrong: str = ""
    meant: tuple[tuple[Span, str], ...] = ()


class LeftOut(msgspec.Struct, frozen=True):
    """How many findings are not reported, and why: ``3 suppressed by a comment``."""

    count: int
    why: str


class Outcome(msgspec.Struct, frozen=True):
    """Everything a run found: what the report room renders.

    ``findings`` are sorted by path, line, column, rule. ``notices`` are lines for people that explain
    silence; ``left_out`` counts what was found and is not among the findings, reason by reason, and
    ``suppressed`` holds those of them that a comment silences. ``claims`` are what comments say of lifetimes.
    ``inventory`` is there for a comparison only. ``subjects`` says by rule and place what findings are about,
    where fixes are wanted. ``early``: other findings were not looked for.
    """

    findings: tuple[Finding, ...]
    rules: tuple[RuleDoc, ...]
    problems: tuple[Problem, ...] = ()
    safe: tuple[SafeSite, ...] = ()
    notices: tuple[str, ...] = ()
    statistics: Statistics = Statistics()
    left_out: tuple[LeftOut, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    inventory: tuple[Item, ...] = ()
    subjects: Mapping[tuple[str, Span], Subject] = {}
    claims: tuple[Claimed, ...] = ()
    early: bool = False
