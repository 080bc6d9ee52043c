"""The cache: the same answers with it, without it, and with whatever is wrong with it."""

import sqlite3
import threading
from contextlib import closing
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


def test_a_header_that_includes_another_is_seen_by_those_who_include_it(tree: Path, run: Run) -> None:
    definition = "#define HOW (O_RDWR | O_NONBLOCK | O_CLOEXEC)"
    (tree / "vm.h").write_text(HEADER.replace(definition, '#include "between.h"'))
    for name, flags in (("far", "O_RDWR | O_NONBLOCK"), ("near", "O_RDWR | O_NONBLOCK | O_CLOEXEC")):
        (tree / f"{name}.h").write_text(f"#define HOW ({flags})\n")
    for name in ("near", "far", "near"):
        (tree / "between.h").write_text(f'#include "{name}.h"\n')
        assert ("VMFD301" in same(run)) == (name == "far")
        assert ("VMFD301" in same(run)) == (name == "far")


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
        OTHER + "/* the end */\n",
        OTHER.replace("number / 2", "number / 3"),
        OTHER + "static int unheard_of(void) { return 7; }\n",
        OTHER + "static int unheard_of(void) { return O_RDWR; }\n",
        OTHER.replace('#include "vm.h"', '#include <grp.h>\n#include "vm.h"'),
    ],
    ids=["lines", "end", "body", "function", "name of others", "header of others"],
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


@pytest.mark.parametrize(("header", "times"), [("near.h", 1), ("far.h", 2)])
def test_an_include_costs_no_analysis_where_the_file_saw_the_header_before(
    tree: Path, run: Run, analyses: list[int], header: str, times: int
) -> None:
    (tree / "near.h").write_text("int near(void);\n")
    (tree / "far.h").write_text("int far(void);\n")
    (tree / "vm.h").write_text('#include "near.h"\n' + HEADER)
    (tree / "other.c").write_text(OTHER)
    first = text_of(run)
    (tree / "other.c").write_text(f'#include "{header}"\n' + OTHER)
    assert text_of(run) == first
    assert len(analyses) == times
    assert same(run) == first


def test_a_file_that_includes_what_another_defines_for_itself_is_analysed(
    tree: Path, run: Run, analyses: list[int]
) -> None:
    """A header's own variable counts in the files that include it directly."""
    (tree / "near.h").write_text("static int near_fd;\n")
    (tree / "vm.h").write_text('#include "near.h"\n' + HEADER)
    (tree / "other.c").write_text(OTHER.replace("half(vm)", "half(near_fd)"))
    text_of(run)
    (tree / "other.c").write_text('#include "near.h"\n' + OTHER.replace("half(vm)", "half(near_fd)"))
    same(run)
    assert analyses == [5, 5, 5]


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


FIRST, LAST = "int main(void)", "/* the end */\n"


@pytest.mark.parametrize(
    "after",
    [
        "/* one more line */\n" + FORKS,
        FORKS.replace(FIRST, "\n\n\n" + FIRST),
        FORKS.replace("    wait_for", "    /* the VM is there */\n\n    wait_for"),
        FORKS + LAST,
        FORKS + "static int unheard_of(void) { return 7; }\n",
    ],
    ids=["above", "between", "within", "below", "function"],
)
def test_lines_that_move_in_a_file_with_findings_cost_no_analysis(
    tree: Path, run: Run, analyses: list[int], after: str
) -> None:
    first = text_of(run)
    assert "VMFD104" in first and len(analyses) == 1
    for text in (after, "\n" + after, after):
        (tree / "main.c").write_text(text)
        found = text_of(run)
        assert len(analyses) == 1, "nothing but lines is different"
        assert found == text_of(run, "--no-cache"), "places are told as they were"
        del analyses[1:]


def test_functions_that_change_their_order_in_a_file_with_findings_are_analysed(
    tree: Path, run: Run, analyses: list[int]
) -> None:
    """Of several places the first is told, and which one that is has changed."""
    one, other = (FORKS.replace(FIRST, f"int {name}(void)") for name in ("first", "second"))
    other = other[other.index("int second") :]
    (tree / "main.c").write_text(one + other)
    text_of(run)
    start = one.index("int first")
    (tree / "main.c").write_text(one[:start] + other + one[start:])
    text_of(run)
    assert len(analyses) == 2
    same(run)


