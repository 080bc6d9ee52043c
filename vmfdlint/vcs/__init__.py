"""Version control, which is git: what it knows of a directory. The only room that starts a program."""

from vmfdlint.vcs.changes import Lines, changed_lines, parted
from vmfdlint.vcs.errors import VcsError
from vmfdlint.vcs.place import Origin, author, origin, repository_uri, top_of, within
from vmfdlint.vcs.worktree import checked_out

__all__ = [
    "Lines",
    "Origin",
    "VcsError",
    "author",
    "changed_lines",
    "checked_out",
    "origin",
    "parted",
    "repository_uri",
    "top_of",
    "within",
]
