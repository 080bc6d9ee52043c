"""What this vmfdlint is: every answer hangs on its code and its rules."""

import hashlib
import platform
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from vmfdlint.base.location import rules_directory

_PARSERS = ("tree_sitter", "tree_sitter_c", "tree_sitter_python", "libcst")


def digest(parts: Iterable[bytes]) -> bytes:
    """16 bytes of BLAKE2b over parts, each with its length before it: no two lists of parts look alike."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


@cache
def identity() -> bytes:
    """A digest of the package's code, its data, the rules, the parsers' versions and the interpreter's.

    Contents and no times: a cache that CI restored beside a fresh installation is as good as before.
    """
    from importlib.metadata import PackageNotFoundError, version

    def versions() -> Iterable[bytes]:
        for name in _PARSERS:
            try:
                yield f"{name} {version(name)}".encode()
            except PackageNotFoundError:
                yield name.encode()

    package = Path(__file__).parents[1]
    rules = rules_directory()
    files = [*package.rglob("*.py"), *package.rglob("*.toml"), *rules.rglob("*.toml"), *rules.rglob("*.json")]
    texts = (part for path in sorted(set(files)) for part in (path.name.encode(), path.read_bytes()))
    python = f"{platform.python_implementation()} {platform.python_version()} {sys.byteorder}".encode()
    return digest((python, *versions(), *texts))
