"""What is read, in which order, and what is said about the rest."""

import os
from pathlib import Path

import pytest

from vmfdlint.base import LIMITS, ProblemKind, SourceText, interpreter
from vmfdlint.discover import (
    C_SUFFIXES,
    PYTHON_INTERPRETERS,
    PYTHON_SUFFIXES,
    Discovery,
    Search,
    discover,
)
from vmfdlint.frontends import languages
from vmfdlint.frontends.languages import language_of


def tree(root: Path, *names: str) -> Path:
    """Files with their own name as text; a name with ``=`` gives the text."""
    for name in names:
        path, _, text = name.partition("=")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text or path)
    return root


def names(found: Discovery) -> list[str]:
    return [source.path for source in found.files]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_directory_in_a_fixed_order(here: Path) -> None:
    tree(here, "b.c", "a/z.h", "a/b/c.c", "A.C", "x.rs", "Makefile", ".hidden.c", ".git/x.c", "a.c")
    found = discover(["."])
    assert names(found) == ["A.C", "a.c", "a/b/c.c", "a/z.h", "b.c"]
    assert found.root == here and not found.problems
    assert found.files[1].data == b"a.c"
    assert names(discover(["b.c", "a", "a/b", "./a.c", "A.C"])) == names(found)


def test_paths_outside_the_current_directory(here: Path) -> None:
    tree(here, "work/x.c", "vmm/a.c", "vmm/sub/b.c")
    os.chdir(here / "work")
    assert discover([str(here / "vmm")]).root == here / "vmm"
    assert names(discover(["../vmm"])) == ["a.c", "sub/b.c"]
    assert names(discover(["../vmm/sub/b.c"])) == ["b.c"]
    found = discover([".", "../vmm"])
    assert found.root == here and names(found) == ["vmm/a.c", "vmm/sub/b.c", "work/x.c"]


def test_gitignore(here: Path) -> None:
    tree(
        here,
        ".gitignore=build/\n*.gen.c\n/top.c\n# comment\n!keep.gen.c\n",
        "build/x.c",
        "a.gen.c",
        "keep.gen.c",
        "top.c",
        "sub/top.c",
        "sub/.gitignore=/*.h\n!/yes.h\n",
        "sub/no.h",
        "sub/yes.h",
        "sub/deep/other.h",
        "sub/build/y.c",
    )
    found = discover(["."])
    assert names(found) == ["keep.gen.c", "sub/deep/other.h", "sub/top.c", "sub/yes.h"]
    assert found.left_out == 5
    everything = discover(["."], Search(respect_gitignore=False))
    assert len(everything.files) == 9 and everything.left_out == 0


def test_gitignore_above_holds_inside_a_checkout_only(here: Path) -> None:
    tree(here, ".gitignore=*.gen.c\nbuild/\n", "sub/a.c", "sub/b.gen.c", "build/c.c")
    assert names(discover(["sub"])) == ["sub/a.c", "sub/b.gen.c"]
    (here / ".git").mkdir()
    assert names(discover(["sub"])) == ["sub/a.c"]
    # Whoever names a directory that is left out wants it.
    assert names(discover(["build"])) == ["build/c.c"]


def test_exclude(here: Path) -> None:
    tree(here, "a.c", "roms/b.c", "sub/roms/c.c", "sub/d.c")
    assert names(discover(["."], Search(exclude=("roms/",)))) == ["a.c", "sub/d.c"]
    assert names(discover(["."], Search(exclude=("/roms",)))) == ["a.c", "sub/d.c", "sub/roms/c.c"]
    os.chdir(here / "sub")
    assert names(discover(["../roms", "../a.c"], Search(exclude=("/roms",)))) == ["a.c"]
    assert names(discover([".."], Search(exclude=("/roms",)))) == ["a.c", "sub/d.c", "sub/roms/c.c"]
    os.chdir(here)
    below = Search(exclude=("/roms",), exclude_base=str(here / "sub"))
    assert names(discover(["."], below)) == ["a.c", "roms/b.c", "sub/d.c"]


def test_a_named_file_is_taken(here: Path) -> None:
    tree(here, ".gitignore=a.c", "a.c", "odd.inc", "roms/b.c")
    search = Search(exclude=("roms/", "odd.inc"))
    assert names(discover(["a.c", "odd.inc", "roms/b.c"], search)) == ["a.c", "odd.inc", "roms/b.c"]
    forced = Search(exclude=("roms/", "odd.inc"), force_exclude=True)
    assert names(discover(["a.c", "odd.inc", "roms/b.c", "roms"], forced)) == []


def test_links(here: Path) -> None:
    tree(here, "real/a.c", "outside.txt")
    (here / "real" / "loop").symlink_to(here / "real", target_is_directory=True)
    (here / "real" / "same.c").symlink_to("a.c")
    (here / "real" / "gone.c").symlink_to("nowhere")
    (here / "real" / "only.c").symlink_to(here / "outside.txt")
    found = discover(["real"])
    assert names(found) == ["real/a.c", "real/only.c"] and not found.problems
    assert names(discover(["real/loop"])) == ["real/loop/a.c", "real/loop/only.c"]


def test_cpp_files_are_counted(here: Path) -> None:
    tree(here, "a.c", "b.cc", "c.cpp", "sub/d.cxx", "e.hh", "f.hpp", ".gitignore=c.cpp")
    found = discover([".", "b.cc"])
    assert names(found) == ["a.c"] and found.cpp_files == 4


