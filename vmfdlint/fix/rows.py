"""rules/fixes/*.toml -> rows: which change removes which finding."""

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Subject
from vmfdlint.frontends.changes import Change

Version: TypeAlias = tuple[int, ...]
_VERSION = msgspec.Meta(pattern=r"^(?:\d+\.\d+)?$")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to remove a finding of ``rules`` at a call of one of ``apis``, or where what they made is lost.

    ``title`` is for people, ``needs`` a header and words that show it is there, ``safe`` whether the program
    does what it did. ``since`` and ``before`` are versions of the language, as in "3.4": what the change
    writes exists from the one on, and is of use up to the other.
    """

    rules: tuple[str, ...]
    apis: tuple[str, ...]
    title: str
    safe: bool
    change: Change
    needs: tuple[str, ...] = ()
    since: Annotated[str, _VERSION] = ""
    before: Annotated[str, _VERSION] = ""

    def fits(self, rule: str, subject: Subject, version: Version = ()) -> bool:
        """Whether it is for a finding of a rule, in a program for a version of its language: the newest where
        none is given."""
        names = (subject.api,) if subject.api else subject.made_by
        known = rule in self.rules and bool(names) and all(self._knows(name) for name in names)
        return known and self._holds(version)

    def _holds(self, version: Version) -> bool:
        if not version:
            return not self.before
        since = not self.since or _numbers(self.since) <= version
        return since and (not self.before or version < _numbers(self.before))

    def _knows(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.apis)


def _numbers(version: str) -> Version:
    return tuple(map(int, version.split(".")))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rows, for one language."""

    language: str
    fix: tuple[Row, ...]


def fixable() -> frozenset[str]:
    """The rules of which some finding can be fixed."""
    return frozenset(rule for each in rows().values() for row in each for rule in row.rules)


@cache
def rows(directory: Path | None = None) -> dict[str, tuple[Row, ...]]:
    """Language -> its rows, in the order of the files. Raises ValueError where they are not well-formed: a
    fault of the tool, not of its user."""
    found: dict[str, tuple[Row, ...]] = {}
    for path in sorted((directory or rules_directory() / "fixes").glob("*.toml")):
        try:
            file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{path}: {error}") from error
        found[file.language] = (*found.get(file.language, ()), *file.fix)
    return found
