"""The cache: the same answers with it, without it, and with whatever is wrong with it."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from vmfdlint import cache
from vmfdlint.base import SourceText
from vmfdlint.cache import Store, open_store
from vmfdlint.engine import Solved, solve

FORKS = """
#include "vm.h"
int main(void)
{
    int vm = make_vm();
    if (fork() == 0)
        pause();
    wait_for(vm);
    execlp("viewer", "viewer", (char *)0);
    return 1;
}
"""
CLEAN = FORKS.replace("    if (fork() == 0)\n        pause();\n", "")
HEADER = """
#include <fcntl.h>
#define HOW (O_RDWR | O_NONBLOCK | O_CLOEXEC)
int make_vm(void);
"""
MAKES = """
#include "vm.h"
static int kvm_fd;
int make_vm(void)
{
    kvm_fd = open("/dev/kvm", HOW);
    return ioctl(kvm_fd, KVM_CREATE_VM, 0);
}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of three files, in a directory that is the current one; the cache is on."""
    root = tmp_path / "tree"
    root.mkdir()
    for name, text in (("main.c", FORKS), ("vm.h", HEADER), ("vm.c", MAKES)):
        (root / name).write_text(text)
    monkeypatch.chdir(root)
    monkeypatch.delenv("VMFDLINT_NO_CACHE")
    return root


def text_of(run: Run, *more: str) -> str:
    return run("check", "--output-format", "json", "-v", *more, ".").out


def same(run: Run) -> str:
    """What is found with the cache, which must be what is found without."""
    found = text_of(run)
    assert found == text_of(run, "--no-cache"), "the cache changed the answer"
    return found


def test_the_second_run_reads_what_the_first_found(
    tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = same(run)
    assert "VMFD104" in first
    monkeypatch.setattr("vmfdlint.app.afresh.solve", None)
    assert text_of(run) == first, "an unchanged tree was analysed again"


def test_a_change_is_seen(tree: Path, run: Run) -> None:
    assert "VMFD104" in same(run)
    (tree / "main.c").write_text(CLEAN)
    assert "VMFD104" not in same(run)
    (tree / "main.c").write_text(FORKS)
    assert "VMFD104" in same(run)


def test_a_change_in_a_header_is_seen_by_those_who_use_it(tree: Path, run: Run) -> None:
    assert "VMFD301" not in same(run)
    (tree / "vm.h").write_text(HEADER.replace(" | O_CLOEXEC", ""))
    assert "VMFD301" in same(run)


def test_a_header_that_comes_nearer_is_seen(tree: Path, run: Run) -> None:
    (tree / "far").mkdir()
    (tree / "far" / "how.h").write_text("#define HOW (O_RDWR | O_NONBLOCK)\n")
    definition = "#define HOW (O_RDWR | O_NONBLOCK | O_CLOEXEC)"
    (tree / "vm.h").write_text(HEADER.replace(definition, '#include "near.h"'))
    assert "VMFD301" in same(run)
    (tree / "near.h").write_text("#define HOW (O_RDWR | O_NONBLOCK | O_CLOEXEC)\n")
    assert "VMFD301" not in same(run)
    (tree / "near.h").unlink()
    assert "VMFD301" in same(run)


def test_a_file_that_moves_or_goes_is_seen(tree: Path, run: Run) -> None:
    same(run)
    (tree / "main.c").rename(tree / "first.c")
    assert '"first.c"' in same(run)
    (tree / "vm.c").unlink()
    assert "VMFD104" not in same(run)


def test_lines_that_move_are_told_as_they_stand(tree: Path, run: Run) -> None:
    before = same(run)
    (tree / "main.c").write_text("/* one more line */\n" + FORKS)
    after = same(run)
    assert before != after


def test_options_that_change_what_is_found_have_rows_of_their_own(tree: Path, run: Run) -> None:
    for more in ((), ("--ignore", "VMFD104"), ("--show-safe",), ("--target-python", "3.14")):
        assert text_of(run, *more) == text_of(run, "--no-cache", *more)


OTHER = """
#include "vm.h"
static int half(int number)
{
    return number / 2;
}
int wait_for(int vm)
{
    return half(vm);
}
"""


@pytest.fixture
def analyses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sources each analysis has that was really made."""
    made: list[int] = []

    def counted(sources: tuple[SourceText, ...], *more: Any) -> Solved:
        made.append(len(sources))
        return solve(sources, *more)

    monkeypatch.setattr("vmfdlint.app.afresh.solve", counted)
    return made


