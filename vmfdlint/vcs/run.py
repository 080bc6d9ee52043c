"""git as a program: started with arguments, never through a shell."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vmfdlint.vcs.errors import VcsError

# A hook is run with these set for the commit that is being made; another work tree is none of theirs.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
_QUIET = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def git(directory: Path, arguments: Sequence[str]) -> bytes:
    """Runs git in ``directory``; returns what it prints. Raises VcsError, which says what git said."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment | _QUIET,
            check=False,
        )
    except OSError as error:
        raise VcsError(f"git cannot be run ({error.strerror}): install it") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1].removeprefix("fatal: ") if said else f"exit code {done.returncode}"
        raise VcsError(f"git {arguments[0]}: {last}")
    return done.stdout