def test_a_file_that_comes_and_one_that_goes_are_seen(tree: Path, run: Run) -> None:
    same(run)
    (tree / "more.c").write_text(FORKS.replace("int main", "int more"))
    assert "more.c" in same(run)
    (tree / "wait.c").write_text("int wait_for(int vm) { return close(vm); }\n")
    same(run)
    (tree / "more.c").unlink()
    assert "more.c" not in same(run)
    (tree / "wait.c").unlink()
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
    store.put({b"k" * 16: b"a value"})
    assert store.get([b"k" * 16]) == {b"k" * 16: b"a value"}
    store.close()
    with sqlite3.connect(tmp_path / "c" / "cache.sqlite") as other:
        (value,) = other.execute("SELECT value FROM rows").fetchone()
        other.execute("UPDATE rows SET value = ?", (value[:-1] + b"!",))
    other.close()
    store = open_store(tmp_path / "c")
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
    assert ".vmfdlint_cache for the next run: " in run("check", "-v", ".").err
    assert "nothing is kept" not in run("check", ".").err, "what costs time alone is told to those who ask"


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
    threads = [threading.Thread(target=store.put, args=(rows,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.get(rows) == rows for store in stores)


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
    store.put({old: b"old", used: b"used"})
    store.close()
    monkeypatch.setattr("vmfdlint.cache.store.time", lambda: 86_400.0 * 400)
    store = open_store(tmp_path / "c")
    store.get([used])
    store.close()
    store = open_store(tmp_path / "c")
    assert store.get([old, used]) == {used: b"used"}


def test_what_a_row_cannot_hold_is_not_kept() -> None:
    coding = cache.Coding(int)
    assert coding.decode(coding.encode(7)) == 7
    assert coding.encode(1 << 70) is None
    assert coding.decode(b"\xc1") is None
    assert coding.decode(None) is None


def edited(tree: Path, run: Run, **texts: str) -> str:
    """What is found once files have other texts; see :func:`same`. ``main_c`` stands for main.c."""
    for name, text in texts.items():
        (tree / name.replace("_", ".")).write_text(text)
    return same(run)


def test_a_function_that_begins_to_count_is_seen(tree: Path, run: Run) -> None:
    body = "    int vm = make_vm();\n    close(vm);\n    CLOSE\n"
    twice = f'#include "vm.h"\n#if 0\nvoid twice(void)\n{{\n{body}}}\n#endif\n'
    for text, found in (("close(vm);", True), ("vm--;", False)):
        away = twice.replace("CLOSE", text)
        assert "VMFD503" not in edited(tree, run, main_c=CLEAN, other_c=away)
        assert ("VMFD503" in edited(tree, run, other_c=away.replace("#if 0", "#if 1"))) is found


def test_which_of_two_definitions_counts_is_seen(tree: Path, run: Run) -> None:
    main = CLEAN.replace('execlp("viewer", "viewer", (char *)0);', "ioctl(vm, KVM_CREATE_VCPU, 0);")
    for text, found in (("close(vm);", True), ("vm--;", False)):
        either = (
            f"#ifdef WAITS\nvoid wait_for(int vm)\n{{\n    {text} /* the longer one counts */\n}}\n"
            "#else\nvoid wait_for(int vm)\n{\n    vm--;LONG\n}\n#endif\n"
        )
        longer = either.replace("LONG", f" /* {'-' * 60} */")
        assert "VMFD504" not in edited(tree, run, main_c=main, other_c=longer)
        assert ("VMFD504" in edited(tree, run, other_c=either.replace("LONG", ""))) is found


def test_a_function_that_no_row_can_hold_is_seen(tree: Path, run: Run) -> None:
    wait = f"void wait_for(int vm)\n{{\n    long big = {'9' * 30};\n    BODY\n}}\n"
    wait += "int more(void)\n{\n    close(3);\n}\n"
    assert "VMFD503" not in edited(tree, run, main_c=CLEAN, wait_c=wait.replace("BODY", ""))
    assert "VMFD503" in edited(tree, run, wait_c=wait.replace("BODY", "close(vm), close(vm);"))
    assert "VMFD503" not in edited(tree, run, wait_c=wait.replace("BODY", "close(4), close(5);"))


def test_two_files_that_change_places_are_seen(tree: Path, run: Run) -> None:
    places = tree / "near" / "how.c", tree / "far" / "how.c"
    for place in places:
        place.parent.mkdir()
    (tree / "near" / "vm.c").write_text(MAKES)
    (tree / "vm.c").unlink()
    (tree / "vm.h").write_text("int make_vm(void);\n")
    safe, unsafe = ("enum { HOW = 02000002 };\n", "enum { HOW = 2 };\n")
    for texts, found in (((safe, unsafe), False), ((unsafe, safe), True), ((safe, unsafe), False)):
        for place, text in zip(places, texts, strict=True):
            place.write_text(text)
        assert ("VMFD301" in same(run)) is found


SAFE, UNSAFE = "#define HOW (O_RDWR | O_CLOEXEC)\n", "#define HOW (O_RDWR | O_NONBLOCK)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"int a;\n{SAFE}#define X\n{UNSAFE}", f"int a;/*\n{SAFE}#define X */\n{UNSAFE}"),
        (f"#if 0\nint a;\n#endif\n{SAFE}#define X\n{UNSAFE}", f"int a;\n#if 0\n{SAFE}#endif\n{UNSAFE}"),
        (f"#if 0 || \\\n1\n{SAFE}#endif\n{UNSAFE}", f"#if 0 || \\\n0\n{SAFE}#endif\n{UNSAFE}"),
        ("enum { A = 02000000 };\nenum { HOW = A | 2 };\n", "enum { A = 0 };\nenum { HOW = A | 2 };\n"),
    ],
    ids=["comment", "branch", "condition", "enum"],
)
def test_what_says_no_name_and_decides_what_it_means_is_seen(
    tree: Path, run: Run, before: str, after: str
) -> None:
    assert "VMFD301" not in edited(tree, run, vm_h=before)
    assert "VMFD301" in edited(tree, run, vm_h=after)
    assert "VMFD301" not in edited(tree, run, vm_h=before + "int more;\n")


