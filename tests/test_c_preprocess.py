"""Macros: reading #define lines and putting arguments in."""

import pytest

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.preprocess import Macro, expand, macros_in, split_arguments


def macro(text: str) -> Macro:
    (found,) = (each for group in macros_in(SourceText("a.c", text.encode())).values() for each in group)
    return found


def test_reading() -> None:
    object_like = macro('#define DEV  "/dev/kvm  //x" /* comment */ // more\n')
    assert (object_like.name, object_like.params, object_like.body) == ("DEV", None, '"/dev/kvm  //x"')
    function_like = macro("  # define F(a, b) \\\n   ((a) + \\\r\n  (b))\n")
    assert (function_like.params, function_like.body) == (("a", "b"), "((a) + (b))")
    assert (function_like.at.line, function_like.at.col, function_like.at.end_line) == (1, 3, 3)
    assert macro("#define P (x)\n").params is None and macro("#define P(x)\n").body == ""
    assert macro("#define V(fmt, ...) g(fmt, __VA_ARGS__)\n").params == ("fmt", "__VA_ARGS__")
    assert macro("#define V(fmt, rest...) g(fmt, rest)\n").variadic and not function_like.variadic


def test_dead_definitions_are_left_out() -> None:
    text = "#ifdef _WIN32\n#define A 1\n#else\n#define A 2\n#endif\n"
    text += "#ifdef X\n#define A 3\n#endif\n/*\n#define A 4\n*/\n"
    assert [each.body for each in macros_in(SourceText("a.c", text.encode()))["A"]] == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "args", "result"),
    [
        ("#define F(a, b) ((a) + b)\n", ["x y", "2"], "((x y) + 2)"),
        ("#define F(a) #a\n", ['s->"q"'], '"s->\\"q\\""'),
        ("#define F(a) a##_init(__##a)\n", ["kvm"], "kvm_init(__kvm)"),
        ("#define F(a) a ## 1\n", ["x"], "x1"),
        ("#define F(fmt, ...) g(fmt, ##__VA_ARGS__)\n", ["a"], "g(a)"),
        ("#define F(fmt, ...) g(fmt, ##__VA_ARGS__)\n", ["a", "b", "c"], "g(a,b, c)"),
        ("#define F(fmt, x...) g(fmt, x)\n", ["a", "b", "c"], "g(a, b, c)"),
        ("#define F(fmt, ...) g(fmt __VA_OPT__(,) __VA_ARGS__)\n", ["a"], "g(a  )"),
        ("#define F(a) g(\"a\", 'a', ab)\n", ["x"], "g(\"a\", 'a', ab)"),
        ("#define F(a) b\n", ["x", "y"], "b"),
        ("#define F(a, b) a b\n", ["x"], "x "),
        ("#define F g\n", [], "g"),
        ("#define F() g()\n", [], "g()"),
    ],
)
def test_expansion(text: str, args: list[str], result: str) -> None:
    assert expand(macro(text), args) == result


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" a ", ["a"]),
        ("a, b", ["a", "b"]),
        ("f(a, b), {1, 2}[x, y]", ["f(a, b)", "{1, 2}[x, y]"]),
        ("\"a, b\", ',', c", ['"a, b"', "','", "c"]),
        ("a,", ["a", ""]),
        ('"open, ', ['"open,']),
    ],
)
def test_split_arguments(text: str, pieces: list[str]) -> None:
    assert split_arguments(text) == pieces
