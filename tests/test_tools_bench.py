"""The benchmark: whose turn it is, what is read, how memory is counted, what is told. No times are judged."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from tools import bench_table
from tools.bench import (
    COLD,
    GROWN,
    HOOK,
    HOOK_VM,
    PARSE,
    SCAN,
    VERSION,
    WARM,
    Bench,
    Runs,
    bench,
    rounds,
    sources,
)
from tools.checked import environment
from tools.memory import measure, resident
from tools.peers import RULES, Peer, installed
from tools.trees import Reading, Sheet, Tree, Unreadable

BENCH = Bench(
    tree="tiny",
    files=2,
    bytes=3_000_000,
    findings=1,
    commit="abc",
    date="2026-01-01",
    cpus=2,
    jobs=2,
    rounds=3,
    load=(0.5, 1.0),
    hooks=("a.c", "b.c"),
    rooms={"scan": (1.0, 3.0, 2.0)},
    runs={
        COLD: Runs((4.0, 9.0, 6.0), (10, 30, 20)),
        PARSE: Runs((2.0, 2.0, 3.0), (5, 5, 5)),
        SCAN: Runs((1.0, 1.5, 2.0), (4, 4, 4)),
        WARM: Runs((1.0, 1.5, 2.0), (4, 4, 4)),
        GROWN: Runs((60.0,), (4,)),
        "semgrep": Runs((12.0,), (4,), findings=3),
        "cppcheck": Runs((60.0,), (4,), given_up=60.0),
    },
)


def test_candidates_take_turns_and_each_begins_once() -> None:
    names = ("one", "two", "three")
    order = list(rounds(names, 3))
    turns = [order[start : start + 3] for start in (0, 3, 6)]
    assert all(sorted(turn) == sorted(names) for turn in turns)
    assert sorted(turn[0] for turn in turns) == sorted(names)


def test_the_median_counts_and_the_highest_peak() -> None:
    assert (BENCH.ratio(COLD, PARSE), BENCH.ratio(COLD, SCAN), BENCH.runs[COLD].peak) == (3.0, 4.0, 30)
    assert BENCH.growth == 60 / 6 / 8


def test_the_table_says_what_was_measured_and_what_was_not() -> None:
    lines = bench_table.table([BENCH]).splitlines()[2:]
    rows = {cells[1].strip(): cells[2].strip() for cells in (line.split("|") for line in lines)}
    assert rows["whole tree, no cache"] == "4.00–**6.00**–9.00 s"
    assert rows["semgrep, rules of bench/peers"] == "12.00 s, 2.00 × cold, 3 findings"
    assert rows["cppcheck, rules of bench/peers"] == "given up after 60 s, 10.0 × cold"
    assert rows["coccinelle, rules of bench/peers"] == "not measured"
    assert rows["rooms of a cold run, s"] == "scan 2.0"


def test_results_of_other_trees_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    other = msgspec.structs.replace(BENCH, tree="other")
    bench_table.keep([BENCH, other], path)
    bench_table.keep([msgspec.structs.replace(BENCH, findings=7)], path)
    assert [(one.tree, one.findings) for one in bench_table.read(path).trees] == [("other", 1), ("tiny", 7)]
    path.write_text('{"schema": 1, "trees": []}')
    with pytest.raises(Unreadable, match="measure again"):
        bench_table.read(path)


def test_the_table_of_the_readme_is_that_of_the_results() -> None:
    text = bench_table.PAGE.read_text(encoding="utf-8")
    shown = text.partition(bench_table.BEGIN)[2].partition(bench_table.END)[0]
    results = bench_table.read()
    assert results.trees and shown == "\n" + bench_table.table(results.trees)
    assert bench_table.RESULTS.read_bytes() == bench_table.encoded(results)


def test_a_tree_is_measured_and_stays_as_it_is(tmp_path: Path) -> None:
    """With a peer of our own: one that finds two things, and one that never ends."""
    root = tmp_path / "tree"
    root.mkdir()
    vm = "int main(void) { int kvm = open(\"/dev/kvm\", 2); return ioctl(kvm, KVM_CREATE_VM, 0); }\n"
    for name, text in (("vm.c", vm), ("plain.c", "int f(void) { return 1; }\n")):
        (root / name).write_text(text)
    before = {path: path.read_bytes() for path in root.iterdir()}
    two = Peer("two", "", lambda program, jobs: [program, "-c", ""], lambda ran: 2)
    slow = Peer("slow", "", lambda program, jobs: [program, "60"], lambda ran: 0)
    peers = {"two": (two, sys.executable), "slow": (slow, "/bin/sleep")}
    tree = Tree("tiny", root, tmp_path / "tiny.toml", Sheet())
    made = bench(tree, 1, 1, peers, 1.0, 1)
    assert made.hooks == ("plain.c", "vm.c") and made.files == 2
    assert {*made.runs} == {COLD, WARM, HOOK, HOOK_VM, VERSION, PARSE, SCAN, GROWN, "two", "slow"}
    assert made.runs["two"].findings == 2 and made.runs["slow"].given_up == 1.0
    assert made.findings == made.runs[WARM].findings == made.runs[HOOK_VM].findings == 1
    assert made.runs[HOOK].findings == 0 and made.runs[GROWN].findings == 8
    assert {*made.rooms} == {"scan", "link", "solve", "check"}
    assert {path: path.read_bytes() for path in root.iterdir()} == before


def test_peers_find_what_their_rules_say(tmp_path: Path) -> None:
    """Those that are installed; the rules of all are there."""
    assert {path.name for path in RULES.iterdir()} > {"semgrep.yaml", "coccinelle.cocci", "cppcheck.xml"}
    (tmp_path / "a.c").write_text(
        "int main(void)\n{\n    int kvm = open(\"/dev/kvm\", O_RDWR);\n    int vm;\n"
        "    vm = ioctl(kvm, KVM_CREATE_VM, 0);\n    dup(vm);\n    return fork();\n}\n"
        "int other(void) { return open(\"/dev/kvm\", O_RDWR | O_CLOEXEC); }\n"
    )
    for peer, program in installed().values():
        ran = measure(peer.line(program, 1), tmp_path, os.environ)
        assert ran.exit_code in peer.right and peer.count(ran) >= 3, ran.errors


def test_the_yardsticks_read_what_the_sheet_says(tmp_path: Path) -> None:
    (tmp_path / "roms").mkdir()
    for name in ("a.c", "b.h", "c.txt", "roms/d.c"):
        (tmp_path / name).write_text("int f(void);\n")
    tree = Tree("tiny", tmp_path, tmp_path / "tiny.toml", Sheet(read=Reading(exclude=("/roms",))))
    names, size = sources(tree)
    assert [Path(name).name for name in names] == ["a.c", "b.h"] and size == 26
    listing = b"".join(os.fsencode(name) + b"\0" for name in names)
    for kind in (PARSE, SCAN):
        ran = measure([sys.executable, "-P", "-m", "tools.yardstick", kind], tmp_path, environment(), listing)
        assert (ran.exit_code, ran.output.split()) == (0, [b"2", b"26"]), ran.errors


def test_memory_counts_children_too(tmp_path: Path) -> None:
    holding = "import time; data = bytearray(60_000_000); time.sleep(0.3)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holding!r}])"
    ran = measure([sys.executable, "-c", program], tmp_path, os.environ)
    assert ran.exit_code == 0 and ran.peak_bytes > 60_000_000


def test_memory_of_a_session_that_is_over_is_nothing(tmp_path: Path) -> None:
    assert resident(os.getsid(0)) > 0
    assert resident(-1) == 0