@pytest.mark.parametrize(
    "after",
    [
        "/* more lines */\n\n" + OTHER,
        OTHER.replace("number / 2", "number / 3"),
        OTHER + "static int unheard_of(void) { return 7; }\n",
    ],
    ids=["lines", "body", "function"],
)
def test_a_change_that_says_nothing_new_costs_no_analysis(
    tree: Path, run: Run, analyses: list[int], after: str
) -> None:
    (tree / "other.c").write_text(OTHER)
    first = text_of(run)
    assert len(analyses) == 1
    (tree / "other.c").write_bytes(after.encode())
    assert text_of(run) == first
    assert len(analyses) == 1, "nothing that was asked for is different"
    assert same(run) == first


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("other.c", OTHER.replace("return half(vm);", "for (;;) pause();")),
        ("other.c", OTHER.replace("int wait_for", "int __attribute__((noreturn)) wait_for")),
        ("other.c", OTHER + "int make_vm(void) { return 3; }\n"),
        ("other.c", OTHER + "#define HOW O_RDONLY\n"),
        ("vm.h", HEADER + "#define fork() (-1)\n"),
        ("vm.c", MAKES.replace("HOW", "O_RDWR | O_NONBLOCK")),
        ("main.c", FORKS.replace("fork()", "vfork()")),
    ],
)
def test_a_change_that_says_something_else_is_analysed(
    tree: Path, run: Run, analyses: list[int], name: str, after: str
) -> None:
    (tree / "other.c").write_text(OTHER)
    text_of(run)
    before = (tree / name).read_text()
    (tree / name).write_text(after)
    same(run)
    (tree / name).write_text(before)
    same(run)
    (tree / name).write_text(after)
    same(run)


def test_changes_one_after_the_other_do_not_add_up_to_silence(
    tree: Path, run: Run, analyses: list[int]
) -> None:
    """What one change hides the next may not use: each is held to what was last said."""
    (tree / "other.c").write_text(OTHER)
    text_of(run)
    for lines in range(1, 4):
        (tree / "other.c").write_text("\n" * lines + OTHER)
        same(run)
    (tree / "other.c").write_text("\n" + OTHER.replace("return half(vm);", "for (;;) pause();"))
    same(run)


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_damaged_cache_costs_time_alone(tree: Path, run: Run, size: int) -> None:
    first = same(run)
    place = tree / ".vmfdlint_cache" / "cache.sqlite"
    data = bytearray(place.read_bytes())
    place.write_bytes(bytes(data[:size]) + b"\x5a" * 3000)
    assert same(run) == first


def test_a_changed_byte_in_a_row_is_noticed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "c")
    assert store is not None
    store.put({b"k" * 16: b"a value"})
    assert store.get([b"k" * 16]) == {b"k" * 16: b"a value"}
    store.close()
    with sqlite3.connect(tmp_path / "c" / "cache.sqlite") as other:
        (value,) = other.execute("SELECT value FROM rows").fetchone()
        other.execute("UPDATE rows SET value = ?", (value[:-1] + b"!",))
    other.close()
    store = open_store(tmp_path / "c")
    assert store is not None
    assert store.get([b"k" * 16]) == {}


def test_the_database_of_another_program_is_left_alone(tree: Path, run: Run) -> None:
    place = tree / ".vmfdlint_cache" / "cache.sqlite"
    place.parent.mkdir()
    with sqlite3.connect(place) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = place.read_bytes()
    assert "VMFD104" in same(run)
    assert place.read_bytes() == before


def test_a_place_that_cannot_be_written_is_no_error(tree: Path, run: Run) -> None:
    (tree / ".vmfdlint_cache").write_text("a file in the way")
    assert "VMFD104" in same(run)


def test_a_full_disk_is_no_error(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = same(run)
    run("clean")

    def full(self: Store, rows: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "_written", full)
    assert same(run) == first


def test_runs_at_the_same_time_share_it(tmp_path: Path) -> None:
    stores = [open_store(tmp_path / "c") for _ in range(4)]
    rows = {bytes([number]) * 16: bytes([number]) * 500 for number in range(50)}
    threads = [threading.Thread(target=store.put, args=(rows,)) for store in stores if store is not None]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store is not None and store.get(rows) == rows for store in stores)


def test_clean_removes_it_and_nothing_else(tree: Path, run: Run) -> None:
    same(run)
    assert (tree / ".vmfdlint_cache" / ".gitignore").read_text() == "*\n"
    assert run("clean").code == 0
    assert not (tree / ".vmfdlint_cache").exists()
    assert run("clean").code == 0, "a second time there is nothing to do"
    refused = run("clean", "--cache-dir", str(tree))
    assert refused.code == 2
    assert "not marked as a cache" in refused.err
    assert (tree / "main.c").exists()


def test_rows_that_nobody_reads_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, used = b"o" * 16, b"u" * 16
    monkeypatch.setattr("vmfdlint.cache.store.time", lambda: 0.0)
    store = open_store(tmp_path / "c")
    assert store is not None
    store.put({old: b"old", used: b"used"})
    store.close()
    monkeypatch.setattr("vmfdlint.cache.store.time", lambda: 86_400.0 * 400)
    store = open_store(tmp_path / "c")
    assert store is not None
    store.get([used])
    store.close()
    store = open_store(tmp_path / "c")
    assert store is not None
    assert store.get([old, used]) == {used: b"used"}


def test_what_a_row_cannot_hold_is_not_kept() -> None:
    coding = cache.Coding(int)
    assert coding.decode(coding.encode(7)) == 7
    assert coding.encode(1 << 70) is None
    assert coding.decode(b"\xc1") is None
    assert coding.decode(None) is None
