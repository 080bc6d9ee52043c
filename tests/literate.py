"""Fixtures: Markdown with programs in C, and markers in their comments that say what is to be found.

``## Flagged``, ``## Clean`` or ``## Known gaps`` opens a section, each ``###`` heading in it is one program
made of the C blocks below it. A block ``c file=vm.c`` is that file, a block ``c`` is ``main.c``. Markers,
several to a line::

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
from vmfdlint.check.finding import Finding, Step

FIXTURES = Path(__file__).parent.parent / "fixtures"
SECTIONS = ("Flagged", "Clean", "Known gaps")
_MARK = re.compile(
    r"//\s*(?P<what>error|warning|note|step|missing|spurious):\s*\[(?P<rule>VMFD\d{3})\]"
    r"\s*(?P<number>\d+)?\s*(?:\"(?P<words>[^\"]*)\"|(?P<reason>[^\"/][^/]*))?"
)
_LIKE_MARK = re.compile(r"//\s*(?:error|warning|note|step|missing|spurious):|\[VMFD\d+\]")
_FENCE = re.compile(r"```c(?:\s+file=(\S+))?\s*$")


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
    """One heading's program. ``lines`` are the Markdown lines on which its files start."""

    stem: str
    section: str
    title: str
    line: int
    files: dict[str, str] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    markers: list[Marker] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For test reports."""
        return f"{self.stem[:7]}: {self.title}"

    @property
    def sources(self) -> tuple[SourceText, ...]:
        """Its files as the engine takes them."""
        return tuple(SourceText(path, text.encode()) for path, text in sorted(self.files.items()))

    def where(self, path: str, line: int) -> str:
        """A place of a file as a place in the Markdown."""
        return f"{self.stem}.md:{self.starts[path] + line} ({path}:{line})"


def read(path: Path) -> list[Program]:
    """The programs of one fixture. Raises FixtureError."""
    programs: list[Program] = []
    block: list[str] | None = None
    section, file, start = "", "", 0
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name}:{number}"
        if block is not None:
            if text == "```":
                _add(programs, file, start, block, place)
                block = None
            else:
                block.append(text)
        elif fence := _FENCE.match(text):
            block, file, start = [], fence[1] or "main.c", number
        elif text.startswith("```"):
            raise FixtureError(f"{place}: a block that is not C: {text}")
        elif text.startswith("### "):
            if section not in SECTIONS:
                raise FixtureError(f"{place}: a program outside of {', '.join(SECTIONS)}")
            programs.append(Program(path.stem, section, text[4:], number))
        elif text.startswith("## "):
            section = text[3:]
    if block is not None:
        raise FixtureError(f"{path.name}:{start}: the block has no end")
    return programs


def _add(programs: list[Program], file: str, start: int, block: list[str], place: str) -> None:
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
            for m in _MARK.finditer(text)
        ]
        if len(found) != len(_LIKE_MARK.findall(text)) - len(found):
            raise FixtureError(
                f"{program.where(file, number)}: a marker that is not understood: {text.strip()}"
            )
        if found and text.lstrip().startswith("//"):
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
