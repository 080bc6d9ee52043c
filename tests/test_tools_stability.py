"""Edits that mean nothing mean nothing, and what does not stay known is told."""

import ast
import random
import re
from pathlib import Path

import pytest

from tools.benign import EditedTree
from tools.stability import hold, text
from tools.trees import Unreadable

C = """\
#include "vm.h"

/* Opens
   it. */
static int open_kvm(void)
{
    return open("/dev/kvm", O_RDWR);
}

static int twice(int number)
{
    return number \\
        * 2;
}

int main(void)
{
    return open_kvm();
}
"""
FORKS = """\
int main(void)
{
    int vm = ioctl(open("/dev/kvm", O_RDWR | O_CLOEXEC), KVM_CREATE_VM, 0);

    if (fork() == 0)
        pause();
    pause();
}
"""
PYTHON = '''\
# -*- coding: utf-8 -*-
"""Two
lines."""
import os


def open_kvm():
    if True:
        return os.open("/dev/kvm",
                       os.O_RDWR)


def text():
    return """
  a text that may not change
"""


open_kvm()
'''


def edited(tmp_path: Path, name: str, source: str, kind: str) -> list[str]:
    """What becomes of a file by edits of a kind, from many seeds."""
    found = []
    for seed in range(60):
        root = tmp_path / str(seed)
        root.mkdir()
        (root / name).write_text(source)
        (root / "vm.h").write_text("int x;\n")
        done = EditedTree(root, frozenset({name}), random.Random(seed)).edit()
        if done == f"{kind} {name}":
            found.append((root / name).read_text())
    return found


def c_tokens(source: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", re.sub(r"//[^\n]*|/\*.*?\*/|\\\n", " ", source, flags=re.DOTALL))


@pytest.mark.parametrize("kind", ["blank", "comment", "indent", "move"])
def test_c_stays_what_it_is(tmp_path: Path, kind: str) -> None:
    found = edited(tmp_path, "vm.c", C, kind)
    assert found and all(one != C for one in found)
    for one in found:
        if kind == "move":
            # Nothing is moved past what names it.
            assert one.index("int open_kvm") < one.index("int main")
            assert sorted(c_tokens(one)) == sorted(c_tokens(C))
        else:
            assert c_tokens(one) == c_tokens(C), one


@pytest.mark.parametrize("kind", ["blank", "comment", "indent", "move"])
def test_python_stays_what_it_is(tmp_path: Path, kind: str) -> None:
    found = edited(tmp_path, "vm.py", PYTHON, kind)
    assert found and all(one != PYTHON for one in found)
    for one in found:
        assert one.startswith("# -*- coding")
        statements, before = ast.parse(one).body, ast.parse(PYTHON).body
        if kind == "move":
            before[2], before[3] = before[3], before[2]
        assert [ast.dump(each) for each in statements] == [ast.dump(each) for each in before]


def test_what_others_name_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "all.c").write_text('#include "part.c"\n')
    (tmp_path / "part.c").write_text("int x;\n")
    (tmp_path / "lib.py").write_text("x = 1\n")
    (tmp_path / "run.py").write_text("import lib\n")
    tree = EditedTree(tmp_path, frozenset({"run.py"}), random.Random(1))
    for _ in range(40):
        tree.edit()
    names = {path.name for path in tmp_path.iterdir()}
    assert {"part.c", "lib.py"} <= names and "run.py" not in names
    assert {(tmp_path / name).is_file() for name in tree.wanted} == {True}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("O_RDWR | O_CLOEXEC", "O_RDWR", "1 edits, 1 back, 0 lost"),
        ("fork()", "0", "1 edits, 0 back, 1 lost"),
        ("fork()", "fork() ", "all stay known"),
    ],
)
def test_what_does_not_stay_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, told: str
) -> None:
    (tmp_path / "vm.c").write_text(FORKS)

    def edit(tree: EditedTree) -> str:
        path = tree.root / "vm.c"
        path.write_text(path.read_text().replace(old, new))
        return "an edit"

    monkeypatch.setattr(EditedTree, "edit", edit)
    held = hold(tmp_path, seed=1, edits=1, size=1)
    assert held.known == 1 and held.holds == (told == "all stay known")
    assert told in text(held)


def test_a_tree_without_sources(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no file to edit"):
        EditedTree(tmp_path, frozenset(), random.Random(1)).edit()
