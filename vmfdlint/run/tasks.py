"""One task at a time, and what becomes of one that raises. The only place that catches Exception."""

import traceback
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")
Value = TypeVar("Value")


class Done(msgspec.Struct, Generic[Value], frozen=True):
    """A task's value."""

    value: Value


class Crash(msgspec.Struct, frozen=True):
    """A task that raised or whose process died: what it worked on and what happened.

    ``trace`` is the whole traceback, for whoever mends the tool; empty where there is none.
    """

    item: str
    text: str
    trace: str = ""


def run_one(function: Callable[[Item], Value], item: Item, name: str) -> "Done[Value] | Crash":
    """``function(item)``; an exception becomes a Crash with its kind, its words and where it was raised."""
    try:
        return Done(function(item))
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        # Only the file's name: where the tool is installed is nobody's business in a report.
        where = f" at {frames[-1].filename.replace(chr(92), '/').rpartition('/')[2]}:{frames[-1].lineno}"
        words = "".join(f": {part}" for part in [" ".join(str(error).split())] if part)
        return Crash(name, f"{type(error).__name__}{words}{where}", traceback.format_exc())


def run_chunk(
    function: Callable[[Item], Value], items: Sequence[Item], names: Sequence[str]
) -> "list[Done[Value] | Crash]":
    """Several tasks in a row: what one worker process is sent at a time."""
    return [run_one(function, item, name) for item, name in zip(items, names, strict=True)]
