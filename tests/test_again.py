"""What an analysis takes over from the one before: what the files that are the same answered then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vmfdlint.base import SourceText
from vmfdlint.cache import Store, open_store
from vmfdlint.engine import Again, Target, solve
from vmfdlint.link import ANSWERED_ALONE
from vmfdlint.models import default_models
from vmfdlint.run import Workers

WORKERS = Workers(1)

MAIN = """
#include "vm.h"
int main(void)
{
    int vm = make_vm();
    return wait_for(vm);
}
"""
HEADER = "int make_vm(void);\n#define HOW O_RDWR\n"
MAKES = """
#include "vm.h"
int make_vm(void)
{
    return ioctl(open("/dev/kvm", HOW), KVM_CREATE_VM, 0);
}
"""
FILES = {"main.c": MAIN, "vm.h": HEADER, "vm.c": MAKES}


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "cache")
    yield store
    store.close()


def before(rows: Store, files: dict[str, str], key: bytes = b"") -> Again:
    """The analysis before, beside these files; with a ``key`` they are analysed, and that is kept."""
    sources = tuple(SourceText(path, text.encode()) for path, text in sorted(files.items()))
    again = Again(rows, b"options", sources, default_models(), WORKERS, Target(), lambda _text: None)
    if key:
        again.remember(key, solve(sources, default_models(), WORKERS, rows=rows, before=again))
    return again


def answered(again: Again, path: str) -> set[str]:
    """The questions that a file need not be asked again."""
    return {name for name, _args in again.told.of(path)}


def test_a_body_that_changed_leaves_others_their_answers(rows: Store) -> None:
    before(rows, FILES, b"first")
    again = before(rows, FILES | {"main.c": MAIN.replace("return wait", "fork(); return wait")})
    assert answered(again, "vm.c") - ANSWERED_ALONE, "with those that hang on what others say of names"
    assert again.holds("vm.c"), "and its functions need no comparison"
    assert not answered(again, "main.c") and not again.holds("main.c")


@pytest.mark.parametrize(
    "change",
    [
        {"vm.h": HEADER.replace("O_RDWR", "O_RDONLY")},
        {"main.c": MAIN + "int make_vm(void) { return 3; }\n"},
        {"more.c": "#define HOW O_RDONLY\n"},
        {"main.py": "import os\n"},
    ],
    ids=["macro", "definition", "new file", "another language"],
)
def test_a_file_that_says_something_else_leaves_others_their_own_text(
    rows: Store, change: dict[str, str]
) -> None:
    before(rows, FILES, b"first")
    again = before(rows, FILES | change)
    assert answered(again, "vm.c"), "what hangs on the text alone holds"
    assert answered(again, "vm.c") <= ANSWERED_ALONE
    assert not again.holds("vm.c")


def test_a_file_that_comes_without_a_name_that_counts_leaves_others_their_answers(rows: Store) -> None:
    before(rows, FILES, b"first")
    again = before(rows, FILES | {"more.c": "int unheard_of(void) { return fork(); }\n"})
    assert again.holds("vm.c") and not answered(again, "more.c")


def test_what_was_not_asked_again_is_kept_for_the_next(rows: Store) -> None:
    before(rows, FILES, b"first")
    last = FILES
    for number in range(3):
        last = FILES | {"main.c": MAIN.replace("return wait", f"dup({number}); return wait")}
        before(rows, last, b"%d" % number)
    again = before(rows, last | {"main.c": MAIN})
    assert answered(again, "vm.c") - ANSWERED_ALONE and again.holds("vm.c")
    assert not before(rows, last | {"vm.h": HEADER + "#define dup(fd) fd\n"}).holds("vm.c")


def test_other_options_have_a_record_of_their_own(rows: Store) -> None:
    before(rows, FILES, b"first")
    sources = tuple(SourceText(path, text.encode()) for path, text in FILES.items())
    other = Again(rows, b"others", sources, default_models(), WORKERS, Target(), lambda _text: None)
    assert not answered(other, "vm.c")


APART = """
#include "more.h"
int probe(void)
{
    return ioctl(open("/dev/kvm", MODE), KVM_CREATE_VM, 0);
}
"""
WIDER = FILES | {"apart.c": APART, "more.h": "#define MODE O_RDWR\n"}


def test_a_header_that_includes_another_shakes_only_those_who_see_it(rows: Store) -> None:
    before(rows, WIDER, b"first")
    wider = WIDER | {"vm.h": '#include "more.h"\n' + HEADER}
    again = before(rows, wider)
    assert answered(again, "apart.c") - ANSWERED_ALONE and again.holds("apart.c")
    assert answered(again, "vm.c") and answered(again, "vm.c") <= ANSWERED_ALONE
    assert not again.holds("vm.c")
    before(rows, wider, b"second")
    again = before(rows, wider | {"main.c": MAIN.replace("return wait", "fork(); return wait")})
    assert again.holds("apart.c") and again.holds("vm.c"), "and the next time nobody"