def test_what_cannot_be_read_is_a_problem_with_its_name(here: Path) -> None:
    tree(here, "good.c", "late.c=" + " " * 9000 + "\0", "latin.c")
    (here / "binary.c").write_bytes(b"\x7fELF\0\0\0")
    (here / "latin.c").write_bytes(b"/* gr\xf6\xdfer */")
    (here / "empty.c").touch()
    os.mkfifo(here / "pipe.c")
    with (here / "huge.c").open("wb") as stream:
        stream.truncate(LIMITS.file_bytes + 1)
    found = discover([".", "missing.c", "pipe.c", "good.c/below"])
    assert names(found) == ["empty.c", "good.c", "late.c", "latin.c"]
    told = {problem.path: problem.text for problem in found.problems}
    assert sorted(told) == ["binary.c", "good.c/below", "huge.c", "missing.c", "pipe.c"]
    assert "NUL" in told["binary.c"] and "--exclude" in told["huge.c"]
    assert "does not exist" in told["missing.c"] and "regular file" in told["pipe.c"]
    assert {problem.kind for problem in found.problems} == {ProblemKind.IO}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(here: Path) -> None:
    tree(here, "good.c", "secret.c", "closed/x.c")
    (here / "secret.c").chmod(0)
    (here / "closed").chmod(0)
    found = discover(["."])
    (here / "closed").chmod(0o700)
    assert names(found) == ["good.c"]
    assert [problem.path for problem in found.problems] == ["closed", "secret.c"]


def test_a_file_that_cannot_be_opened(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(here, "good.c", "secret.c")

    def refuse(path: str, *rest: object, **more: object) -> object:
        if path.endswith("secret.c"):
            raise PermissionError(13, "Permission denied")
        return open(path, "rb", buffering=0)  # noqa: PTH123

    monkeypatch.setattr("vmfdlint.discover.files.open", refuse, raising=False)
    found = discover(["."])
    assert names(found) == ["good.c"]
    assert "Permission denied" in found.problems[0].text and found.problems[0].path == "secret.c"


def test_names_that_are_not_utf8_or_have_spaces(here: Path) -> None:
    tree(here, "two words.c", "größe.c")
    try:
        Path(os.fsdecode(b"bad\xff.c")).write_text("x")
    except OSError:
        return  # a file system that takes UTF-8 names only
    found = discover(["."])
    assert names(found) == ["bad\\xff.c", "größe.c", "two words.c"]


def test_a_bad_exclude_pattern(here: Path) -> None:
    found = discover(["."], Search(exclude=("!",)))
    assert [problem.kind for problem in found.problems] == [ProblemKind.CONFIG]
    assert "--exclude" in found.problems[0].text


def test_nested_deeper_than_the_stack(here: Path) -> None:
    path = here
    for _ in range(400):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "x.c").write_text("x")
    assert len(discover(["."]).files) == 1


def test_python_by_suffix_and_by_the_first_line(here: Path) -> None:
    script = "#!/usr/bin/env python3\n"
    tree(here, "a.c", "b.py", "c.pyi", "D.PYW", f"e={script}", f"f.in={script}", "g=#!/bin/sh\n", "h")
    tree(here, "tools/.gitignore=left\n", f"tools/left={script}", f"tools/kept={script}", f".hidden={script}")
    (here / "binary").write_bytes(b"\x7fELF\0")
    (here / "empty").touch()
    (here / "short").write_text("#!")
    (here / "link").symlink_to("e")
    (here / "loose").symlink_to("nowhere")
    os.mkfifo(here / "pipe")
    found = discover(["."])
    assert names(found) == ["D.PYW", "a.c", "b.py", "c.pyi", "e", "tools/kept"]
    assert not found.problems and not found.left_out
    assert names(discover(["."], Search(interpreters=()))) == ["D.PYW", "a.c", "b.py", "c.pyi"]
    assert names(discover(["."], Search(suffixes=(".c",), interpreters=("sh",)))) == ["a.c", "g"]
    assert names(discover(["f.in", "h", "tools/left"])) == ["f.in", "h", "tools/left"]


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("#!/usr/bin/python\n", "python"),
        ("#!/usr/bin/env python3\r\n", "python"),
        ("#!/usr/bin/python2.7 -u\n", "python"),
        ("#! /usr/bin/python3.11", "python"),
        ("#!/usr/bin/env -S python3 -u\n", "python"),
        ("#!/usr/bin/env -S PYTHONPATH=. pypy3\n", "pypy"),
        ("#!/usr/bin/env -S uv run --script\n", "uv"),
        ("#!/usr/libexec/platform-python\n", "platform-python"),
        ("#!/bin/sh -e\npython3 x\n", "sh"),
        ("#!/usr/bin/env\n", ""),
        ("#!\n/usr/bin/python\n", ""),
        ("\ufeff#!/usr/bin/python\n", ""),
        ("# python\n", ""),
        ("", ""),
    ],
)
def test_the_program_in_the_first_line(line: str, program: str) -> None:
    assert interpreter(line.encode()) == program


def test_the_language_of_a_file() -> None:
    script = b"#!/usr/bin/env python3\n"
    told = {
        ("a.py", b""): "python",
        ("a.PYI", b""): "python",
        ("tools/run", script): "python",
        ("run.in", script): "python",
        ("a.c", script): "c",
        ("a.c.inc", b""): "c",
        ("run", b"int main;"): "c",
        ("run", b"#!/bin/sh\n"): "c",
    }
    assert {key: language_of(SourceText(*key)) for key in told} == told


def test_discovery_and_the_front_ends_agree_on_names() -> None:
    assert languages.PYTHON_SUFFIXES == PYTHON_SUFFIXES
    assert languages.PYTHON_INTERPRETERS == PYTHON_INTERPRETERS
    assert {language_of(SourceText("x" + suffix, b"")) for suffix in C_SUFFIXES} == {languages.C}
