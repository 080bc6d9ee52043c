"""Fixes: tests/fixes/*.md holds programs and the diff that removes a finding from each."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from vmfdlint import app
from vmfdlint.base import LIMITS, Problem, ProblemKind, SourceText
from vmfdlint.base.location import rules_directory
from vmfdlint.config import Options
from vmfdlint.finding import Edit, Finding, Fix, Level, Outcome
from vmfdlint.fix import applied, diff, fixable, offer
from vmfdlint.fix.rows import rows
from vmfdlint.models import default_models

PAGES = sorted((Path(__file__).parent / "fixes").glob("*.md"))
_HEADING = re.compile(r"### (?P<name>.*): (?P<rule>VMFD\d+) (?P<kind>safe|unsafe|none)")
_BLOCK = re.compile(r"```(?P<language>c|python|diff)(?: file=(?P<file>\S+))?\n(?P<text>.*?)```\n", re.S)
_NAMES = {"c": "main.c", "python": "main.py"}


class Case(NamedTuple):
    name: str
    rule: str
    kind: str
    sources: dict[str, SourceText]
    diff: str


def cases() -> list[Case]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        headings = list(_HEADING.finditer(text))
        assert len(headings) == text.count("\n### "), page
        ends = [heading.start() for heading in headings[1:]] + [len(text)]
        for heading, end in zip(headings, ends, strict=True):
            blocks = list(_BLOCK.finditer(text, heading.end(), end))
            sources = {}
            for block in blocks:
                if block["language"] != "diff":
                    name = block["file"] or _NAMES[block["language"]]
                    sources[name] = SourceText(name, block["text"].encode())
            wanted = [block["text"] for block in blocks if block["language"] == "diff"]
            assert len(wanted) == (heading["kind"] != "none"), heading["name"]
            found.append(Case(heading["name"], heading["rule"], heading["kind"], sources, "".join(wanted)))
    return found


@cache
def _options() -> Options:
    return Options(rules=frozenset(rule.id for rule in app.rule_docs()), jobs=1, diff=True)


def analysis(sources: tuple[SourceText, ...]) -> Outcome:
    return app.analyze(sources, _options())


def offered(sources: dict[str, SourceText], rule: str) -> Finding:
    before = analysis(tuple(sources.values()))
    found = [one for one in offer(before.findings, before, sources, analysis) if one.rule == rule]
    assert found, f"{rule} is not found in the first place"
    return found[0]


_FOUND: dict[tuple[str, str], Finding] = {}


def found_in(case: Case) -> Finding:
    """The finding of a page's program, looked for once."""
    key = case.name, case.rule
    if key not in _FOUND:
        _FOUND[key] = offered(case.sources, case.rule)
    return _FOUND[key]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.rule}: {case.name}")
def test_page(case: Case) -> None:
    finding = found_in(case)
    if case.kind == "none":
        assert not finding.fixes
        return
    assert len(finding.fixes) == 1, "no fix is offered"
    assert finding.fixes[0].safe == (case.kind == "safe")
    made = applied(case.sources, finding.fixes).sources
    assert diff(case.sources, made, "").decode() == case.diff
    # It was offered because the finding is gone; here it is asked once more, from outside.
    after = analysis(tuple({**case.sources, **made}.values()))
    assert case.rule not in {one.rule for one in after.findings}


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize(
    "case", [case for case in cases() if "main.c" in case.sources], ids=lambda case: case.name
)
def test_what_compiled_compiles(case: Case, tmp_path: Path) -> None:
    assert compiles(case.sources, tmp_path) == ""
    fixes = found_in(case).fixes
    assert compiles({**case.sources, **applied(case.sources, fixes).sources}, tmp_path) == ""


def compiles(sources: dict[str, SourceText], directory: Path) -> str:
    """What the compiler says; nothing if all is well."""
    for path, source in sources.items():
        (directory / path).write_bytes(source.data)
    command = ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", str(directory / "main.c")]
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.stderr if ran.returncode else ""


# -- what is not offered -----------------------------------------------------------------------------------

OPENED = SourceText(
    "main.c",
    b"""#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    dup(vm);
    execlp("sleep", "sleep", "60", NULL);
    return 0;
}
""",
)
PROGRAM = {"main.c": OPENED}


def tried(after: Callable[[tuple[SourceText, ...]], Outcome]) -> dict[str, tuple[Fix, ...]]:
    """Rule -> its fixes in PROGRAM, where ``after`` says what is found in changed sources."""
    before = analysis((OPENED,))
    assert {one.rule for one in before.findings} >= {"VMFD301", "VMFD303"}
    return {one.rule: one.fixes for one in offer(before.findings, before, PROGRAM, after)}


def test_all_hold_together() -> None:
    asked = []

    def after(sources: tuple[SourceText, ...]) -> Outcome:
        asked.append(sources)
        return analysis(sources)

    fixes = tried(after)
    assert fixes["VMFD301"] and fixes["VMFD303"]
    assert len(asked) == 1


