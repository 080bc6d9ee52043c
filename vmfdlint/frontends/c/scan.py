"""The lexical pass over one file. In: bytes. Out: a Scan. Uses regular expressions alone, and never fails."""

from vmfdlint.frontends.contract import Scan


def scan(data: bytes) -> Scan:
    """Names in a file and their roles, guessed without a parse. Pure and picklable; accepts any bytes."""
    raise NotImplementedError
