"""What a check costs: counted on a small tree, and put into the page."""

import shutil
from pathlib import Path

import pytest

from tools import scale
from tools.cli import run
from tools.trees import Unreadable
from vmfdlint.base import SourceText

MINIVMM = Path(__file__).parent.parent / "fixtures" / "programs" / "minivmm"


def test_lines_of_code() -> None:
    c = b"/* one\n * two\n */\n\n#include <a.h>\n  // three\nint x; /* four */\n\t*p = 1;\n"
    # A line that begins with a star is more often a comment than an assignment.
    assert scale.code_lines(SourceText("a.c", c)) == 2
    python = b"#!/usr/bin/python3\n\nx = 1  # one\n    # two\n*y, = z\n"
    assert scale.code_lines(SourceText("a.py", python)) == 2


def test_a_tree_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(MINIVMM, tmp_path / "mini")
    (tmp_path / "mini" / "left-out.c").write_text("int x;\n")
    one = scale.cost(tmp_path / "mini", ["left-out.c"])
    assert one.name == "mini" and one.files == sum(path.suffix in (".c", ".h") for path in MINIVMM.iterdir())
    assert one.bytes == sum(path.stat().st_size for path in MINIVMM.glob("*.[ch]"))
    assert 0 < one.lines < one.bytes and one.functions > 3
    assert 0.1 < one.cpu_seconds < 60 and one.peak_bytes > 10_000_000
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="no sources"):
        scale.cost(tmp_path / "empty", [])
    assert run(["scale", str(tmp_path / "mini")]) == 0
    assert "| mini | " in capsys.readouterr().out


def test_the_table() -> None:
    small = scale.Cost("small", 10, 1_000_000, 40_000, 0, 0.5, 50_000_000)
    large = scale.Cost("large", 90, 9_000_000, 360_000, 500, 13.5, 400_000_000)
    lines = scale.table([small, large], "1.0").splitlines()
    assert lines[2:5] == [
        "| small | 10 | 1.0 | 0 | 0.5 | 0.50 | - | 50 |",
        "| large | 90 | 9.0 | 500 | 13.5 | 1.50 | 27.0 | 400 |",
        "| all | 100 | 10.0 | 500 | 14.0 | 1.40 | 28.0 | 400 |",
    ]
    # 1.34 thousand million lines of 25 bytes: 33,539 MB, half a second each, on 100 workers.
    assert "1,341,564,204 lines, 34 GB, 100 workers" in lines[6]
    assert [line.split("|")[2].strip() for line in lines[8:11]] == ["2.8", "7.8", "8.4"]


def test_the_page_has_a_place_for_it(tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_bytes(scale.PAGE.read_bytes())
    scale.write("| new |\n", page)
    text = page.read_text(encoding="utf-8")
    assert f"\n{scale.BEGIN}\n| new |\n{scale.END}\n" in text
    assert text.startswith("# Many trees") and "sources.debian.org/stats" in text
    page.write_text("nothing")
    with pytest.raises(Unreadable, match="the marks"):
        scale.write("", page)
