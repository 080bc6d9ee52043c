"""Files of rows -> Models. A row that cannot be understood is a Problem with its file and line; the others
hold.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec

from vmfdlint.base import Problem, ProblemKind, Span
from vmfdlint.base.location import rules_directory
from vmfdlint.models.catalog import Models
from vmfdlint.models.compile import (
    compile_api,
    compile_command,
    compile_link,
    compile_path,
    compile_text,
    extend_api,
    like_api,
)
from vmfdlint.models.compiled import Api, CommandRule, PathRule, TextRule
from vmfdlint.models.effects import Kind, Sign
from vmfdlint.models.parse import Constants, RowError, suggestion
from vmfdlint.models.schema import (
    ApiRow,
    CaseRow,
    CommandRow,
    FileRows,
    GroupRow,
    LinkRow,
    NeutralRow,
    NumberRow,
    PathRow,
    RecordRow,
    RootRow,
    TextRow,
)

Row = TypeVar(
    "Row", ApiRow, PathRow, LinkRow, CommandRow, TextRow, NeutralRow, RootRow, RecordRow, NumberRow
)
Rule = TypeVar("Rule")

_KNOWN_WORDS = sorted(
    {
        field.name
        for struct in (
            FileRows,
            ApiRow,
            CaseRow,
            GroupRow,
            PathRow,
            CommandRow,
            LinkRow,
            TextRow,
            NeutralRow,
            RootRow,
            RecordRow,
            NumberRow,
        )
        for field in msgspec.structs.fields(struct)
    }
)


class _File:
    """One file while it is read: its text, its tables, and the problems found in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = ""
        self.tables: dict[str, Any] = {}
        self.problems: list[Problem] = []
        try:
            self.text = path.read_text(encoding="utf-8")
            self.tables = tomllib.loads(self.text)
        except OSError as error:
            self.report(ProblemKind.IO, f"cannot be read: {error.strerror}", None)
        except UnicodeDecodeError:
            self.report(ProblemKind.CONFIG, "is not UTF-8 text", None)
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+)", str(error))
            self.report(ProblemKind.CONFIG, f"is no TOML: {error}", int(where[1]) if where else None)

    def report(self, kind: ProblemKind, text: str, line: int | None) -> None:
        """Records one problem; ``line`` counts from 1, None where no line is known."""
        name = self.path.as_posix()
        shown = f"{name}:{line}: {text}" if line else f"{name}: {text}"
        at = Span(name, line, 1, line, 1) if line else None
        self.problems.append(Problem(kind, shown, name, at))

    def line(self, table: str, index: int, token: str) -> int | None:
        """The line of ``token`` within row ``index`` of ``table``; the row's first line where it is not
        found.

        tomllib keeps no positions, so the text is searched: rows are the ``[[table]]`` headers in order.
        """
        lines = self.text.splitlines()
        starts = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{table}\s*\]\]", line)]
        if index >= len(starts):
            return self._first(lines, 0, len(lines), token)
        start = starts[index]
        others = (n for n in range(start + 1, len(lines)) if re.match(r"\s*\[\[\s*\w+\s*\]\]", lines[n]))
        found = self._first(lines, start, next(others, len(lines)), token)
        return start + 1 if found is None else found

    @staticmethod
    def _first(lines: Sequence[str], start: int, end: int, token: str) -> int | None:
        word = re.compile(rf"(?<!\w){re.escape(token)}(?!\w)")
        return next((n + 1 for n in range(start, end) if word.search(lines[n])), None)

    def rows(self, table: str, shape: type[Row]) -> list[tuple[int, Row]]:
        """The rows of a table that have the right shape, with their index; the others become problems."""
        raw = self.tables.get(table, [])
        if not isinstance(raw, list):
            self.report(ProblemKind.CONFIG, f"write [[{table}]] for a row", self.line(table, 0, table))
            return []
        found = []
        for index, each in enumerate(raw):
            try:
                found.append((index, msgspec.convert(each, shape)))
            except msgspec.ValidationError as error:
                text, token = _explain(str(error))
                self.report(ProblemKind.CONFIG, text, self.line(table, index, token))
        return found

    def unknown_tables(self) -> None:
        """Reports top-level tables that no room reads."""
        known = [field.name for field in msgspec.structs.fields(FileRows)]
        for name in self.tables:
            if name not in known:
                text = f"unknown table '{name}'{suggestion(name, known)}"
                self.report(ProblemKind.CONFIG, text, self.line(name, 0, name))

    def constants(self) -> dict[str, int]:
        """The numbers the file gives to names."""
        try:
            return msgspec.convert(self.tables.get("constants", {}), dict[str, int])
        except msgspec.ValidationError as error:
            self.report(ProblemKind.CONFIG, str(error), self.line("constants", 0, "constants"))
            return {}

    def patterns(self) -> dict[str, str]:
        """The regular expressions the file gives to names."""
        try:
            return msgspec.convert(self.tables.get("patterns", {}), dict[str, str])
        except msgspec.ValidationError as error:
            self.report(ProblemKind.CONFIG, str(error), self.line("patterns", 0, "patterns"))
            return {}


_Like: TypeAlias = tuple[_File, int, ApiRow]
"""A row that does what another one does, with its file and its index there."""


