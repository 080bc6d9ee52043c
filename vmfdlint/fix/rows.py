"""rules/fixes/*.toml -> rows: which change removes which finding."""

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import msgspec

from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Subject
from vmfdlint.frontends.changes import Change


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to remove a finding of ``rules`` at a call of one of ``apis``, or where what they made is lost.

    ``title`` is for people, ``needs`` a header and words that show it is there, ``safe`` whether the program
    does what it did.
    """

    rules: tuple[str, ...]
    apis: tuple[str, ...]
    title: str
    safe: bool
    change: Change
    needs: tuple[str, ...] = ()

    def fits(self, rule: str, subject: Subject) -> bool:
        """Whether it is for a finding of a rule."""
        names = (subject.api,) if subject.api else subject.made_by
        return rule in self.rules and bool(names) and all(self._knows(name) for name in names)

    def _knows(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.apis)


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
