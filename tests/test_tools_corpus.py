"""The corpus tool: its data files are well-formed, and findings are compared and scored as it says."""

import json
from pathlib import Path

import pytest

from tools import cli
from tools.checked import Found, read_report
from tools.drift import drifted
from tools.expected import compare, update
from tools.labels import Label, read_categories, read_labels
from tools.score import precision, score
from tools.trees import SHEETS, Expected, Sheet, Unreadable, read_toml, tree_at, trees
from vmfdlint.app import rule_docs
from vmfdlint.finding import Level

CATEGORIES = read_categories()
FILES = sorted(SHEETS.glob("*.toml"))

MONITOR = """\
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int machine(void)
{
    int kvm = open("/dev/kvm", O_RDWR);
    return kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
}

int main(void)
{
    int vm = machine();
    if (vm < 0)
        return 1;
    pause();
    return 0;
}
"""


def found(file: str, line: int, rule: str = "VMFD501", level: Level = Level.WARNING) -> Found:
    return Found(file, line, rule, level)


def label(file: str, line: int, expect: str, category: str = "RELEASE", **more: object) -> dict[str, object]:
    return {"tree": "tiny", "file": file, "line": line, "category": category, "expect": expect, **more}


def labels_in(path: Path, *labels: dict[str, object]) -> tuple[Label, ...]:
    path.write_text("".join(json.dumps(each) + "\n" for each in labels))
    return read_labels(path, CATEGORIES)


# -- the data files in the repository ----------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_sheet_is_well_formed_and_gives_reasons(file: Path) -> None:
    sheet = read_toml(file, Sheet)
    rules = {rule.id for rule in rule_docs()}
    places = [(entry.file, entry.line, entry.rule) for entry in sheet.finding]
    assert sheet.version
    assert len(places) == len(set(places))
    for entry in sheet.finding:
        assert entry.explained, f"{file.name}: {entry.file}:{entry.line}: a why or a wrong, and not both"
        assert (entry.why or entry.wrong).strip().endswith("."), (
            f"{entry.file}:{entry.line}: a whole sentence"
        )
        assert entry.rule in rules
        assert entry.line > 0 and not Path(entry.file).is_absolute()


def test_there_are_sheets_for_the_trees() -> None:
    assert {file.stem for file in FILES} >= {"qemu", "kvmtool", "kvm-selftests", "linux-kernel"}


def test_every_rule_answers_for_a_category_unless_it_is_about_suppressions() -> None:
    answering = tuple(prefix for prefixes in CATEGORIES.categories.values() for prefix in prefixes)
    assert [rule.id for rule in rule_docs() if not rule.id.startswith((*answering, "VMFD9"))] == []


# -- trees and reports -------------------------------------------------------------------------------------


def test_trees_come_from_words_and_from_a_table(tmp_path: Path) -> None:
    table = tmp_path / "trees.toml"
    table.write_text('[trees]\none = "/a"\ntwo = "/b"\n')
    named = trees(["two=/c"], table, tmp_path)
    assert [(tree.name, tree.root.as_posix()) for tree in named] == [("one", "/a"), ("two", "/c")]


def test_a_word_without_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="NAME=PATH"):
        trees(["qemu"], None, tmp_path)


def test_paths_of_a_sheet_may_be_patterns(tmp_path: Path) -> None:
    for part in ("virt/kvm", "arch/x86/kvm", "arch/arm64/kvm"):
        (tmp_path / "tree" / part).mkdir(parents=True)
    (tmp_path / "tiny.toml").write_text('[read]\npaths = ["virt/kvm", "arch/*/kvm"]\n')
    tree = tree_at("tiny", tmp_path / "tree", tmp_path)
    assert tree.paths() == ("virt/kvm", "arch/arm64/kvm", "arch/x86/kvm")


def test_a_sheet_may_take_in_those_of_parts(tmp_path: Path) -> None:
    one = '[[finding]]\nfile = "{}"\nline = 1\nrule = "VMFD101"\nlevel = "error"\nwhy = "so"\n'
    (tmp_path / "part.toml").write_text(one.format("a/vm.c"))
    (tmp_path / "whole.toml").write_text('also = ["part"]\n' + one.format("b/vm.c"))
    found = tree_at("whole", tmp_path, tmp_path).sheet.finding
    assert [entry.file for entry in found] == ["a/vm.c", "b/vm.c"]
    (tmp_path / "whole.toml").write_text('also = ["none"]\n')
    with pytest.raises(Unreadable, match=r"none\.toml"):
        tree_at("whole", tmp_path, tmp_path)


def test_a_sheet_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text('[read]\nexcludes = ["/roms"]\n')
    with pytest.raises(Unreadable, match=r"tiny\.toml.*excludes"):
        tree_at("tiny", tmp_path, tmp_path)


