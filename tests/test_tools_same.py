"""The comparison of ways to check a tree."""

from pathlib import Path

import pytest

from tools.same import EXHAUSTIVE, Same, Way, same, text
from tools.trees import Sheet, Tree


def test_ways_that_differ_are_named() -> None:
    first = Way("no-cache", "1", "a", 1.0)
    others = [Way(name, "2", "a", 1.0) for name in (EXHAUSTIVE, "cold-cache")]
    ways = (first, Way("serial", "1", "a", 1.0), *others)
    assert Same("tiny", ways).differing == ("cold-cache",)
    assert Same("tiny", (first, Way(EXHAUSTIVE, "2", "b", 1.0))).differing == (EXHAUSTIVE,)
    assert text(Same("tiny", ways, ("dask",))).count("DIFFERS") == 1


def test_a_tree_in_several_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMFDLINT_NO_CACHE", "1")  # the cache that is looked at is the tool's own
    for number in range(9):
        (tmp_path / f"f{number}.c").write_text(f"int f{number}(void) {{ return fork(); }}\n")
    vm = 'int main(void) { int kvm = open("/dev/kvm", 2); return ioctl(kvm, KVM_CREATE_VM, 0); }\n'
    (tmp_path / "vm.c").write_text(vm)
    names = ("no-cache", "cold-cache", "warm-cache", "two-processes", "serial", EXHAUSTIVE)
    result = same(Tree("tiny", tmp_path, tmp_path / "tiny.toml", Sheet()), names)
    assert [way.name for way in result.ways] == list(names) and not result.differing
    assert result.ways[0].whole != result.ways[-1].whole, "the exhaustive run read no more than the others"
