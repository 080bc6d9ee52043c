"""Many trees in one run: what each comes to, what is put together, what a run that was ended leaves."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import Run
from terminal import on_a_terminal

from vmfdlint import cli
from vmfdlint.app import Tree, trees_in
from vmfdlint.app.fleet_tree import Task, made_of
from vmfdlint.config import ConfigError
from vmfdlint.journal import Journal, JournalError

EVIDENCE = Path(__file__).parent.parent / "fixtures" / "programs" / "evidence"
# The door's function has the name of its module.
FLEET = sys.modules["vmfdlint.app.fleet"]
LEAK = (EVIDENCE / "501-error-path.c").read_bytes()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three trees with findings, one without, and a list of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two", "deep/one"):
        (tmp_path / "trees" / name).mkdir(parents=True)
        (tmp_path / "trees" / name / "vm.c").write_bytes(LEAK)
    (tmp_path / "trees" / "clean").mkdir()
    (tmp_path / "trees" / "clean" / "x.c").write_text("int x;\n")
    (tmp_path / "list").write_text(
        "# trees\ntrees/one\n\nhttps://example.org/two.git  trees/two\ntrees/deep/one/\n"
        "trees/clean\ntrees/one\n"
    )
    return tmp_path


def runs(text: str) -> list[dict[str, Any]]:
    log = json.loads(text)
    assert log["version"] == "2.1.0" and list(log) == ["$schema", "version", "runs"]
    found: list[dict[str, Any]] = log["runs"]
    return found


def results(run: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [
        (one["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for one in run["results"]
        for place in [one["locations"][0]["physicalLocation"]]
    ]


def test_one_log_with_a_run_a_tree(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run("fleet", "list", "--output-format", "sarif", "-j", "1")
    assert code == 1
    found = runs(out)
    names = ["trees-one", "two", "deep-one", "clean"]
    assert [one["automationDetails"]["id"] for one in found] == [f"vmfdlint/{name}/" for name in names]
    assert [len(one["results"]) for one in found] == [1, 1, 1, 0]
    assert found[1]["versionControlProvenance"][0]["repositoryUri"] == "https://example.org/two.git"
    assert "revisionId" not in found[1]["versionControlProvenance"][0]
    # Each is what a check in the tree gives.
    monkeypatch.chdir(here / "trees" / "two")
    alone = runs(run("check", "--output-format", "sarif", "-j", "1").out)[0]
    for part in ("results", "artifacts", "invocations", "originalUriBaseIds"):
        assert found[1][part] == alone[part]
    lines = err.splitlines()
    assert lines[:4] == [
        "1 of 4: trees-one: 1 finding", "2 of 4: two: 1 finding", "3 of 4: deep-one: 1 finding",
        "4 of 4: clean: 0 findings",
    ]  # fmt: skip
    assert lines[4].split() == ["tree", "files", "error", "warning", "note", "seconds"]
    assert [line.split()[:5] for line in lines[5:9]] == [
        [name, "1", "0", str(int(name != "clean")), "0"] for name in names
    ]
    assert lines[9].split()[:5] == ["all", "4", "4", "0", "3"] and len(lines) == 10


def test_other_formats_say_the_tree_too(run: Run, here: Path) -> None:
    code, out, err = run(
        "fleet", "list", "-q", "--output-format", "concise", "--output-format", "json:out.json",
        "--output-format", "json-lines:out.jsonl", "-j", "1",
    )  # fmt: skip
    assert code == 1 and not err
    paths = ["trees/one/vm.c", "trees/two/vm.c", "trees/deep/one/vm.c"]
    assert [line.partition(":")[0] for line in out.splitlines()] == paths
    document = json.loads((here / "out.json").read_text())
    assert [one["tree"] for one in document["trees"]] == ["trees-one", "two", "deep-one", "clean"]
    assert [len(one["report"]["findings"]) for one in document["trees"]] == [1, 1, 1, 0]
    lines = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert [(line["tree"], line["at"]["path"]) for line in lines] == [
        ("trees-one", "vm.c"), ("two", "vm.c"), ("deep-one", "vm.c"),
    ]  # fmt: skip
    for name in ("full", "grouped"):
        out = run("fleet", "list", "-q", "--output-format", name, "-j", "1").out
        assert [path in out for path in paths] == [True] * 3 and "Checked" not in out


def test_a_report_a_tree(run: Run, here: Path) -> None:
    code, out, err = run("fleet", "list", "--output-format", "junit")
    assert code == 2 and "junit cannot say of which tree" in err and "sarif" in err
    code, out, err = run(
        "fleet", "list", "-j", "1", "--one-per-tree", "made/here", "--output-format", "junit",
        "--output-format", "full",
    )  # fmt: skip
    assert (code, out) == (2, "") and "full and junit" not in err
    code, out, _ = run("fleet", "list", "-j", "1", "--one-per-tree", "made/here", "--output-format", "junit")
    assert (code, out) == (1, "")
    assert sorted(path.name for path in (here / "made" / "here").iterdir()) == [
        "clean.junit", "deep-one.junit", "trees-one.junit", "two.junit",
    ]  # fmt: skip
    run("fleet", "list", "-j", "1", "--one-per-tree", "made")
    assert (here / "made" / "two.full").read_text().splitlines()[-1].startswith("Checked 1 file")
    for more in (["-o", "x"], ["--output-format", "sarif:x"]):
        assert run("fleet", "list", "--one-per-tree", "made", *more).code == 2
    (here / "file").touch()
    assert "cannot be made" in run("fleet", "list", "--one-per-tree", "file/made").err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_trees_that_fail_stop_no_other(run: Run, here: Path, jobs: str) -> None:
    (here / "trees" / "one" / "vmfdlint.toml").write_text("select = 3\n")
    (here / "trees" / "two" / "binary.c").write_bytes(b"\0\1\2")
    with (here / "list").open("a") as stream:
        stream.write("gone\n")
    code, out, err = run("fleet", "list", "--output-format", "concise", "-j", jobs, "--exit-zero")
    assert code == 2
    assert [line.partition(":")[0] for line in out.splitlines()] == ["trees/two/vm.c", "trees/deep/one/vm.c"]
    told = err.splitlines()
    assert "gone: error: gone: does not exist: check the path" in told
    assert "two: error: trees/two/binary.c: is not a text file" in err
    assert "trees-one: error: trees/one: " in err and "vmfdlint.toml:1: select must be a list" in err
    rows = {line.split()[0]: line for line in told[-6:-1]}
    assert rows["trees-one"].endswith("failed") and rows["gone"].endswith("failed")
    assert rows["two"].endswith("incomplete: 1 error") and rows["clean"].split()[1] == "1"


def test_a_crash_is_told_with_the_tree(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(task: Task) -> object:
        if task.context.tree == "two":
            raise RecursionError("too deep")
        return made_of(task)

    monkeypatch.setattr(FLEET, "made_of", crash)
    code, out, err = run("fleet", "list", "--output-format", "sarif", "-j", "1", "--state", "state")
    assert code == 2 and len(runs(out)) == 3
    assert "two: error: trees/two: vmfdlint crashed: RecursionError: too deep" in err
    monkeypatch.undo()
    monkeypatch.chdir(here)
    # What failed is tried again, the rest is not.
    code, out, err = run("fleet", "list", "--output-format", "sarif", "-j", "1", "--state", "state")
    assert code == 1 and len(runs(out)) == 4 and err.count("as before") == 2 * 3


def test_each_tree_has_its_own_settings(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VMFDLINT_NO_CACHE", raising=False)
    (here / "trees" / "one" / "vmfdlint.toml").write_text('ignore = ["VMFD501"]\noutput-format = "github"\n')
    (here / "trees" / "two" / "vmfdlint.toml").write_text("fix = true\nunsafe-fixes = true\njobs = 7\n")
    found = runs(run("fleet", "list", "--output-format", "sarif", "-j", "1").out)
    assert [len(one["results"]) for one in found] == [0, 1, 1, 0]
    assert (here / "trees" / "two" / "vm.c").read_bytes() == LEAK
    found = runs(run("fleet", "list", "--output-format", "sarif", "-j", "1", "--isolated").out)
    assert [len(one["results"]) for one in found] == [1, 1, 1, 0]
    for wrong in (["--select", "VMFD999"], ["--config", "list"]):
        assert run("fleet", "list", *wrong).code == 2
    # Relative to where the command is given, not to the tree.
    (here / "own.toml").write_text('[[api]]\nnames = ["vendor_panic"]\neffects = [ { exit = {} } ]\n')
    (here / "set.toml").write_text('ignore = ["VMFD5"]\n')
    own = ("--models", "own.toml", "--config", "set.toml", "--cache-dir", "kept")
    result = run("fleet", "list", *own, "-j", "1")
    assert (here / "kept").is_dir() and not list((here / "trees").glob("**/kept"))
    assert result.code == 0, result.err


def test_a_run_that_was_killed_goes_on(run: Run, here: Path) -> None:
    line = ["fleet", "list", "--output-format", "concise", "--state", "state"]
    slow = (
        "import sys, time, vmfdlint.app\nfrom vmfdlint.cli import run\n"
        "f = sys.modules['vmfdlint.app.fleet']\ntask = f._Fleet.task\n"
        "def late(self, tree):\n    if tree.name == 'deep-one': time.sleep(60)\n    return task(self, tree)\n"
        "f._Fleet.task = late\nrun(sys.argv[1:])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow, *line, "-j", "1"], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        assert b"1 of 4" in process.stderr.readline() and b"2 of 4" in process.stderr.readline()
        process.send_signal(signal.SIGKILL)
        assert process.stdout.read() == b""
    code, out, err = run(*line, "-j", "1")
    assert code == 1
    assert "1 of 4: trees-one: as before" in err and "2 of 4: two: as before" in err
    assert err.count("as before") == 4  # the lines and the table
    assert out == run("fleet", "list", "--output-format", "concise", "-j", "2").out
    # A tree that changed is done again, and so are all where the settings did.
    (here / "trees" / "one" / "vm.c").write_bytes(LEAK + b"\n")
    assert run(*line).err.count("as before") == 2 * 3
    assert run(*line, "-j", "2").err.count("as before") == 2 * 4
    assert run(*line, "--no-cache").err.count("as before") == 2 * 4
    assert run(*line, "--ignore", "VMFD1").err.count("as before") == 0


def test_ctrl_c_says_how_to_go_on(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(task: Task) -> object:
        if task.context.tree == "two":
            raise KeyboardInterrupt
        return made_of(task)

    monkeypatch.setattr(FLEET, "made_of", interrupted)
    result = run("fleet", "list", "-j", "1", "--state", "state", "--output-format", "concise")
    assert (result.code, result.out) == (130, "")
    assert result.err.splitlines() == [
        "1 of 4: trees-one: 1 finding",
        "state holds the trees that are done: the same command goes on from there",
        "",
        "Interrupted: nothing was reported",
    ]


def test_a_damaged_state_file_costs_time_only(run: Run, here: Path) -> None:
    line = ["fleet", "list", "--output-format", "concise", "-j", "1", "--state", "state"]
    first = run(*line)
    with sqlite3.connect("state") as connection:
        connection.execute("UPDATE done SET value = value || x'00' WHERE key LIKE '%two'")
        connection.execute("UPDATE done SET value = 7 WHERE key LIKE '%clean'")
    connection.close()
    again = run(*line)
    assert again.out == first.out and again.err.count("as before") == 2 * 2
    Path("state").write_bytes(b"garbage" * 999)
    again = run(*line)
    assert (again.code, again.out) == (first.code, first.out)
    assert "state was damaged, and is state.damaged now" in again.err
    assert Path("state.damaged").read_bytes() == b"garbage" * 999
    whole = Path("state").read_bytes()
    Path("state").write_bytes(whole[: len(whole) // 2])
    assert run(*line).out == first.out
    assert run(*line).out == first.out


def test_a_state_file_that_cannot_be_used(run: Run, here: Path) -> None:
    with sqlite3.connect("other") as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    before = Path("other").read_bytes()
    result = run("fleet", "list", "--state", "other")
    assert (result.code, result.out) == (2, "") and "is a database of another program" in result.err
    assert Path("other").read_bytes() == before
    assert "cannot be opened" in run("fleet", "list", "--state", "no/such/state").err


def test_a_journal_that_fills_up(tmp_path: Path) -> None:
    with Journal(str(tmp_path / "state")) as journal:
        journal.keep("a", "1", b"x")
        assert journal.value("a", "1") == b"x" and journal.value("a", "2") is None
        journal._connection.execute("PRAGMA max_page_count = 4")
        journal.keep("b", "1", b"x" * 1_000_000)
        assert "full" in journal.failed
        journal.keep("c", "1", b"x")
        assert journal.value("a", "1") == b"x" and journal.value("b", "1") is None
    with sqlite3.connect(tmp_path / "state") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalError, match="another version"):
        Journal(str(tmp_path / "state"))


def test_progress_with_a_count_and_the_time_left(here: Path) -> None:
    code, said = on_a_terminal("fleet", "list", "-j", "1", "--output-format", "sarif:out")
    assert code == 1
    shown, _, rest = said.rpartition(b"\r\x1b[K")
    assert re.search(rb"[123] of 4 trees, about \d+ s left, \d+ s", shown), said
    assert rest.startswith(b"tree ") and b" of 4: " not in said
    assert on_a_terminal("fleet", "list", "-j", "1", "-q", "--output-format", "sarif:out") == (1, b"")


def test_lists() -> None:
    text = b"# all\n/src/a/qemu\n  b/qemu/ \r\nssh://git@h/x.git  my trees/x\ngit@h:y.git y\n"
    text += b"\n/src/a/./qemu\nb-qemu\n"
    assert trees_in(text, "list") == (
        Tree("a-qemu", "/src/a/qemu"),
        Tree("b-qemu", "b/qemu/"),
        Tree("x", "my trees/x", "ssh://git@h/x.git"),
        Tree("y", "y", "git@h:y.git"),
        Tree("b-qemu-2", "b-qemu"),
    )
    assert [tree.name for tree in trees_in(b".\n..\n/\n", "list")] == ["tree", "tree-2", "tree-3"]
    with pytest.raises(ConfigError, match="list:2: https://h/x says no PATH"):
        trees_in(b"a\nhttps://h/x\n", "list")
    with pytest.raises(ConfigError, match="names no tree"):
        trees_in(b"# nothing\n", "list")


def test_the_list_may_come_from_elsewhere(here: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "vmfdlint", "fleet", "-", "-q", "--output-format", "concise", "-j", "1"],
        input=b"trees/one/vm.c\ntrees/clean\n", capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1 and ran.stdout.startswith(b"trees/one/vm.c:") and not ran.stderr


def test_models_travel(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[Task] = []

    def noted(task: Task) -> object:
        tasks.append(task)
        return made_of(task)

    monkeypatch.setattr(FLEET, "made_of", noted)
    model = here / "own.toml"
    model.write_text('[[api]]\nnames = ["ioctl"]\neffects = []\n')
    cli.run(["fleet", "list", "-q", "-j", "1", "--output-format", "sarif:out", "--models", "own.toml"])
    here_made = made_of(tasks[1])
    model.unlink()
    there_made = made_of(tasks[1])
    assert msgspec.structs.replace(there_made, seconds=0) == msgspec.structs.replace(here_made, seconds=0)
