"""Configuration file and command line -> Options. Errors name file, line and the nearest right key."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from vmfdlint.config.errors import ConfigError
from vmfdlint.config.keys import EXTEND, KEYS
from vmfdlint.config.options import Options

FILE_NAMES = (".vmfdlint.toml", "vmfdlint.toml")
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "vmfdlint")


def load(paths: Sequence[str], given: Mapping[str, Any]) -> Options:
    """Options for a run over ``paths``: defaults, then the nearest configuration file, then ``given``.

    ``given`` holds the Options fields the command line set; what it does not name comes from the file. Its
    ``config_file`` is read instead of the nearest one, and none is where its ``isolated`` is true. Raises
    ConfigError.
    """
    given = {name: value for name, value in given.items() if value is not None}
    isolated = given.pop("isolated", False)
    named = given.pop("config_file", None)
    found = None if isolated else Path.cwd() / named if named else find(_start(paths, given.get("project")))
    values = {} if found is None else read(found) | {"config_file": found.as_posix()}
    if "exclude" in given:
        values["exclude_base"] = ""
    if "per_file_ignores" in given:
        values["per_file_base"] = ""
    if isinstance(given.get("output_format"), str):
        given["output_format"] = (given["output_format"],)
    given["extend_select"] = (*values.get("extend_select", ()), *given.get("extend_select", ()))
    try:
        return msgspec.convert(values | given | {"paths": tuple(paths)}, Options)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def find(start: Path) -> Path | None:
    """The configuration file nearest to the directory ``start``, in it or above it.

    os.path and not Path: a directory that may not be searched is passed over, and raises nothing.
    """
    for directory in (start, *start.parents):
        for name in FILE_NAMES:
            if os.path.isfile(directory / name):  # noqa: PTH113
                return directory / name
        pyproject = directory / PYPROJECT
        if os.path.isfile(pyproject) and _section(_parse(pyproject)[1], TABLE) is not None:  # noqa: PTH113
            return pyproject
    return None


def read(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The settings in one file and in what it extends, by Options field name. Raises ConfigError.

    A key of the file replaces that of the file it extends; ``extend-select`` adds. Paths and patterns are
    anchored at the directory of the file they stand in. ``seen`` are the files that extend this one.
    """
    text, document = _parse(path)
    in_pyproject = path.name == PYPROJECT
    section = _section(document, TABLE) if in_pyproject else document
    own: dict[str, Any] = {}
    base: dict[str, Any] = {}
    for name, value in (section or {}).items():
        line = _line_of(text, name, in_pyproject)
        key = KEYS.get(name)
        if key is None:
            raise ConfigError(unknown_key(name, KEYS), str(path), line)
        try:
            own[name.replace("-", "_")] = key.read(value)
        except ValueError as error:
            raise ConfigError(f"{name} must be {key.kind}, not {value!r}", str(path), line) from error
        if name == EXTEND:
            other = Path(os.path.normpath(path.parent / Path(own.pop(EXTEND)).expanduser()))
            if other in (*seen, path):
                raise ConfigError(f"{EXTEND} leads back to {other}", str(path), line)
            if not os.path.isfile(other):  # noqa: PTH113
                raise ConfigError(f"{EXTEND} names {other}, which is no file", str(path), line)
            base = read(other, (*seen, path))
    if "models" in own:
        own["models"] = tuple((path.parent / model).as_posix() for model in own["models"])
    for name in ("baseline", "cache_dir"):
        if name in own:
            own[name] = (path.parent / own[name]).as_posix()
    for name, anchor in (("exclude", "exclude_base"), ("per_file_ignores", "per_file_base")):
        if name in own:
            own[anchor] = path.parent.as_posix()
    added = (*base.get("extend_select", ()), *own.get("extend_select", ()))
    return base | own | ({"extend_select": added} if added else {})


def unknown_key(name: str, known: Iterable[str]) -> str:
    """What is said of a key that there is not: the nearest right one, or all of them."""
    close = get_close_matches(name.replace("_", "-"), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known))}"
    return f"unknown key {name!r}: {hint}"


def _start(paths: Sequence[str], project: str | None) -> Path:
    """The deepest existing directory that all paths lie in; the current one where there is none."""
    places = [project] if project else [path for path in paths if path != "-"]
    absolute = [os.path.normpath(Path.cwd() / path) for path in places]
    try:
        common = Path(os.path.commonpath(absolute)) if absolute else Path.cwd()
    except ValueError:  # on different drives
        return Path.cwd()
    while not os.path.isdir(common) and common != common.parent:  # noqa: PTH112
        common = common.parent
    return common


def _parse(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        text = f"cannot be read ({error.strerror}): make it readable or remove it"
        raise ConfigError(text, str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8: save it as UTF-8", str(path)) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        raise ConfigError(f"is not valid TOML: {error}", str(path), int(place[1]) if place else 0) from error


def _section(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any] | None:
    part: Any = document
    for name in names:
        if not isinstance(part, dict) or name not in part:
            return None
        part = part[name]
    return part if isinstance(part, dict) else None


def _line_of(text: str, key: str, in_pyproject: bool) -> int:
    """The line a key stands on, from 1 (tomllib keeps no places); 0 where it is written in another way."""
    inside = not in_pyproject
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[\s*{re.escape(key)}\s*\]")
    for number, line in enumerate(text.splitlines(), 1):
        if in_pyproject and line.lstrip().startswith("["):
            inside = line.strip().startswith("[tool.vmfdlint")
        if inside and pattern.match(line):
            return number
    return 0
