"""Version control, which is git. In: a directory. Out: what git knows of it. The only room that starts it."""

from vmfdlint.vcs.place import within

__all__ = ["within"]
