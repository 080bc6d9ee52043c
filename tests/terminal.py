"""Command lines of vmfdlint whose error stream is a terminal."""

import os
import subprocess
import sys

EAGER = "from vmfdlint.cli import progress; progress.PATIENCE = 0.0; progress.EVERY = 0.001\n"
RUN = "import sys; from vmfdlint.cli import run; sys.exit(run(sys.argv[1:]))"


def on_a_terminal(*arguments: str, eager: bool = True) -> tuple[int, bytes]:
    """Exit code and what a command writes to its error stream, which is a terminal."""
    leader, follower = os.openpty()
    code = EAGER * eager + RUN
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=follower, stdout=subprocess.DEVNULL
    ) as process:
        os.close(follower)
        said = b""
        try:
            while part := os.read(leader, 65536):
                said += part
        except OSError:  # how a terminal says that the other side is closed
            pass
        os.close(leader)
    return process.returncode, said
