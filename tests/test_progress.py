"""What a run says while it works: on a terminal, after a second, and nowhere else."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal import EAGER, RUN, on_a_terminal

from vmfdlint.cli import progress
from vmfdlint.cli.progress import Progress, duration

PROGRAMS = sorted(map(str, Path(__file__).parent.parent.glob("fixtures/programs/evidence/3*")))[:12]
CLEARED = b"\r\x1b[K"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.001)


def test_a_terminal_sees_the_room_the_files_and_the_time() -> None:
    code, said = on_a_terminal("check", *PROGRAMS, "-j", "1")
    assert code == 1
    lines = said.split(CLEARED)
    assert any(re.fullmatch(rb"reading: \d+ of 12 files, \d+ s", line) for line in lines), lines
    assert any(line.startswith(b"following descriptors: ") for line in lines)
    # At the end nothing of it is left.
    assert lines[-1] == b"" and all(b"\n" not in line for line in lines)


@pytest.mark.parametrize("more", [["-q"], ["--quiet", "--output-format", "json"]])
def test_who_wants_quiet_sees_nothing(more: list[str]) -> None:
    assert on_a_terminal("check", *PROGRAMS[:2], "-j", "1", *more) == (1, b"")


def test_a_short_run_says_nothing() -> None:
    code, said = on_a_terminal("check", PROGRAMS[0], "-j", "1", eager=False)
    assert code == 0 and (said == b"" or re.search(rb", [1-9]\d* s", said)), "it spoke too soon"


def test_other_commands_that_take_long(tmp_path: Path) -> None:
    kept = str(tmp_path / "known.json")
    for command in (
        ("baseline", "create", *PROGRAMS, "-o", kept, "-j", "1"),
        ("baseline", "update", *PROGRAMS, "-o", kept, "-j", "1"),
        ("why", f"{PROGRAMS[1]}:10", *PROGRAMS, "-j", "1"),
    ):
        code, said = on_a_terminal(*command)
        assert code == 0 and re.search(rb"reading: \d+ of \d+ files, \d+ s", said), (command, said)


def test_no_terminal_sees_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", EAGER + RUN, "check", *PROGRAMS, "-j", "1"], capture_output=True, check=False
    )
    assert ran.returncode == 1 and ran.stderr == b"" and CLEARED not in ran.stdout


def test_the_time_goes_on_within_a_step(eager: None, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    shown = Progress(True)
    shown._started -= 59.8
    shown("reading")
    time.sleep(0.5)
    shown.clear()
    lines = capsysbinary.readouterr().err.split(CLEARED)
    assert lines[0] == b"" and lines[-2:] == [b"reading, 1 min", b""]
    shown("again" * 100)
    time.sleep(0.1)
    shown.clear()
    # Wrapped it could not be taken away.
    assert capsysbinary.readouterr().err.split(CLEARED)[1] == (b"again" * 100)[:79]


def test_nothing_is_shown_within_a_second(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for shown in (Progress(True), Progress(False)):
        shown("reading")
        time.sleep(0.05)
        shown.clear()
    assert capsysbinary.readouterr().err == b""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.9, "0 s"), (59.9, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (7.2e6, "2,000 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
