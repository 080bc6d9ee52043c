"""``server``: the language server that editors start."""

import gc
import os
import sys

import click


class Missing(click.ClickException):
    """A part that was not installed: it could not run."""

    exit_code = 2


@click.command()
@click.option("--stdio", is_flag=True, help="Talk over the standard input and output: the only way there is.")
def server(stdio: bool) -> int:
    """Talk to an editor (Language Server Protocol): findings, explanations and fixes while you write.

    Settings are those of check, from vmfdlint.toml or pyproject.toml of each workspace folder.
    """
    try:
        from vmfdlint.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        text = "the language server needs pygls 2.0 or later: pip install 'vmfdlint[server]'"
        raise Missing(text) from error

    gc.enable()  # unlike a run, it lives on
    # The client's pipes are kept from the processes that analyse: one line of theirs would be no message, and
    # the client would wait for the end of a pipe that they hold.
    incoming = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return serve(incoming, outgoing)
