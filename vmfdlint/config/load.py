"""Configuration file and command line -> Options. Errors name file, line and the nearest right key."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from vmfdlint.config.errors import ConfigError
from vmfdlint.config.options import Options

FILE_NAMES = (".vmfdlint.toml", "vmfdlint.toml")
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "vmfdlint")

# Key in a file -> its type in words. The Options field is the key with "_" for "-".
KEYS: Mapping[str, str] = {
    "select": "a list of strings",
    "ignore": "a list of strings",
    "exclude": "a list of strings",
    "models": "a list of strings",
    "output-format": "a string",
    "min-certainty": '"may" or "must"',
    "target-python": 'a version such as "3.13"',
    "jobs": "a whole number, 0 or more",
    "force-exclude": "true or false",
    "respect-gitignore": "true or false",
}


def load(paths: Sequence[str], given: Mapping[str, Any]) -> Options:
    """Options for a run over ``paths``: defaults, then the nearest configuration file, then ``given``.

    ``given`` holds the Options fields the command line set; what it does not name comes from the file.
    Raises ConfigError.
    """
    start = _start(paths)
    values: dict[str, Any] = {}
    found = find(start)
    if found is not None:
        values = read(found)
        values["config_file"] = found.as_posix()
        values["exclude_base"] = found.parent.as_posix()
        values["models"] = tuple((found.parent / model).as_posix() for model in values.get("models", ()))
    if given.get("exclude") is not None:
        values["exclude_base"] = ""
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(values | {"paths": tuple(paths)}, Options)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def find(start: Path) -> Path | None:
    """The configuration file nearest to the directory ``start``, in it or above it."""
    for directory in (start, *start.parents):
        for name in FILE_NAMES:
            if (directory / name).is_file():
                return directory / name
        pyproject = directory / PYPROJECT
        if pyproject.is_file() and _section(_parse(pyproject)[1], TABLE) is not None:
            return pyproject
    return None


def read(path: Path) -> dict[str, Any]:
    """The settings in one file, by Options field name. Raises ConfigError."""
    text, document = _parse(path)
    section = _section(document, TABLE) if path.name == PYPROJECT else document
    values: dict[str, Any] = {}
    for key, value in (section or {}).items():
        line = _line_of(text, key, path.name == PYPROJECT)
        if key not in KEYS:
            close = get_close_matches(key.replace("_", "-"), KEYS, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(KEYS))}"
            raise ConfigError(f"unknown key {key!r}: {hint}", str(path), line)
        if not _fits(value, KEYS[key]):
            raise ConfigError(f"{key} must be {KEYS[key]}, not {value!r}", str(path), line)
        values[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    return values


def _start(paths: Sequence[str]) -> Path:
    """The deepest existing directory that all paths lie in; the current one where there is none."""
    absolute = [os.path.normpath(Path.cwd() / path) for path in paths]
    try:
        common = Path(os.path.commonpath(absolute)) if absolute else Path.cwd()
    except ValueError:  # on different drives
        return Path.cwd()
    while not common.is_dir() and common != common.parent:
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


def _fits(value: Any, kind: str) -> bool:
    if kind == "a list of strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == "a string":
        return isinstance(value, str)
    if kind == '"may" or "must"':
        return value in ("may", "must")
    if kind == "true or false":
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
