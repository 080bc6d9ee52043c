"""Fixtures: Markdown with programs in C and Python, and markers in comments that say what is to be found.

``## Flagged``, ``## Clean`` or ``## Known gaps`` opens a section, each ``###`` heading in it is one program
made of the blocks below it. A block ``c file=vm.c`` is that file, a block ``c`` is ``main.c``, a block
``python`` is ``main.py``; ``target=2.7`` behind it is the Python that the program is written for, where that
is not the default. Markers, several to a line, in Python with ``#`` for ``//``::

    // error: [VMFD101] "words of the message"     a finding on this line (also warning:, note:)
    // step: [VMFD101] 2 "words"                   the second step of its trace is on this line
    // missing: [VMFD101] reason                   should be found here and is not
    // spurious: [VMFD101] reason                  is found here and should not be

A marker alone on its line speaks of the next line that is more than a marker.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from vmfdlint.base import SourceText
from vmfdlint.finding import Finding, Step

FIXTURES = Path(__file__).parent.parent / "fixtures"
SECTIONS = ("Flagged", "Clean", "Known gaps")
_MAIN = {"c": "main.c", "python": "main.py"}
_COMMENT = {"c": "//", "python": "#"}
_MARK = {
    comment: re.compile(
        rf"{comment}\s*(?P<what>error|warning|note|step|missing|spurious):\s*\[(?P<rule>VMFD\d{{3}})\]"
        rf"\s*(?P<number>\d+)?\s*(?:\"(?P<words>[^\"]*)\"|(?P<reason>[^\"{comment[0]}][^{comment[0]}]*))?"
    )
    for comment in _COMMENT.values()
}
_LIKE_MARK = {
    comment: re.compile(rf"{comment}\s*(?:error|warning|note|step|missing|spurious):|(?<![a-z])\[VMFD\d+\]")
    for comment in _COMMENT.values()
}
_FENCE = re.compile(r"```(c|python)(?:\s+file=(\S+))?(?:\s+target=(\d+)\.(\d+))?\s*$")


class FixtureError(Exception):
    """A fixture that is not well-formed; the text names file and line."""


@dataclass
class Marker:
    """One marker. ``line`` is that of the code it speaks of, in its file; ``number`` the step's."""

    what: str
    rule: str
    path: str
    line: int
    number: int
    words: str


