"""rules/<family>/*.toml -> rules. A rule is found by being there."""

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from string import Formatter

import msgspec

from vmfdlint.base.location import rules_directory
from vmfdlint.check.finding import RuleDoc
from vmfdlint.check.incident import ATTRIBUTES, INCIDENTS
from vmfdlint.check.rule import LevelCase, Rule

_TOP = {"id", "name", "family", "level", "since", "cwe", "cert", "match", "levels", "message", "doc"}
_DOC = {"summary", "why", "fix", "refs"}
_FIELDS = {"api", "holders", "wait", "reason"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class RuleError(ValueError):
    """A rule file that is not well-formed; the text names file, line and what was expected."""


def load_rules(directory: Path | None = None) -> tuple[Rule, ...]:
    """Every rule below ``directory`` (default: the ones that come with vmfdlint), by id. Raises RuleError."""
    base = directory or rules_directory()
    rules = [_load(path) for path in sorted(base.glob("*/VMFD*.toml"), key=lambda path: path.name)]
    return tuple(sorted(rules, key=lambda rule: rule.doc.id))


def _load(path: Path) -> Rule:
    text = path.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path}: not TOML: {error}") from error
    _known(path, text, set(raw), _TOP)
    doc, match = raw.get("doc", {}), dict(raw.get("match", {}))
    _known(path, text, set(doc), _DOC)
    for name in ("summary", "why", "fix"):
        if not str(doc.get(name, "")).strip():
            raise RuleError(f"{path}: [doc] {name} is missing: a rule explains itself")
    incident = match.pop("incident", "")
    _known(path, text, {incident}, set(INCIDENTS))
    _attributes(path, text, match)
    levels = tuple(msgspec.convert(case, LevelCase) for case in raw.get("levels", ()))
    for case in levels:
        _attributes(path, text, case.when)
    message = str(raw.get("message", {}).get("text", ""))
    _known(path, text, {name for _t, name, _f, _c in Formatter().parse(message) if name}, _FIELDS)
    fields = {name: raw[name] for name in ("id", "name", "family", "level", "cwe", "cert") if name in raw}
    try:
        made = msgspec.convert(fields | doc, RuleDoc)
    except msgspec.ValidationError as error:
        raise RuleError(f"{path}: {error}") from error
    if path.stem != f"{made.id}-{made.name}" or path.parent.name != made.family or not _NAME.fullmatch(made.name):
        raise RuleError(f"{path}: expected {made.family}/{made.id}-{made.name}.toml")
    if not message:
        raise RuleError(f"{path}: [message] text is missing")
    return Rule(made, incident, {name: tuple(values) for name, values in match.items()}, levels, message)


def _attributes(path: Path, text: str, wanted: dict[str, list[str]]) -> None:
    _known(path, text, set(wanted), set(ATTRIBUTES))
    for name, values in wanted.items():
        _known(path, text, set(values), set(ATTRIBUTES[name]))


def _known(path: Path, text: str, found: set[str], allowed: set[str]) -> None:
    for name in sorted(found - allowed):
        line = next((i for i, row in enumerate(text.splitlines(), 1) if name and name in row), 1)
        near = get_close_matches(name, sorted(allowed), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(allowed))}"
        raise RuleError(f"{path}:{line}: unknown {name!r}{hint}")