def test_one_that_brings_something_new_is_left_out() -> None:
    def after(sources: tuple[SourceText, ...]) -> Outcome:
        found = analysis(sources)
        if b"F_DUPFD_CLOEXEC" not in sources[0].data:
            return found
        new = msgspec.structs.replace(analysis((OPENED,)).findings[0], rule="VMFD501")
        return msgspec.structs.replace(found, findings=(*found.findings, new))

    fixes = tried(after)
    assert fixes["VMFD301"] and not fixes["VMFD303"]


def test_one_whose_finding_stays_does_not_hold_up_the_others() -> None:
    asked = []

    def after(sources: tuple[SourceText, ...]) -> Outcome:
        asked.append(sources)
        undone = sources[0].data.replace(b"fcntl(vm, F_DUPFD_CLOEXEC, 0)", b"dup(vm)")
        return analysis((SourceText("main.c", undone),))

    fixes = tried(after)
    assert fixes["VMFD301"] and not fixes["VMFD303"]
    assert len(asked) == 2


def test_one_that_changes_nothing_is_left_out() -> None:
    assert not any(tried(lambda _sources: analysis((OPENED,))).values())


def test_one_that_makes_another_finding_graver_is_left_out() -> None:
    before = analysis((OPENED,))
    low = tuple(msgspec.structs.replace(one, level=Level.NOTE) for one in before.findings)
    wanted = [one for one in low if one.rule == "VMFD303"]
    made = offer(wanted, msgspec.structs.replace(before, findings=low), PROGRAM, analysis)
    # VMFD301, which the fix does not touch, is a warning again.
    assert [one.fixes for one in made] == [()]


def test_one_after_which_less_is_read_is_left_out() -> None:
    def after(sources: tuple[SourceText, ...]) -> Outcome:
        problem = Problem(ProblemKind.PARSE, "3 bytes of main could not be read", "main.c")
        return msgspec.structs.replace(analysis(sources), problems=(problem,))

    assert not any(tried(after).values())


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def after(sources: tuple[SourceText, ...]) -> Outcome:
        asked.append(sources)
        new = msgspec.structs.replace(analysis((OPENED,)).findings[0], rule="VMFD501")
        return msgspec.structs.replace(analysis(sources), findings=(new,))

    monkeypatch.setattr("vmfdlint.fix.trial.LIMITS", msgspec.structs.replace(LIMITS, fix_trials=1))
    assert not any(tried(after).values())
    assert len(asked) == 1


# -- bytes -------------------------------------------------------------------------------------------------


def edit(start: int, end: int, text: str) -> Edit:
    return Edit(OPENED.span(start, end), text)


def test_of_two_for_the_same_bytes_the_first_is_taken() -> None:
    one, other = Fix("one", (edit(0, 8, "x"),)), Fix("other", (edit(4, 10, "y"), edit(20, 21, "z")))
    made = applied(PROGRAM, [one, other, Fix("last", (edit(20, 20, "w"),))])
    assert made.taken == (True, False, True)
    assert made.sources["main.c"].data == b"x" + OPENED.data[8:20] + b"w" + OPENED.data[20:]


def test_what_two_of_them_insert_is_inserted_once() -> None:
    include = edit(0, 0, "#include <x.h>\n")
    made = applied(
        PROGRAM, [Fix("one", (include, edit(30, 31, "a"))), Fix("other", (include, edit(40, 41, "b")))]
    )
    assert made.taken == (True, True)
    assert made.sources["main.c"].data.count(b"#include <x.h>\n") == 1


def test_places_move_with_the_bytes() -> None:
    made = applied(PROGRAM, [Fix("", (edit(4, 4, "12"), edit(10, 20, "34567"), edit(30, 40, "")))])
    places = {0: 0, 3: 3, 4: 6, 10: 12, 15: 12, 20: 17, 29: 26, 30: 27, 40: 27, 41: 28}
    for before, after in places.items():
        assert made.moved(OPENED, OPENED.span(before, before + 1)) == ("main.c", after), before


# -- rows --------------------------------------------------------------------------------------------------


def test_every_change_has_a_page() -> None:
    """Each kind of it in each language, and each rule that has fixes there."""
    files = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["fix"]
        for path in (rules_directory() / "fixes").glob("*.toml")
    }
    kinds = {(language, row["change"]["kind"]) for language, each in files.items() for row in each}
    about = {(language, rule) for language, each in files.items() for row in each for rule in row["rules"]}
    for case in cases():
        language = "c" if "main.c" in case.sources else "python"
        for fix in found_in(case).fixes:
            about.discard((language, case.rule))
            kinds -= {
                (language, row["change"]["kind"]) for row in files[language] if row["title"] == fix.title
            }
    assert not kinds
    # vmfdlint does not see yet that a program opens a debugfs file through ctypes.
    assert about == {("python", "VMFD402")}


def test_rows_are_of_known_rules_and_apis() -> None:
    known = {rule.id for rule in app.rule_docs()}
    apis = default_models().apis
    for language, each in rows().items():
        assert language in ("c", "python")
        for row in each:
            assert set(row.rules) <= known, row
            plain = [name for name in row.apis if not name.endswith("*") and "(" not in name]
            assert all(name in apis for name in plain), row
    assert fixable() >= {"VMFD105", "VMFD301", "VMFD303", "VMFD304", "VMFD306", "VMFD402", "VMFD501"}
