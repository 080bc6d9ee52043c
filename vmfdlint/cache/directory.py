"""The directory of the cache: what marks it, and how it goes."""

import shutil
from pathlib import Path

_TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
"""The first line by which backup tools know a cache (Cache Directory Tagging Specification)."""


def make(directory: Path) -> None:
    """Creates it, marked as a cache, and left out by git. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    tag = directory / _TAG
    if not tag.exists():
        tag.write_text(f"{_SIGNATURE}\n# Made by vmfdlint; `vmfdlint clean` removes it.\n", encoding="ascii")
        (directory / ".gitignore").write_text("*\n", encoding="ascii")


def clean(directory: Path) -> bool:
    """Removes it with all that is in it; False where it is not there, or is not marked as a cache: then
    nothing is removed. Raises OSError."""
    tag = directory / _TAG
    if not tag.is_file() or not tag.read_bytes().startswith(_SIGNATURE.encode()):
        return False
    shutil.rmtree(directory)
    return True