def _explain(message: str) -> tuple[str, str]:
    """What msgspec says of a row -> (what people read, the text to look for in the file)."""
    quoted = re.search(r"`([^`$]+)`|'([^']+)'", message)
    token = (quoted[1] or quoted[2]) if quoted else ""
    where = re.search(r"\$((?:\.\w+|\[\w*\.*\])*)", message)
    key = where[1].rpartition(".")[2].partition("[")[0] if where else ""
    if "unknown field" in message:
        return f"unknown key '{token}'{suggestion(token, _KNOWN_WORDS)}", token
    if "enum value" in message:
        return f"unknown word '{token}'{suggestion(token, [*Kind, *Sign])}", token
    return message, key or token


def _files(paths: Sequence[Path]) -> list[_File]:
    """Files as given, directories as their *.toml in order of name."""
    found: list[_File] = []
    for path in paths:
        found.extend(_File(each) for each in (sorted(path.glob("*.toml")) if path.is_dir() else [path]))
    return found


def _read_apis(
    file: _File,
    constants: Constants,
    apis: dict[str, Api],
    more: dict[str, list[Api]],
    likes: dict[str, _Like],
) -> None:
    """Adds the APIs of one file; rows that extend others wait in ``more`` until every file is read, and those
    that are like others are read then."""
    here: set[str] = set()
    for index, row in file.rows("api", ApiRow):
        for name in row.names:
            if row.like:
                likes[name] = (file, index, row)
                continue
            try:
                api = compile_api(row, name, constants)
            except RowError as error:
                file.report(ProblemKind.CONFIG, error.text, file.line("api", index, error.token))
                break
            if row.extends:
                more.setdefault(name, []).append(api)
            elif name in here:
                file.report(ProblemKind.CONFIG, f"'{name}' has two rows", file.line("api", index, name))
            else:
                here.add(name)
                apis[name] = api
                likes.pop(name, None)


def _extend(apis: dict[str, Api], more: Mapping[str, list[Api]]) -> None:
    for name, extensions in more.items():
        for extension in extensions:
            apis[name] = extend_api(apis[name], extension) if name in apis else extension


def _read_likes(likes: Mapping[str, _Like], constants: Constants, apis: dict[str, Api]) -> None:
    """Adds the rows that do what others do."""
    found: dict[str, Api] = {}
    for name, (file, index, row) in likes.items():
        try:
            if row.like not in apis:
                raise RowError(f"there is no row '{row.like}'{suggestion(row.like, apis)}", row.like)
            found[name] = like_api(row, name, apis[row.like], constants)
        except RowError as error:
            file.report(ProblemKind.CONFIG, error.text, file.line("api", index, error.token))
    apis.update(found)


def _read_table(file: _File, table: str, shape: type[Row], compiled: Callable[[Row], Rule]) -> list[Rule]:
    """The rows of a table of rules; those that cannot be understood become problems."""
    found = []
    for index, row in file.rows(table, shape):
        try:
            found.append(compiled(row))
        except RowError as error:
            file.report(ProblemKind.CONFIG, error.text, file.line(table, index, error.token))
    return found


def load_models(paths: Sequence[Path]) -> tuple[Models, tuple[Problem, ...]]:
    """Files or directories of TOML -> models, and what was wrong with them.

    A name that a later file has too is decided there, so a project can correct a row that is shipped. Two
    rows for one name in one file are a problem. Raises nothing: a file that cannot be read is a Problem too.
    """
    files = _files(paths)
    constants: dict[str, int] = {}
    patterns: dict[str, str] = {}
    for file in files:
        file.unknown_tables()
        constants.update(file.constants())
        patterns.update(file.patterns())
    apis: dict[str, Api] = {}
    more: dict[str, list[Api]] = {}
    likes: dict[str, _Like] = {}
    opened: list[PathRule] = []
    links: list[PathRule] = []
    commands: list[CommandRule] = []
    texts: list[TextRule] = []
    neutral: set[str] = set()
    roots: set[str] = set()
    records: set[str] = set()
    numbers: set[str] = set()
    for file in files:
        _read_apis(file, {**constants, **patterns}, apis, more, likes)
        opened.extend(_read_table(file, "path", PathRow, compile_path))
        links.extend(_read_table(file, "link", LinkRow, compile_link))
        commands.extend(_read_table(file, "command", CommandRow, compile_command))
        texts.extend(_read_table(file, "text", TextRow, compile_text))
        for _, row in file.rows("neutral", NeutralRow):
            neutral.update(row.names)
        for _, root in file.rows("root", RootRow):
            roots.update(root.names)
        for _, record in file.rows("record", RecordRow):
            records.update(record.names)
        for _, number in file.rows("number", NumberRow):
            numbers.update(number.names)
    _extend(apis, {name: added for name, added in more.items() if name not in likes})
    _read_likes(likes, {**constants, **patterns}, apis)
    _extend(apis, {name: added for name, added in more.items() if name in likes})
    models = Models(
        apis,
        frozenset(name for name in neutral if not name.endswith("*")),
        tuple(sorted(name.removesuffix("*") for name in neutral if name.endswith("*"))),
        tuple(opened),
        constants,
        frozenset(roots),
        frozenset(records),
        tuple(commands),
        tuple(texts),
        frozenset(numbers),
        tuple(links),
    )
    return models, tuple(problem for file in files for problem in file.problems)


@cache
def default_models() -> Models:
    """The models that are shipped. Raises ValueError where they do not load: a fault of the tool, not of its
    user.
    """
    models, problems = load_models([rules_directory() / "models"])
    if problems:
        raise ValueError("\n".join(problem.text for problem in problems))
    return models