@dataclass
class Program:
    """One heading's program. ``folder`` is where its Markdown stands in fixtures/, "." for there itself;
    ``starts`` are the Markdown lines on which its files start, ``target`` is None for the default."""

    folder: str
    stem: str
    section: str
    title: str
    line: int
    target: tuple[int, int] | None = None
    files: dict[str, str] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    markers: list[Marker] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For test reports."""
        short = self.stem[:7] if self.stem.startswith("VMFD") else self.stem
        return f"{Path(self.folder, short)}: {self.title}"

    @property
    def sources(self) -> tuple[SourceText, ...]:
        """Its files as the engine takes them."""
        return tuple(SourceText(path, text.encode()) for path, text in sorted(self.files.items()))

    def where(self, path: str, line: int) -> str:
        """A place of a file as a place in the Markdown."""
        return f"{Path(self.folder, self.stem)}.md:{self.starts[path] + line} ({path}:{line})"


def read(path: Path) -> list[Program]:
    """The programs of one fixture. Raises FixtureError."""
    programs: list[Program] = []
    block: list[str] | None = None
    folder = path.parent.relative_to(FIXTURES).as_posix() if path.is_relative_to(FIXTURES) else "."
    section, file, start, comment = "", "", 0, ""
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name}:{number}"
        if block is not None:
            if text == "```":
                _add(programs, file, start, block, comment, place)
                block = None
            else:
                block.append(text)
        elif fence := _FENCE.match(text):
            language, named, major, minor = fence.groups()
            block, file, start = [], named or _MAIN[language], number
            comment = _COMMENT[language]
            if major and programs:
                programs[-1].target = (int(major), int(minor))
        elif text.startswith("```"):
            raise FixtureError(f"{place}: a block that is neither C nor Python: {text}")
        elif text.startswith("### "):
            if section not in SECTIONS:
                raise FixtureError(f"{place}: a program outside of {', '.join(SECTIONS)}")
            programs.append(Program(folder, path.stem, section, text[4:], number))
        elif text.startswith("## "):
            section = text[3:]
    if block is not None:
        raise FixtureError(f"{path.name}:{start}: the block has no end")
    return programs


def _add(programs: list[Program], file: str, start: int, block: list[str], comment: str, place: str) -> None:
    if not programs:
        raise FixtureError(f"{place}: a block before any heading")
    program = programs[-1]
    if file in program.files:
        raise FixtureError(f"{place}: a second {file} in {program.title!r}")
    program.files[file] = "\n".join(block) + "\n"
    program.starts[file] = start
    waiting: list[Marker] = []
    for number, text in enumerate(block, 1):
        found = [
            Marker(
                m["what"],
                m["rule"],
                file,
                number,
                int(m["number"] or 0),
                (m["words"] or m["reason"] or "").strip(),
            )
            for m in _MARK[comment].finditer(text)
        ]
        if len(found) != len(_LIKE_MARK[comment].findall(text)) - len(found):
            raise FixtureError(
                f"{program.where(file, number)}: a marker that is not understood: {text.strip()}"
            )
        if found and text.lstrip().startswith(comment):
            waiting += found
            continue
        for marker in waiting:
            marker.line = number
        program.markers += waiting + found
        waiting = []
    if waiting:
        raise FixtureError(f"{place}: a marker with no line below it")


def differences(program: Program, findings: tuple[Finding, ...]) -> list[str]:
    """What is found and not marked, marked and not found, or found otherwise; empty if all is as marked."""
    told: list[str] = []
    open_findings = list(findings)
    for marker in program.markers:
        at = program.where(marker.path, marker.line)
        if marker.what == "step":
            if not any(_is_step(marker, finding) for finding in findings):
                told.append(f"{at}: no step {marker.number} {marker.words!r} here")
            continue
        here = [one for one in open_findings if (one.rule, one.at.path, one.at.line) == _place(marker)]
        if marker.what == "missing":
            if here:
                told.append(f"{at}: {marker.rule} is found now: remove missing:")
        elif not here:
            what = "is not found any more: remove spurious:" if marker.what == "spurious" else "is not found"
            told.append(f"{at}: {marker.rule} {what}")
        elif marker.what != "spurious":
            if here[0].level != marker.what:
                told.append(f"{at}: {marker.rule} is {here[0].level}, not {marker.what}")
            if marker.words not in here[0].message:
                told.append(f"{at}: no {marker.words!r} in {here[0].message!r}")
        for one in here:
            open_findings.remove(one)
    for finding in open_findings:
        told.append(_unexpected(program, finding))
    return told


def _place(marker: Marker) -> tuple[str, str, int]:
    return marker.rule, marker.path, marker.line


def _is_step(marker: Marker, finding: Finding) -> bool:
    if finding.rule != marker.rule or not 1 <= marker.number <= len(finding.trace):
        return False
    step: Step = finding.trace[marker.number - 1]
    said = "; ".join((step.text, *step.holders))
    return (step.at.path, step.at.line) == (marker.path, marker.line) and marker.words in said


def _unexpected(program: Program, finding: Finding) -> str:
    at = program.where(finding.at.path, finding.at.line)
    lines = [f"{at}: unexpected {finding.rule} [{finding.level}] {finding.message}"]
    if finding.via:
        lines.append(f"    via {'; '.join(finding.via)}")
    for number, step in enumerate(finding.trace, 1):
        child = "[child] " if step.child else ""
        place = program.where(step.at.path, step.at.line)
        lines.append(f"    {number}. {'  ' * step.depth}{child}{place} in {step.function}: {step.text}")
    return "\n".join(lines)