def test_a_report_of_nothing_is_no_clean_tree() -> None:
    with pytest.raises(Unreadable, match="no C sources"):
        read_report("tiny", b'{"schema": 1, "findings": [], "statistics": {"files": 0}}')
    with pytest.raises(Unreadable, match="not of the form"):
        read_report("tiny", b"[]")


# -- against the sheet -------------------------------------------------------------------------------------


def expected(line: int, level: Level = Level.WARNING, why: str = "It is so.", wrong: str = "") -> Expected:
    return Expected(file="a.c", line=line, rule="VMFD501", level=level, why=why, wrong=wrong)


def test_added_lost_and_changed_levels() -> None:
    difference = compare(
        (found("a.c", 1), found("a.c", 2), found("a.c", 3)),
        (expected(1), expected(2, Level.ERROR), expected(9)),
    )
    assert [entry.line for _, entry in difference.kept] == [1]
    assert [each.line for each in difference.added] == [2, 3]
    assert [entry.line for entry in difference.lost] == [2, 9]
    assert not difference.clean


def test_two_findings_on_a_line_need_two_entries() -> None:
    difference = compare((found("a.c", 1), found("a.c", 1)), (expected(1),))
    assert len(difference.kept) == len(difference.added) == 1


@pytest.mark.parametrize(("why", "wrong"), [("", ""), (" \n", ""), ("Right.", "Wrong.")])
def test_an_entry_has_one_reason(why: str, wrong: str) -> None:
    assert compare((found("a.c", 1),), (expected(1, why=why, wrong=wrong),)).unexplained


def test_update_writes_entries_that_still_need_a_reason(tmp_path: Path) -> None:
    sheet = tmp_path / "tiny.toml"
    sheet.write_text("# kept\n[read]\n" + 'exclude = ["/x"]\n')
    findings = (found('odd "name".c', 3), found("b.c", 4, level=Level.ERROR))
    tree = tree_at("tiny", tmp_path, tmp_path)
    assert update(tree, compare(findings, tree.sheet.finding)) == 2
    again = tree_at("tiny", tmp_path, tmp_path)
    difference = compare(findings, again.sheet.finding)
    assert sheet.read_text().startswith("# kept\n") and again.sheet.read.exclude == ("/x",)
    assert not difference.added and len(difference.unexplained) == 2
    assert update(again, difference) == 0


# -- against labels ----------------------------------------------------------------------------------------


def test_musts_mays_and_the_rest(tmp_path: Path) -> None:
    labels = labels_in(
        tmp_path / "labels.jsonl",
        label("a.c", 10, "must", severity="warning"),
        label("a.c", 50, "must"),
        label("a.c", 70, "may", severity="note"),
    )
    result = score(
        (found("a.c", 12), found("a.c", 53), found("a.c", 70), found("b.c", 10)), labels, CATEGORIES
    )
    assert (result.must_found, result.must, result.may) == (1, 2, 1)
    assert [each.line for each in result.missed] == [50]
    assert [match.finding.line for match in result.may_found] == [70]
    assert [str(each) for each in result.unlabelled] == ["a.c:53 VMFD501 warning", "b.c:10 VMFD501 warning"]


def test_a_finding_counts_only_in_the_category_of_its_rule(tmp_path: Path) -> None:
    labels = labels_in(tmp_path / "labels.jsonl", label("a.c", 10, "must", "CLOEXEC"))
    assert score((found("a.c", 10, "VMFD501"),), labels, CATEGORIES).missed
    assert not score((found("a.c", 10, "VMFD301"),), labels, CATEGORIES).missed


def test_a_spawn_that_passes_a_descriptor_on_counts_in_two_categories() -> None:
    assert CATEGORIES.hold("FORK", "VMFD305") and CATEGORIES.hold("CLOEXEC", "VMFD305")


def test_steps_in_the_note_are_as_good_as_the_line(tmp_path: Path) -> None:
    note = "accept the finding at :28, :45 or lib/wrap.h:133"
    labels = labels_in(tmp_path / "labels.jsonl", label("lib/a.c", 28, "must", note=note))
    for place in (("lib/a.c", 45), ("lib/wrap.h", 133), ("lib/a.c", 30)):
        assert not score((found(*place),), labels, CATEGORIES).missed
    for place in (("lib/a.c", 46), ("lib/a.c", 133), ("lib/a.c", 31)):
        assert score((found(*place),), labels, CATEGORIES).missed


def test_a_finding_counts_for_the_nearest_label(tmp_path: Path) -> None:
    labels = labels_in(tmp_path / "labels.jsonl", label("a.c", 132, "must"), label("a.c", 134, "may"))
    result = score((found("a.c", 134),), labels, CATEGORIES)
    assert [each.line for each in result.missed] == [132] and len(result.may_found) == 1
    assert not score((found("a.c", 133),), labels, CATEGORIES).missed


