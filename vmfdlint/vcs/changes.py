"""Which lines differ from another commit."""

import re
from collections.abc import Mapping
from pathlib import Path

from vmfdlint.vcs.errors import VcsError
from vmfdlint.vcs.place import top_of
from vmfdlint.vcs.run import git
from vmfdlint.vcs.worktree import commit_of

_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_EVERY = 1 << 60

Lines = Mapping[str, tuple[tuple[int, int], ...]]
"""Path -> stretches of lines, first and last, from 1."""


def changed_lines(directory: Path, revision: str) -> Lines:
    """What differs, in the files as they are now, from where HEAD left the line of ``revision``.

    Paths are relative to ``directory``, or absolute outside of it. Files that git does not track are changed
    as a whole. Where lines were only taken away, their neighbours count. Raises VcsError.
    """
    top = top_of(directory)
    if top is None:
        raise VcsError(f"{directory} is in no git work tree")
    base = _base(top, commit_of(top, revision))
    quiet = ["--no-ext-diff", "--no-color", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"]
    diff = git(top, ["-c", "core.quotePath=false", "diff", "--unified=0", *quiet, base, "--"])
    found: dict[str, list[tuple[int, int]]] = {}
    path = ""
    for line in diff.split(b"\n"):
        if line.startswith(b"+++ b/"):
            path = _shown(top, directory, line[6:])
        elif (hunk := _HUNK.match(line)) and path:
            first, size = int(hunk[1]), int(hunk[2] or 1)
            # Of lines that went away, the hunk names the line above the gap.
            last = first + size - 1 if size else first + 1
            found.setdefault(path, []).append((first, last))
    for name in git(top, ["ls-files", "--others", "--exclude-standard", "-z"]).split(b"\0"):
        if name:
            found[_shown(top, directory, name)] = [(1, _EVERY)]
    return {path: tuple(stretches) for path, stretches in found.items()}


def parted(directory: Path, revision: str) -> str:
    """The commit in which HEAD left the line of ``revision``. Raises VcsError."""
    top = top_of(directory)
    if top is None:
        raise VcsError(f"{directory} is in no git work tree")
    return _base(top, commit_of(top, revision))


def _base(top: Path, commit: str) -> str:
    """Where HEAD and a commit parted; the commit itself where they have nothing in common that is known."""
    try:
        return git(top, ["merge-base", commit, "HEAD"]).decode().strip()
    except VcsError:
        return commit


def _shown(top: Path, directory: Path, name: bytes) -> str:
    path = top / name.rstrip(b"\t\r").decode("utf-8", "surrogateescape")
    return path.relative_to(directory).as_posix() if path.is_relative_to(directory) else path.as_posix()
