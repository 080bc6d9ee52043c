"""Lowering of C: goldens under lower/c, and that damage never raises and never gives an ill-formed
function."""

import random
from pathlib import Path

import pytest
from c_index import MemoryIndex
from conftest import Golden

from vmfdlint.base import SourceText
from vmfdlint.frontends.c import open_unit
from vmfdlint.ir import Function, parse_function, print_function, validate

FOLDER = Path(__file__).parent / "lower" / "c"
SOURCES = sorted(FOLDER.glob("*.c"))
HEADERS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.h")}


def lowered(name: str, text: str) -> list[Function]:
    """Every function of a file and its file level."""
    index = MemoryIndex({name: text, **HEADERS})
    unit = open_unit(SourceText(name, text.encode()), index)
    return [*(unit.lower(sketch) for sketch in unit.sketches), unit.toplevel()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_golden(path: Path, golden: Golden) -> None:
    functions = lowered(path.name, path.read_text(encoding="utf-8"))
    for function in functions:
        assert validate(function) == ()
        assert parse_function(print_function(function)) == function
    golden(path.with_suffix(".ir"), "\n".join(print_function(function) for function in functions))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_damage_is_survived(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rng = random.Random(path.stem)
    for _ in range(12):
        start = rng.randrange(len(text))
        end = min(len(text), start + rng.choice((1, 3, 20, 200)))
        for damaged in (text[:start], text[:start] + text[end:], text[:start] + "(" + text[start:]):
            for function in lowered(path.name, damaged):
                assert validate(function) == (), damaged


def test_lowering_is_repeatable() -> None:
    text = (FOLDER / "macros.c").read_text(encoding="utf-8")
    assert lowered("macros.c", text) == lowered("macros.c", text)


def test_deep_nesting_gives_names() -> None:
    text = "int f(int x) { return " + "(x + " * 3000 + "open(0)" + ")" * 3000 + "; }"
    function = lowered("deep.c", text)[0]
    assert validate(function) == ()


def test_macros_that_name_each_other_end() -> None:
    text = "#define A B\n#define B A\n#define F(x) G(x)\n#define G(x) F(x)\n"
    text += "int f(int y) { return A(y) + F(y) + A; }\n"
    function = lowered("ring.c", text)[0]
    assert validate(function) == ()
    assert "call A(y)" in print_function(function)


def test_a_library_function_is_not_another_file_s_macro_or_variable() -> None:
    files = {"other.c": "#define free(a) other_free(a)\nint read;\n", "win.h": "#define socket win_socket\n"}
    index = MemoryIndex({"a.c": "void f(int fd) { free(0); read(fd); socket(1); }", **files})
    unit = open_unit(index.source("a.c"), index)
    text = print_function(unit.lower(unit.sketches[0]))
    assert all(f"call {name}(" in text for name in ("free", "read", "socket"))
