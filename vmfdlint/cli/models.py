"""``models``: what a call does to descriptors, as data."""

from typing import Any

import click

from vmfdlint.cli.options import selecting
from vmfdlint.cli.output import give


@click.group()
def models() -> None:
    """API models: what a call does to descriptors, as data."""


@models.command("check")
@click.argument("files", nargs=-1, metavar="[FILES]...", type=click.Path(readable=False))
def models_check(files: tuple[str, ...]) -> int:
    """Check model files (default: the ones that come with vmfdlint)."""
    from vmfdlint.app.models import models_check

    return give(models_check(files))


@models.command("verify")
@click.option("--kernel", required=True, metavar="DIR", help="The top directory of a Linux source tree.")
def models_verify(kernel: str) -> int:
    """Compare the KVM ioctls that return a descriptor in a Linux source tree with the models.

    Exit codes: 0 as in the models, 1 they differ, 2 no Linux source tree.
    """
    from vmfdlint.app.models import models_verify

    return give(models_verify(kernel))


@models.command("suggest")
@click.argument("paths", nargs=-1, metavar="[PATHS]...", type=click.Path(readable=False))
@selecting
def models_suggest(paths: tuple[str, ...], **given: Any) -> int:
    """Propose rows for unknown functions that are given a KVM descriptor."""
    from vmfdlint import app
    from vmfdlint.app.models import models_suggest

    return give(models_suggest(app.options_for(paths or (".",), given)))
