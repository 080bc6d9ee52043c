"""Command lines of vmfdlint, run in this process."""

from typing import NamedTuple

import pytest

from vmfdlint import cli


class Result(NamedTuple):
    code: int
    out: str
    err: str


class Run:
    """Runs command lines; ``capture`` is a capsysbinary."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self.capture = capture

    def __call__(self, *arguments: str) -> Result:
        code = cli.run(arguments)
        out, err = self.capture.readouterr()
        return Result(code, out.decode(), err.decode())
