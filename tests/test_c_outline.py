"""What a file's text shows of its definitions without a parse is what the parse says."""

import re
from pathlib import Path

import pytest

from vmfdlint.base import SourceText
from vmfdlint.frontends.c import open_unit
from vmfdlint.frontends.c.outline import holders, outline
from vmfdlint.link import Lexicon
from vmfdlint.link.occurrences import occurrences

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").rglob("*.[ch]"))

PLAIN = """
static int one(void) { return 1; }
struct kvm *two(struct kvm *kvm, int (*done)(void *), char *names[])
{
}
#if 0
int dead(void) { return 0; }
#endif
/*
int said(void) {
*/
static inline unsigned long
three(const char *format, ...)
{
}
static noreturn void four(void) { for (;;) {} }
int five(void);
"""

LEFT_TO_THE_PARSER = """
HELPER(one)(int x) { }
static UNKNOWN int two(void) { return 0; }
DEFINE(x)
int three(void) { return 0; }
int four(TYPE(int) x) { return 0; }
#ifdef A
int five(int x
#else
int five(long x
#endif
) { return 0; }
"""


def test_plain_definitions() -> None:
    assert outline(PLAIN.encode()) == {
        "one": ("static",),
        "two": (),
        "three": ("inline", "static", "variadic"),
        "four": ("noreturn", "static"),
    }


def test_what_a_macro_may_change_is_left_out() -> None:
    assert outline(LEFT_TO_THE_PARSER.encode()) == {}


def test_the_parser_says_the_same() -> None:
    seen = 0
    for path in FIXTURES:
        source = SourceText(str(path), path.read_bytes())
        first: dict[str, tuple[str, ...]] = {}
        for sketch in open_unit(source, Lexicon({}, {})).sketches:
            first.setdefault(sketch.name, sketch.attributes)
        found = outline(source.data)
        seen += len(found)
        assert {name: first.get(name) for name in found} == found, path
    assert seen > 100


HELD = """
static int one(void) { return 1; }
static void three(void)
{
    struct x { int a; } x = { four };
}
static int table[] = { one, { two } };
core_init(five);
static struct x x = {
    .a = six, /* seven */
};
int late = INIT(eight);
HELPER(y)(void) {
    z = nine;
}
"""


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("return", ("one",)),
        ("two", ()),
        ("four", ("three",)),
        ("five", None),
        ("six", ()),
        ("seven", None),
        ("eight", ()),
        ("nine", None),
    ],
)
def test_who_holds_a_name(name: str, functions: tuple[str, ...] | None) -> None:
    assert holders(HELD.encode(), HELD.index(name)) == functions


def test_the_parser_names_the_same_holders() -> None:
    seen = 0
    for path in FIXTURES:
        source = SourceText(str(path), path.read_bytes())
        sketches = open_unit(source, Lexicon({}, {})).sketches
        for match in re.finditer(rb"(?<!\w)[A-Za-z_]\w*(?=[,;)])", source.data):
            found = holders(source.data, match.start())
            if found is not None:
                seen += 1
                inside = (sketch for sketch in sketches if sketch.start <= match.start() < sketch.end)
                assert found == tuple(sketch.name for sketch in inside), (path, match)
    assert seen > 100


@pytest.mark.parametrize("text", ["", "fd", "fd fd", "fds fd_ _fd 9fd fd", "(fd)+fd;afdfd fd", "ffd"])
@pytest.mark.parametrize("name", ["fd", "f"])
def test_occurrences_are_whole_words(text: str, name: str) -> None:
    data = text.encode()
    pattern = re.compile(rb"(?<![A-Za-z0-9_])" + name.encode() + rb"(?![A-Za-z0-9_])")
    assert list(occurrences(data, name.encode())) == [match.start() for match in pattern.finditer(data)]
    assert list(occurrences(data, b"")) == []
