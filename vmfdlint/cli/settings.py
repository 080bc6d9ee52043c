"""``config``, ``completion`` and ``version``: what can be set, and what this is."""

import click
from click.shell_completion import get_completion_class

from vmfdlint import __version__
from vmfdlint.cli.output import out


@click.command()
@click.argument("key", required=False)
def config(key: str | None) -> int:
    """List the settings a configuration file can hold, or say what one of them takes."""
    from vmfdlint.config import ConfigError, setting_lines

    lines = setting_lines(key)
    if not lines:
        raise ConfigError(f"no setting {key!r}: `vmfdlint config` lists them")
    return out("".join(line + "\n" for line in lines).encode())


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print a completion script: eval "$(vmfdlint completion bash)" in your shell's start file."""
    cli = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"This version of click has no completion for {shell}.")
    return out((found(cli, {}, "vmfdlint", "_VMFDLINT_COMPLETE").source() + "\n").encode())


@click.command()
def version() -> int:
    """Print the version."""
    return out(f"vmfdlint {__version__}\n".encode())
