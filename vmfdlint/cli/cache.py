"""``clean``: the cache goes."""

import click


@click.command()
@click.option("--cache-dir", metavar="DIR", type=click.Path(file_okay=False), envvar="VMFDLINT_CACHE_DIR",
              help="Which one (default: that of a check in the current directory).")  # fmt: skip
def clean(cache_dir: str | None) -> int:
    """Remove the cache of the current directory, or of its configuration file."""
    from vmfdlint import app
    from vmfdlint.cli.output import give

    return give(app.clean(app.options_for((".",), {"cache_dir": cache_dir})))
