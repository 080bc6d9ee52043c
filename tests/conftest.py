"""``pytest --bless`` and the ``golden`` fixture: results compared with files that are part of the review.

``pytest --truth=FILE`` holds fixtures/truth.toml against the measurements (test_truth.py).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run

Golden = Callable[[Path, str], None]

# What is tested is what is found now; the tests of the cache name a directory of their own.
os.environ["VMFDLINT_NO_CACHE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the goldens")
    parser.addoption(
        "--truth", metavar="FILE", help="what was measured of the kernel, for fixtures/truth.toml"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """``golden(path, text)``: fails where ``text`` differs from the file; with --bless writes it."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"no golden {path.name}: write it with pytest --bless and read it"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: pytest --bless if it should"

    return compare


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs command lines of vmfdlint in this process."""
    return Run(capsysbinary)
