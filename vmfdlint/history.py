"""What was before: known findings from a file or a commit, a commit itself, lines that changed since one.

In: Options, and a way to look at a tree. Out: entries, lines. Whatever fails is a ConfigError.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from vmfdlint.baseline import BaselineError, Entry, decoded, match_known
from vmfdlint.config import ConfigError, Options
from vmfdlint.intake import moved
from vmfdlint.vcs import Lines, VcsError, changed_lines, checked_out, parted

Seen = TypeVar("Seen")
Look = Callable[[Options], Sequence[Entry]]
"""What is found under some Options, in the current directory."""


def known(options: Options, look: Look) -> Sequence[Entry] | None:
    """What --baseline and --baseline-commit know; None where neither was asked for."""
    found: list[Entry] = []
    if options.baseline is not None:
        found += read_baseline(options.baseline)
    if options.baseline_commit is not None:
        try:
            then = at_commit(options, options.baseline_commit, look) or ()
        except VcsError as error:
            raise ConfigError(f"--baseline-commit: {error}") from error
        # What both know stands for one finding.
        both = match_known(then, found).known
        found += [entry for entry, is_known in zip(then, both, strict=True) if not is_known]
    asked = options.baseline is not None or options.baseline_commit is not None
    return found if asked else None


def read_baseline(path: str) -> tuple[Entry, ...]:
    """The entries of a baseline file."""
    try:
        return decoded(Path(path).read_bytes())
    except OSError as error:
        hint = "make it with `vmfdlint baseline create`"
        raise ConfigError(f"baseline {path}: cannot be read ({error.strerror}): {hint}") from error
    except BaselineError as error:
        raise ConfigError(f"baseline {path}: {error}") from error


def changed(root: Path, options: Options) -> Lines | None:
    """The lines that changed since --diff-base, by path relative to ``root``; None where it was not given."""
    if options.diff_base is None:
        return None
    try:
        return changed_lines(root, options.diff_base)
    except VcsError as error:
        raise ConfigError(f"--diff-base: {error}") from error


def base_of(revision: str) -> str:
    """The commit in which HEAD left the line of ``revision``: what a change is compared with."""
    try:
        return parted(Path.cwd(), revision)
    except VcsError as error:
        raise ConfigError(str(error)) from error


def at_commit(options: Options, revision: str, look: Callable[[Options], Seen]) -> Seen | None:
    """What is seen in a commit, with the settings of now, in a tree of its own; None where the current
    directory is not in it. Raises VcsError."""
    here = Path.cwd()
    with checked_out(here, revision) as (top, copy):
        there = copy / here.relative_to(top)
        if not there.is_dir():
            return None
        then = moved(options, top, copy)
        with contextlib.chdir(there):
            return look(then)