def test_two_findings_at_one_must_count_once(tmp_path: Path) -> None:
    labels = labels_in(tmp_path / "labels.jsonl", label("a.c", 10, "must"))
    result = score((found("a.c", 9), found("a.c", 11)), labels, CATEGORIES)
    assert result.must_found == 1 and len(result.found) == 2 and not result.unlabelled


@pytest.mark.parametrize(
    ("level", "highest", "springs"),
    [
        (Level.NOTE, "none", True),
        (Level.NOTE, "note", False),
        (Level.WARNING, "note", True),
        (Level.WARNING, "warning", False),
        (Level.ERROR, "warning", True),
        (Level.NOTE, None, True),
    ],
)
def test_a_trap_is_sprung_above_its_highest_level(
    tmp_path: Path, level: Level, highest: str | None, springs: bool
) -> None:
    labels = labels_in(tmp_path / "labels.jsonl", label("a.c", 10, "must-not", "FORK", max_severity=highest))
    result = score((found("a.c", 10, "VMFD101", level),), labels, CATEGORIES)
    assert (len(result.sprung), len(result.allowed)) == ((1, 0) if springs else (0, 1))


def test_a_trap_of_another_category_is_not_sprung(tmp_path: Path) -> None:
    labels = labels_in(tmp_path / "labels.jsonl", label("a.c", 10, "must-not", "FORK", max_severity="none"))
    assert score((found("a.c", 10, "VMFD301"),), labels, CATEGORIES).unlabelled


def test_precision_counts_what_nobody_read_as_not_right(tmp_path: Path) -> None:
    labels = labels_in(
        tmp_path / "labels.jsonl",
        label("a.c", 10, "must"),
        label("a.c", 20, "must-not", max_severity="none"),
    )
    findings = tuple(found("a.c", line) for line in (10, 20, 30, 40, 50))
    sheet = (expected(20), expected(30), expected(40, why="", wrong="The guard is not seen."))
    difference = compare(findings, sheet)
    counts = precision(findings, difference, score(findings, labels, CATEGORIES))
    assert (counts.true, counts.false, counts.unread) == (2, 2, 1)
    assert counts.share == 0.4
    assert precision((), compare((), ()), None).share is None


def test_a_label_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"labels.jsonl:1: unknown category 'FROK'.*FORK"):
        labels_in(tmp_path / "labels.jsonl", label("a.c", 1, "must", "FROK"))
    with pytest.raises(Unreadable, match=r"labels.jsonl:2: .*expect"):
        labels_in(tmp_path / "labels.jsonl", label("a.c", 1, "must"), label("a.c", 1, "perhaps"))


def test_labels_of_another_version_have_drifted(tmp_path: Path) -> None:
    (tmp_path / "vmm.c").write_text(MONITOR)
    labels = labels_in(
        tmp_path / "labels.jsonl",
        label("vmm.c", 8, "must", function="machine"),
        label("vmm.c", 17, "must", function="machine"),
        label("vmm.c", 17, "must", function="a_macro"),
        label("gone.c", 1, "must", function="machine"),
    )
    assert drifted(tmp_path, labels) == (labels[1], labels[3])


# -- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """A made-up tree with one finding, and the command line that checks it."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "vmm.c").write_text(MONITOR)
    labels_in(
        tmp_path / "labels.jsonl",
        label("vmm.c", 8, "must", "CLOEXEC", severity="warning", function="machine"),
        label("vmm.c", 17, "must-not", "FORK", max_severity="none", function="main"),
    )
    place = ["--tree", f"tiny={tmp_path / 'tiny'}", "--expected", str(tmp_path / "sheets")]
    return ["corpus", *place, "--labels", str(tmp_path / "labels.jsonl"), "--jobs", "1"]


def test_from_the_first_run_to_a_clean_one(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*tiny, "--update"]) == 1
    assert "added        vmm.c:8 VMFD301" in capsys.readouterr().out
    assert cli.run(tiny) == 1
    assert "no reason    vmm.c:8 VMFD301" in capsys.readouterr().out
    sheet = tmp_path / "sheets" / "tiny.toml"
    sheet.write_text(sheet.read_text().replace('why = ""', 'why = "There is no O_CLOEXEC."'))
    assert cli.run([*tiny, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (tree,) = document["trees"]
    assert document["precision"]["share"] == 1.0
    assert tree["as_expected"] == tree["score"]["must_found"] == 1 and not tree["score"]["sprung"]


def test_a_tree_that_is_not_there_is_no_success(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*tiny, "--tree", "other=/nowhere/at/all"]) == 2
    shown = capsys.readouterr().out
    assert "other: could not be read" in shown and "1 of 2 trees" in shown


def test_settings_in_a_tree_are_refused(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny" / "vmfdlint.toml").write_text('ignore = ["ALL"]\n')
    assert cli.run(tiny) == 2
    assert "would change what is found" in capsys.readouterr().out


def test_a_tree_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["corpus"]) == 2
    assert "--tree NAME=PATH" in capsys.readouterr().err
