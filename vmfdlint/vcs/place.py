"""Where a directory lies in version control, and what is checked out there."""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from vmfdlint.vcs.errors import VcsError
from vmfdlint.vcs.run import git

_SCP = re.compile(r"(?:([\w.-]+)@)?([\w.-]+):(?!//)(.+)")


class Origin(msgspec.Struct, frozen=True):
    """What is checked out: the address of the repository without secrets, the commit, the branch if any."""

    repository: str
    revision: str
    branch: str = ""


def top_of(directory: Path) -> Path | None:
    """The top of the work tree that an absolute directory lies in; None where it lies in none."""
    around = (directory, *directory.parents)
    # Path raises where it may not look.
    return next((one for one in around if os.path.exists(one / ".git")), None)  # noqa: PTH110


def within(directory: Path) -> str:
    """The way from the top of the work tree to ``directory``, with ``/`` at its end; empty at the top.

    Read from the disk, without git.
    """
    top = top_of(directory)
    way = "" if top is None else directory.relative_to(top).as_posix()
    return "" if way in ("", ".") else way + "/"


def origin(directory: Path) -> Origin | None:
    """What is checked out in ``directory``; None outside of git, without a commit, or without a remote."""
    if top_of(directory) is None:
        return None
    try:
        revision, branch = (
            _asked(directory, "rev-parse", "HEAD"),
            _asked(directory, "branch", "--show-current"),
        )
        address = repository_uri(_asked(directory, "remote", "get-url", "origin"))
    except VcsError:
        return None
    return Origin(address, revision, branch) if address else None


def author(directory: Path) -> str:
    """Who commits in ``directory``, as ``Name <address>``; empty where git does not know, or is not there."""
    try:
        name, address = (_asked(directory, "config", f"user.{what}") for what in ("name", "email"))
    except VcsError:
        return ""
    return f"{name} <{address}>" if name and address else ""


def _asked(directory: Path, *arguments: str) -> str:
    return git(directory, arguments).decode("utf-8", "replace").strip()


def repository_uri(remote: str) -> str:
    """A remote as git writes it -> an absolute URI without password or token; empty where it is none."""
    if "://" in remote:
        parts = urlsplit(remote)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", "")) if parts.scheme else ""
    if Path(remote).is_absolute():
        return "file://" + quote(Path(remote).as_posix())
    scp = _SCP.fullmatch(remote)
    return f"ssh://{scp[2]}/{quote(scp[3].lstrip('/'))}" if scp else ""
