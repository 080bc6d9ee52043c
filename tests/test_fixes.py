"""Fixes: tests/fixes/*.md holds programs and the diff that removes a finding from each."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from vmfdlint import app
from vmfdlint.base import SourceText
from vmfdlint.check.finding import Finding, Outcome
from vmfdlint.config import Options
from vmfdlint.fix import applied, diff, offer

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


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.rule}: {case.name}")
def test_page(case: Case) -> None:
    finding = offered(case.sources, case.rule)
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
    fixes = offered(case.sources, case.rule).fixes
    assert compiles({**case.sources, **applied(case.sources, fixes).sources}, tmp_path) == ""


def compiles(sources: dict[str, SourceText], directory: Path) -> str:
    """What the compiler says; nothing if all is well."""
    for path, source in sources.items():
        (directory / path).write_bytes(source.data)
    command = ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", str(directory / "main.c")]
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.stderr if ran.returncode else ""
