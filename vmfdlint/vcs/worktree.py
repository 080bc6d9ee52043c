"""Another commit, checked out beside the user's tree, which is not touched."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vmfdlint.vcs.errors import VcsError
from vmfdlint.vcs.place import top_of
from vmfdlint.vcs.run import git


@contextmanager
def checked_out(directory: Path, revision: str) -> Iterator[tuple[Path, Path]]:
    """The top of the work tree that ``directory`` lies in, and a directory that holds ``revision`` of it.

    The second one goes away at the end. What is not committed is of no matter. Raises VcsError.
    """
    top = top_of(directory)
    if top is None:
        raise VcsError(f"{directory} is in no git work tree")
    commit = commit_of(top, revision)
    # Without links, as the current directory in it will be told: on macOS the temporary directory is one.
    holder = Path(tempfile.mkdtemp(prefix="vmfdlint-")).resolve()
    copy, hooks = holder / "tree", holder / "no-hooks"
    hooks.mkdir()
    # A hook of the user's, such as post-checkout, is not meant for this.
    quiet = ["-c", f"core.hooksPath={hooks}", "-c", "advice.detachedHead=false"]
    try:
        git(top, [*quiet, "worktree", "add", "--quiet", "--detach", str(copy), commit])
        yield top, copy
    finally:
        with suppress(VcsError):
            git(top, [*quiet, "worktree", "remove", "--force", str(copy)])
        shutil.rmtree(holder, ignore_errors=True)
        with suppress(VcsError):
            git(top, ["worktree", "prune"])


def commit_of(top: Path, revision: str) -> str:
    """The commit that a revision names. Raises VcsError."""
    try:
        found = git(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    except VcsError as error:
        hint = (
            "in a shallow clone, fetch it first" if (top / ".git" / "shallow").exists() else "check its name"
        )
        raise VcsError(f"git knows no commit {revision!r}: {hint}") from error
    return found.decode().strip()
