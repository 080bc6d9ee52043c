"""Reports to where they go, lines to the error stream."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vmfdlint.app import Run


def writable(target: str, option: str) -> None:
    """Finds out before the work that a report could not be written after it."""
    folder = Path(target).parent
    if Path(target).is_dir():
        raise click.UsageError(f"{option}: {target} is a directory: name a file in it.")
    if not folder.is_dir():
        raise click.UsageError(f"{option}: {folder} does not exist: make it first.")


def give(result: "Run") -> int:
    """Reports and messages to where they go; returns the exit code."""
    failed = out(result.report)
    say(result.messages)
    for written in result.files:
        try:
            with Path(written.path).open("ab" if written.append else "wb") as stream:
                stream.write(written.data)
        except OSError as error:
            say([f"error: {written.path}: cannot be written ({error.strerror}): choose another file"])
            failed = 2
    return failed or result.exit_code


def out(data: bytes) -> int:
    """Bytes to the standard output; 2 where it takes none, else 0.

    Whoever reads it may leave early (``| head``): no reason to complain.
    """
    if not data:
        return 0
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say([f"error: the output cannot be written ({error.strerror}): make room, or use --output-file"])
        return 2
    return 0


def say(lines: Sequence[str]) -> None:
    """Lines to the error stream."""
    for line in lines:
        click.echo(line, err=True)
