"""Where the rule data lies: inside the installed package, or beside it in the repository."""

from importlib import resources
from pathlib import Path


def rules_directory() -> Path:
    """Nothing in -> the directory that holds ``models/`` and the rule families.

    A wheel carries the data as ``vmfdlint/_rules`` (pyproject.toml, force-include); a checkout has it as
    ``rules`` next to the package. Raises FileNotFoundError where neither is there: a broken installation.
    """
    package = Path(str(resources.files("vmfdlint")))
    for candidate in (package / "_rules", package.parent / "rules"):
        if (candidate / "models").is_dir():
            return candidate
    raise FileNotFoundError(f"no rules/models near {package}: the installation of vmfdlint is incomplete")
