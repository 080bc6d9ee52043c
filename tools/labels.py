"""Label files: places in real trees that someone judged by hand, one JSON object a line.

``expect`` is ``must`` (has to be reported), ``may`` (right, but no miss when it is not) or ``must-not`` (a
trap: not above ``max_severity`` in its category; ``none`` allows nothing). Other keys are passed over.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from tools.trees import Unreadable, read_toml

TOLERANCE = 2
"""A finding counts for a label this many lines away from it."""
CATEGORIES = Path(__file__).parent / "labels.toml"

Severity = Literal["none", "note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("none", "note", "warning", "error")

_STEP = re.compile(r"([\w./+-]*):(\d+)")


class Label(msgspec.Struct, frozen=True, dict=True):
    """One judged place. ``severity`` is the level a finding there deserves. ``note`` may name further places
    where the finding is as good: ``file.c:12``, or ``:12`` in the same file."""

    tree: str
    file: str
    line: int
    category: str
    expect: Literal["must", "may", "must-not"]
    function: str = ""
    severity: Severity = "none"
    max_severity: Severity | None = None
    why: str = ""
    note: str = ""

    @cached_property
    def steps(self) -> frozenset[tuple[str, int]]:
        """The further places named in the note."""
        return frozenset((file or self.file, int(line)) for file, line in _STEP.findall(self.note))

    @property
    def trap(self) -> bool:
        return self.expect == "must-not"

    @property
    def allowed(self) -> int:
        """The index in SEVERITIES of the highest level that does not spring a trap."""
        return SEVERITIES.index(self.max_severity or "none")

    def distance(self, file: str, line: int) -> int | None:
        """How many lines a place is from the label; None where it is too far."""
        if (file, line) in self.steps:
            return 0
        away = abs(line - self.line)
        return away if file == self.file and away <= TOLERANCE else None

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.category}"


class Categories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Category -> beginnings of the ids of its rules."""

    categories: dict[str, tuple[str, ...]]

    def hold(self, category: str, rule: str) -> bool:
        """Whether a finding of ``rule`` answers for ``category``."""
        return rule.startswith(self.categories[category])


def read_categories(path: Path = CATEGORIES) -> Categories:
    """The categories that come with the tools. Raises Unreadable."""
    return read_toml(path, Categories)


def read_labels(path: Path, categories: Categories) -> tuple[Label, ...]:
    """A label file, in its order. Raises Unreadable with file and line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    labels = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label = msgspec.json.decode(line, type=Label)
        except msgspec.DecodeError as error:
            raise Unreadable(f"{path}:{number}: {error}") from error
        if label.category not in categories.categories:
            known = ", ".join(categories.categories)
            raise Unreadable(f"{path}:{number}: unknown category {label.category!r}: known are {known}")
        labels.append(label)
    return tuple(labels)
