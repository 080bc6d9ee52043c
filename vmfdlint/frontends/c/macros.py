"""The contents of macros.toml as frozen sets and compiled patterns. In: the file beside this one. Out:
MACROS.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec


class Cast(msgspec.Struct, frozen=True):
    """A function that a macro of an object model declares: which argument is its name, with what behind it,
    and which the record it returns."""

    name: int
    record: int
    behind: bytes = b""

    def fits(self, arguments: Sequence[bytes]) -> bool:
        """Whether there are so many arguments."""
        return max(self.name, self.record) < len(arguments)

    def named(self, arguments: Sequence[bytes]) -> bytes:
        """What the function is called."""
        return arguments[self.name].strip() + self.behind


class Words(msgspec.Struct, frozen=True):
    """Names of macros by what the pre-pass does with them; bytes where they meet source, str where they leave
    it.
    """

    attributes: frozenset[bytes]
    attribute_calls: frozenset[bytes]
    meanings: dict[str, str]
    cleanup: dict[bytes, str]
    cleanup_types: dict[str, str]
    type_pointer: frozenset[bytes]
    type_plain: frozenset[bytes]
    type_opaque: frozenset[bytes]
    type_records: frozenset[bytes]
    declaring: frozenset[bytes]
    typed: dict[bytes, tuple[int, ...]]
    loop: re.Pattern[bytes]
    guard: re.Pattern[bytes]
    undefined: frozenset[str]
    defined: frozenset[str]
    ioctl: dict[str, int]
    sizes: dict[str, int]
    known: dict[str, int]
    scalars: frozenset[str]
    casts: dict[bytes, tuple[Cast, ...]]


def _names(words: list[str]) -> frozenset[bytes]:
    return frozenset(word.encode() for word in words)


def _load(text: str) -> Words:
    """TOML text -> Words. A missing section is a KeyError: the file ships with the code."""
    data: dict[str, Any] = tomllib.loads(text)
    typed: dict[bytes, tuple[int, ...]] = {}
    for name, place in data["arguments"]["typed"]:
        typed[name.encode()] = (*typed.get(name.encode(), ()), place)
    return Words(
        attributes=_names(data["attributes"]["words"]),
        attribute_calls=_names(data["attributes"]["calls"]),
        meanings=data["attributes"]["meaning"],
        cleanup={word.encode(): function for word, function in data["cleanup"]["words"].items()},
        cleanup_types=data["cleanup"]["types"],
        type_pointer=_names(data["types"]["pointer"]),
        type_plain=_names(data["types"]["plain"]),
        type_opaque=_names(data["types"]["opaque"]),
        type_records=_names(data["types"]["records"]),
        declaring=_names(data["types"]["declaring"]),
        typed=typed,
        loop=re.compile("|".join(data["loops"]["patterns"]).encode()),
        guard=re.compile("|".join(data["loops"]["guards"]).encode()),
        undefined=frozenset(data["conditions"]["undefined"]),
        defined=frozenset(data["conditions"]["defined"]),
        ioctl=data["values"]["ioctl"],
        sizes=data["values"]["sizes"],
        known=data["values"]["known"],
        scalars=frozenset(data["values"]["scalars"]["names"]),
        casts={
            macro.encode(): tuple(
                Cast(one["name"], one["record"], one.get("behind", "").encode()) for one in made
            )
            for macro, made in data["casts"].items()
        },
    )


MACROS = _load((Path(__file__).parent / "macros.toml").read_text(encoding="utf-8"))
