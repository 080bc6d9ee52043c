"""Where a directory lies in a work tree; read from the disk, without git."""

from pathlib import Path


def top_of(directory: Path) -> Path | None:
    """The top of the work tree that an absolute directory lies in; None where it lies in none."""
    return next((one for one in (directory, *directory.parents) if (one / ".git").exists()), None)


def within(directory: Path) -> str:
    """The way from the top of the work tree to ``directory``, with ``/`` at its end; empty at the top."""
    top = top_of(directory)
    way = "" if top is None else directory.relative_to(top).as_posix()
    return "" if way in ("", ".") else way + "/"
