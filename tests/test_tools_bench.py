"""The benchmark: whose turn it is, what is read, how memory is counted. No times are judged."""

import os
import sys
from pathlib import Path

from tools.bench import CANDIDATES, CHECK, PARSE, SCAN, Bench, Runs, document, rounds, sources, text
from tools.checked import environment
from tools.memory import measure, resident
from tools.trees import Reading, Sheet, Tree

BENCH = Bench(
    tree="tiny",
    files=2,
    bytes=3_000_000,
    findings=1,
    cpus=2,
    jobs=0,
    load=(0.5, 1.0),
    runs={
        CHECK: Runs((4.0, 9.0, 6.0), (10, 30, 20)),
        PARSE: Runs((2.0, 2.0, 3.0), (5, 5, 5)),
        SCAN: Runs((1.0, 1.5, 2.0), (4, 4, 4)),
    },
)


def test_candidates_take_turns_and_each_begins_once() -> None:
    order = list(rounds(3))
    turns = [order[start : start + 3] for start in (0, 3, 6)]
    assert all(sorted(turn) == sorted(CANDIDATES) for turn in turns)
    assert sorted(turn[0] for turn in turns) == sorted(CANDIDATES)


def test_the_median_counts_and_the_highest_peak() -> None:
    assert (BENCH.ratio(PARSE), BENCH.ratio(SCAN), BENCH.runs[CHECK].peak) == (3.0, 4.0, 30)
    (tree,) = document([BENCH])["trees"]
    assert tree["ratios"] == {PARSE: 3.0, SCAN: 4.0}
    assert "check takes 3.00 times as long" in text(BENCH)


def test_the_yardsticks_read_what_the_sheet_says(tmp_path: Path) -> None:
    (tmp_path / "roms").mkdir()
    for name in ("a.c", "b.h", "c.txt", "roms/d.c"):
        (tmp_path / name).write_text("int f(void);\n")
    tree = Tree("tiny", tmp_path, tmp_path / "tiny.toml", Sheet(read=Reading(exclude=("/roms",))))
    names, size = sources(tree)
    assert [Path(name).name for name in names] == ["a.c", "b.h"] and size == 26
    listing = b"".join(os.fsencode(name) + b"\0" for name in names)
    for kind in (PARSE, SCAN):
        ran = measure([sys.executable, "-P", "-m", "tools.yardstick", kind], tmp_path, environment(), listing)
        assert (ran.exit_code, ran.output.split()) == (0, [b"2", b"26"]), ran.errors


def test_memory_counts_children_too(tmp_path: Path) -> None:
    holding = "import time; data = bytearray(60_000_000); time.sleep(0.3)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holding!r}])"
    ran = measure([sys.executable, "-c", program], tmp_path, os.environ)
    assert ran.exit_code == 0 and ran.peak_bytes > 60_000_000


def test_memory_of_a_session_that_is_over_is_nothing(tmp_path: Path) -> None:
    assert resident(os.getsid(0)) > 0
    assert resident(-1) == 0