def test_a_row_that_is_gone_costs_time_alone(tree: Path, run: Run) -> None:
    """Any one of them, before an edit that is seen and before one that means nothing."""
    quiet = "void wait_for(int vm)\n{\n    close(4), close(5);\n}\n"
    edits = (quiet.replace("4", "vm").replace("5", "vm"), f"{quiet}\n")
    place = tree / ".vmfdlint_cache" / "cache.sqlite"

    def rows(statement: str) -> list[tuple[bytes, bytes, int]]:
        with closing(sqlite3.connect(place)) as other, other:
            return other.execute(statement).fetchall()

    edited(tree, run, main_c=CLEAN, wait_c=quiet)
    answers = []
    for edit in edits:
        (tree / "wait.c").write_text(edit)
        answers.append(text_of(run, "--no-cache"))
    assert ["VMFD503" in answer for answer in answers] == [True, False]
    saved = rows("SELECT key, value, day FROM rows")
    for number in range(len(saved)):
        for edit, answer in zip(edits, answers, strict=True):
            rows("DELETE FROM rows")
            with closing(sqlite3.connect(place)) as other, other:
                left = saved[:number] + saved[number + 1 :]
                other.executemany("INSERT INTO rows VALUES (?, ?, ?)", left)
            (tree / "wait.c").write_text(edit)
            assert text_of(run) == answer


def test_models_that_change_in_a_directory_are_seen(tree: Path, run: Run) -> None:
    models = tree / "models"
    models.mkdir()
    row = '[[api]]\nname = "wait_for"\nheader = "wait.h"\nkind = "neutral"\n'
    for name, text in (("a.toml", ""), ("a.toml", row), ("b.toml", "no TOML")):
        (models / name).write_text(text)
        assert text_of(run, "--models", "models") == text_of(run, "--models", "models", "--no-cache")


def test_a_failure_is_not_kept(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("vmfdlint.frontends.c.scan", fails)
        assert "MemoryError" in text_of(run, "-j", "1")
    assert "VMFD104" in same(run)


def test_what_is_nested_too_deep_is_so_for_every_run(tree: Path, run: Run) -> None:
    def says(depth: int) -> bool:
        (tree / "main.c").write_text(FORKS.replace("(vm)", f"({'-( ' * depth}vm{' )' * depth})"))
        return "nested too deep" in text_of(run, "--no-cache")

    def deeper(frames: int, depth: int) -> bool:
        return deeper(frames - 1, depth) if frames else says(depth)

    low, high = 50, 1000
    assert not says(low)
    assert says(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if says(middle) else (middle, high)
    assert not deeper(40, low)
    assert "nested too deep" not in same(run)
    assert deeper(40, high)
    assert "nested too deep" in same(run)
    assert "main is nested too deep to be read" in run("check").err
