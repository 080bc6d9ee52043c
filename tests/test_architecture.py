"""The walls: what ARCHITECTURE.md says about imports, doors and who may do what, checked against the code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "vmfdlint"
MODULES = sorted(PACKAGE.rglob("*.py"))
TOOLS = sorted((REPOSITORY / "tools").rglob("*.py"))


class Room(NamedTuple):
    """A row of the import table."""

    imports: frozenset[str]
    open: frozenset[str]


class Import(NamedTuple):
    """One import of something of this package. ``deep``: inside a function or an ``if``."""

    module: str
    line: int
    deep: bool


@cache
def rooms() -> dict[str, Room]:
    """The import table of ARCHITECTURE.md."""
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("<!-- imports -->")[2].partition("<!-- /imports -->")[0]
    found = {}
    for row in table.strip().splitlines()[2:]:
        name, _, imports, opened = (cell.strip() for cell in row.strip().strip("|").split("|"))
        found[name] = Room(*(frozenset(re.findall(r"\w+", cell)) for cell in (imports, opened)))
    return found


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(package: str, name: str) -> bool:
    """Whether ``from package import name`` brings a module: a door may give out a function of that name."""
    folder = REPOSITORY.joinpath(*package.split("."))
    if not ((folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()):
        return False
    door = ast.parse((folder / "__init__.py").read_bytes())
    given = (node for node in ast.walk(door) if isinstance(node, ast.ImportFrom))
    return not any((alias.asname or alias.name) == name for node in given for alias in node.names)


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Every module of this package that a file imports, also by ``from package import module``."""
    tree = ast.parse(path.read_bytes(), str(path))
    top = set(tree.body)
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            base = node.module or ""
            for alias in node.names:
                names.append(f"{base}.{alias.name}" if is_module(base, alias.name) else base)
        for name in names:
            if name.split(".")[0] == "vmfdlint":
                found.append(Import(name, getattr(node, "lineno", 0), node not in top))
    return tuple(found)


def crossings() -> Iterator[tuple[Path, str, Import]]:
    """Imports that leave their room: file, its room, the import."""
    for path in MODULES:
        for found in imports_of(path):
            parts = found.module.split(".")
            if len(parts) > 1 and parts[1] != room_of(path):
                yield path, room_of(path), found


def test_every_room_is_in_the_table() -> None:
    real = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    real |= {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    assert set(rooms()) == real


def test_imports_follow_the_table() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{found.line}: {room} must not import {found.module}"
        for path, room, found in crossings()
        if room not in ("__main__", "__init__") and found.module.split(".")[1] not in rooms()[room].imports
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_is_one_arrow() -> None:
    # Raises CycleError where the arrows close a circle.
    tuple(TopologicalSorter({name: room.imports for name, room in rooms().items()}).static_order())


def test_others_come_in_by_the_door() -> None:
    wrong = []
    for path, _, found in crossings():
        parts = found.module.split(".")
        if len(parts) > 2 and parts[2] not in rooms()[parts[1]].open:
            wrong.append(f"{path.relative_to(REPOSITORY)}:{found.line}: {found.module} is behind the door")
    assert not wrong, "\n".join(wrong)


def test_the_tools_stand_outside() -> None:
    """They use vmfdlint by the same doors as its rooms do, and nothing that is installed knows them."""
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{found.line}: {found.module} is behind the door"
        for path in TOOLS
        for found in imports_of(path)
        if len(parts := found.module.split(".")) > 2 and parts[2] not in rooms()[parts[1]].open
    ]
    uses = re.compile(r"^\s*(from|import) tools\b", re.MULTILINE)
    wrong += [path.name for path in MODULES if uses.search(path.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"][
        "build"
    ]
    assert build["targets"]["wheel"]["packages"] == ["vmfdlint"]


def test_rooms_are_imported_at_the_top() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{found.line}: {found.module}"
        for path, room, found in crossings()
        if found.deep and room != "cli"
    ]
    assert not wrong, "\n".join(wrong)


def test_no_cycle_between_modules() -> None:
    """A package's door may import its modules, and they one another without a circle; not the door."""
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        name = name_of(path)
        graph[name] = {found.module for found in imports_of(path) if not found.deep} - {name, "vmfdlint"}
    tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\bprint\(|sys\.(stdout|stderr)|click\.echo", ("report/", "cli/")),
        (r"except Exception|except BaseException|except:", ("run/tasks.py",)),
        (r"tree_sitter", ("frontends/",)),
        (r"\bsubprocess\b", ("vcs/",)),
        (r"\bos\.fork\(|os\.system\(|\beval\(|\bpickle\b", ()),
    ],
)
def test_only_these_may(pattern: str, allowed: tuple[str, ...]) -> None:
    wrong = []
    for path in MODULES:
        name = path.relative_to(PACKAGE).as_posix()
        code = code_only(path)
        if re.search(pattern, code) and not name.startswith(allowed):
            wrong.append(name)
    assert not wrong, f"{pattern}: {wrong}"


def code_only(path: Path) -> str:
    """A module's code without comments and strings, where words may stand for what they name."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.unparse(tree)


def test_no_group_is_possessive() -> None:
    """``(?:a|b)*+`` matches wrongly before Python 3.11.5 (gh-106052: a possessive repeat of what can
    backtrack), so on the Python of Debian 12; ``(?>(?:a|b)*)`` means the same and is right in all."""
    possessive = re.compile(r"(?<!\\)\)[*+?]\+")
    found = [
        path.name for path in sorted(PACKAGE.rglob("*.py")) if possessive.search(path.read_text("utf-8"))
    ]
    assert not found


def test_every_module_says_its_contract() -> None:
    bare = [path for path in (*MODULES, *TOOLS) if not ast.get_docstring(ast.parse(path.read_bytes()))]
    assert not [path.relative_to(REPOSITORY).as_posix() for path in bare]


def test_the_readme_and_ci_run_the_same_line() -> None:
    lines = re.findall(r"^\.venv/bin/pip.*$", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.M)
    assert len(lines) == 1
    assert lines[0] in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
