"""Version control, which is git: what it knows of a directory. The only room that starts a program."""

from vmfdlint.vcs.errors import VcsError
from vmfdlint.vcs.place import Origin, origin, repository_uri, within

__all__ = ["Origin", "VcsError", "origin", "repository_uri", "within"]
