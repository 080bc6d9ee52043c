"""The keys of a configuration file and what each may hold."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vmfdlint.config.options import PYTHON_VERSIONS


class Key(msgspec.Struct, frozen=True):
    """``kind`` in words, for errors; ``read``: a value of TOML -> one of Options, or ValueError."""

    kind: str
    read: Callable[[Any], Any]


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError
    return tuple(value)


def _formats(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else _strings(value)


def _table(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ValueError
    return tuple((pattern, _strings(selectors)) for pattern, selectors in value.items())


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


_LATEST = {"2": "2.7", "3": "3.13"}
"""What a language without the second number stands for."""


def _version(value: Any) -> str:
    value = _LATEST.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, str) or not re.fullmatch(PYTHON_VERSIONS, value):
        raise ValueError
    return value


def _one_of(*words: str) -> Key:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    quoted = [f'"{word}"' for word in words]
    return Key(" or ".join([", ".join(quoted[:-1]), quoted[-1]]), read)


_LIST = Key("a list of strings", _strings)
_BOOLEAN = Key("true or false", _truth)

EXTEND = "extend"

KEYS: Mapping[str, Key] = {
    EXTEND: Key("a string", _text),
    "select": _LIST,
    "extend-select": _LIST,
    "ignore": _LIST,
    "per-file-ignores": Key("a table of patterns with lists of strings", _table),
    "exclude": _LIST,
    "models": _LIST,
    "baseline": Key("a string", _text),
    "cache-dir": Key("a string", _text),
    "output-format": Key("a string or a list of strings", _formats),
    "min-certainty": _one_of("may", "must"),
    "fail-level": _one_of("error", "warning", "note"),
    "fail-fast": _BOOLEAN,
    "target-python": Key('a version from "2.7" to "3.x", such as "3.13"', _version),
    "jobs": Key("a whole number, 0 or more", _count),
    "force-exclude": _BOOLEAN,
    "respect-gitignore": _BOOLEAN,
    "fix": _BOOLEAN,
    "unsafe-fixes": _BOOLEAN,
}
"""Key in a file -> what it holds. The Options field is the key with ``_`` for ``-``, but for ``extend``."""
