"""rules/<family>/*.toml -> rules. A rule is found by being there."""

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from string import Formatter

import msgspec

from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Act, Level, Page, RuleDoc
from vmfdlint.rulebook.rule import LevelCase, Rule
from vmfdlint.rulebook.vocabulary import ATTRIBUTES, INCIDENTS

_FIELDS = ("api", "holders", "wait", "reason")
COMMENTS = "lint"
"""The family of the rules about comments of vmfdlint, whose findings no incident leads to."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class RuleError(ValueError):
    """A rule file that is not well-formed; the text names file, line and what was expected."""


class _Doc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[doc]``."""

    summary: str
    why: str
    fix: str
    flags: str
    spares: str
    kernels: str
    refs: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    fix_python: str = ""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[message]``."""

    text: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file. ``match`` holds the incident, a word, beside attributes with lists of words."""

    id: str
    name: str
    family: str
    level: Level
    since: str
    doc: _Doc
    message: _Message = _Message("")
    match: dict[str, str | tuple[str, ...]] = {}
    cwe: tuple[int, ...] = ()
    cert: tuple[str, ...] = ()
    levels: tuple[LevelCase, ...] = ()
    judges: tuple[Act, ...] = ()
    optional: bool = False


_WORDS = sorted(
    {field.name for struct in (_File, _Doc, _Message, LevelCase) for field in msgspec.structs.fields(struct)}
)


def load_rules(directory: Path | None = None) -> tuple[Rule, ...]:
    """Every rule below ``directory`` (default: the ones that come with vmfdlint), by id. Raises RuleError."""
    base = directory or rules_directory()
    rules = [_Reader(path).rule() for path in sorted(base.glob("*/VMFD*.toml"), key=lambda path: path.name)]
    rules.sort(key=lambda rule: rule.doc.id)
    for one, other in pairwise(rules):
        if one.doc.id == other.doc.id:
            raise RuleError(f"{base}: {one.doc.id} is both {one.doc.name} and {other.doc.name}")
    return tuple(rules)


class _Reader:
    """One rule file while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []

    def rule(self) -> Rule:
        """The rule in the file. Raises RuleError."""
        read = self._shaped(self._tables())
        match = dict(read.match)
        incident = match.pop("incident", "")
        if read.family == COMMENTS:
            if read.match or read.message.text:
                raise self._error("a rule about comments matches no incident and has no message", "match")
            self._prose(read)
            return Rule(self._doc(read), "", {}, (), "")
        if not isinstance(incident, str) or not incident:
            raise self._error("[match] incident is missing: the hazard that the rule is about", "match")
        self._known((incident,), INCIDENTS)
        wanted: dict[str, tuple[str, ...]] = {}
        for name, values in match.items():
            if isinstance(values, str):
                raise self._error(f"{name}: a list of words is expected, as in {name} = [{values!r}]", name)
            wanted[name] = values
        self._attributes(wanted)
        for case in read.levels:
            self._attributes({name: tuple(values) for name, values in case.when.items()})
        self._prose(read)
        return Rule(self._doc(read), incident, wanted, read.levels, read.message.text, read.judges)

    def _tables(self) -> dict[str, object]:
        try:
            text = self.path.read_text(encoding="utf-8")
            self.lines = text.splitlines()
            return tomllib.loads(text)
        except OSError as error:
            raise RuleError(f"{self.path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise RuleError(f"{self.path}: is not UTF-8 text") from error
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+)", str(error))
            place = f"{self.path}:{where[1]}" if where else str(self.path)
            raise RuleError(f"{place}: not TOML: {error}") from error

    def _shaped(self, raw: dict[str, object]) -> _File:
        try:
            return msgspec.convert(raw, _File)
        except msgspec.ValidationError as error:
            raise self._explained(str(error)) from error

    def _explained(self, text: str) -> RuleError:
        """What msgspec says, in words of the file."""
        where = re.search(r"`\$\.?([^`]*)`", text)
        steps = re.findall(r"\w+", where[1]) if where else []
        place = next((step for step in reversed(steps) if not step.isdigit()), "")
        if unknown := re.search(r"unknown field `(\w+)`", text):
            return self._unknown(unknown[1], _WORDS)
        if missing := re.search(r"missing required field `(\w+)`", text):
            table = f"[{place}] " if place else ""
            why = ": a rule explains itself" if place == "doc" else ""
            return self._error(f"{table}{missing[1]} is missing{why}", place)
        if value := re.search(r"Invalid enum value '([^']*)'", text):
            return self._unknown(value[1], list(Act) if place == "judges" else list(Level))
        return self._error(f"{place}: {text.partition(' - ')[0]}", place)

    def _attributes(self, wanted: dict[str, tuple[str, ...]]) -> None:
        self._known(wanted, ATTRIBUTES)
        for name, values in wanted.items():
            self._known(values, ATTRIBUTES[name])
            if not values:
                raise self._error(f"{name}: no value at all would never match", name)

    def _prose(self, read: _File) -> None:
        for name in ("summary", "why", "fix", "flags", "spares", "kernels"):
            if not getattr(read.doc, name).strip():
                raise self._error(f"[doc] {name} is missing: a rule explains itself", name)
        if not read.message.text.strip() and read.family != COMMENTS:
            raise self._error("[message] text is missing", "text")
        try:
            fields = [name for _text, name, _spec, _conversion in Formatter().parse(read.message.text)]
        except ValueError as error:
            raise self._error(f"[message] text: {error}", "text") from error
        self._known([name for name in fields if name is not None], _FIELDS)

    def _doc(self, read: _File) -> RuleDoc:
        stem, folder = f"{read.id}-{read.name}", self.path.parent.name
        if self.path.stem != stem or folder != read.family or not _NAME.fullmatch(read.name):
            raise RuleError(
                f"{self.path}: expected {read.family}/{stem}.toml, words of a-z and 0-9 joined by -"
            )
        doc = read.doc
        return RuleDoc(
            id=read.id,
            name=read.name,
            family=read.family,
            level=read.level,
            summary=doc.summary,
            why=doc.why,
            fix=doc.fix,
            fixes={"python": doc.fix_python} if doc.fix_python.strip() else {},
            cwe=read.cwe,
            cert=read.cert,
            refs=doc.refs,
            optional=read.optional,
            page=Page(doc.flags.strip(), doc.spares.strip(), doc.kernels.strip(), doc.cves),
        )

    def _known(self, found: Iterable[str], allowed: Iterable[str]) -> None:
        for name in found:
            if name not in allowed:
                raise self._unknown(name, allowed)

    def _unknown(self, name: str, allowed: Iterable[str]) -> RuleError:
        near = get_close_matches(name, sorted(allowed), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(allowed))}"
        return self._error(f"unknown {name!r}; {hint}", name)

    def _error(self, text: str, token: str) -> RuleError:
        """An error at the first line that has ``token`` as a word; tomllib keeps no positions."""
        word = re.compile(rf"(?<![\w-]){re.escape(token)}(?![\w-])")
        line = next((n for n, row in enumerate(self.lines, 1) if token and word.search(row)), 1)
        return RuleError(f"{self.path}:{line}: {text}")
