"""What a fleet came to, as a table for people: a line a tree and one for all."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from vmfdlint.finding import Level
from vmfdlint.report import printable


class Row(msgspec.Struct, frozen=True):
    """One tree. ``seconds`` is None where nothing was done now, ``note`` says what is special."""

    files: int
    levels: Mapping[str, int]
    seconds: float | None
    note: str = ""


def table(rows: Sequence[tuple[str, Row]]) -> Iterator[str]:
    """Name and row of each tree -> lines with columns."""
    levels = [level.value for level in Level]
    lines = [["tree", "files", *levels, "seconds", ""]]
    for name, row in rows:
        found = [f"{row.levels.get(level, 0):,}" for level in levels]
        seconds = "-" if row.seconds is None else f"{row.seconds:,.2f}"
        lines.append([printable(name), f"{row.files:,}", *found, seconds, row.note])
    if len(rows) > 1:
        total = [sum(row.levels.get(level, 0) for _, row in rows) for level in levels]
        spent = sum(row.seconds or 0.0 for _, row in rows)
        files = sum(row.files for _, row in rows)
        name = f"all {len(rows):,}"
        lines.append([name, f"{files:,}", *(f"{number:,}" for number in total), f"{spent:,.2f}", ""])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for name, *numbers, note in lines:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=False)]
        yield "  ".join([name.ljust(widths[0]), *cells, note]).rstrip()
