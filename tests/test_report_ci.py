"""The formats of CI systems, held against small checkers of their published schemas and grammars."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from test_report import CONTEXT, DUP, FORK, OUTCOME

from vmfdlint.base import Span
from vmfdlint.finding import Edit, Finding, Fix, Level, Outcome
from vmfdlint.report import Context, formats

EMPTY = Outcome((), ())
ODD = msgspec.structs.replace(
    OUTCOME.findings[0],
    message="100% a,b:\r\n##[error]x ::error::y <b>]]>&\x00\ufffe\ud800 |`_@octocat",
)


def many(level: Level, number: int) -> tuple[Finding, ...]:
    return tuple(msgspec.structs.replace(OUTCOME.findings[0], level=level) for _ in range(number))


def rendered(name: str, *findings: Finding, context: Context = CONTEXT, **fields: Any) -> str:
    outcome = msgspec.structs.replace(OUTCOME, findings=findings, **fields)
    return formats()[name](outcome, context).decode()


# -- github: the grammar of actions/toolkit, docs/commands.md, and what the runner undoes ------------------

COMMAND = re.compile(r"::(?P<name>\w+) (?P<properties>[^:]*)::(?P<text>.*)")
PROPERTIES = {"file", "line", "endLine", "col", "endColumn", "title"}


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in a log, with codes undone. Fails on a line that is half of one."""
    found = []
    for line in text.splitlines():
        if not line.lstrip().startswith("::"):
            assert "##[" not in line  # the older form of a command, taken anywhere in a line
            continue
        match = COMMAND.fullmatch(line)
        assert match, line
        pairs = [pair.split("=") for pair in match["properties"].split(",")]
        assert all(len(pair) == 2 and pair[1] for pair in pairs), line
        undone = {key: unescaped(value) for key, value in pairs}
        assert undone.keys() <= PROPERTIES
        found.append((match["name"], undone, unescaped(match["text"])))
    return found


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_github_commands() -> None:
    context = msgspec.structs.replace(CONTEXT, within="src/")
    first, *rest = commands(rendered("github", *OUTCOME.findings, context=context))
    assert first == ("error", {"title": "vmfdlint"}, "lost.c: " + OUTCOME.problems[1].text)
    assert [name for name, _, _ in rest] == ["error", "notice"]
    _, where, text = rest[0]
    # 😀 is two UTF-16 units.
    line = CONTEXT.line("sub dir/helper.c", 3)
    column = len(line[: line.index("fork()")].encode("utf-16-le")) // 2 + 1
    assert where["file"] == "src/sub dir/helper.c" and where["title"] == "VMFD101 fork-while-vm-live"
    assert (where["line"], where["col"], where["endColumn"]) == ("3", str(column), str(column + 5))
    assert text == OUTCOME.findings[0].message


def test_github_text_is_no_command() -> None:
    log = rendered("github", *[ODD] * 12, problems=())
    told = commands(log)
    assert len(told) == 11 and len(log.splitlines()) == 13
    assert told[0][2].startswith("100% a,b: ")
    odd_path = msgspec.structs.replace(ODD, at=msgspec.structs.replace(ODD.at, path="a,b:c.c"))
    assert commands(rendered("github", odd_path))[1][1]["file"] == "a,b:c.c"


def test_github_leaves_out_columns_over_several_lines() -> None:
    at = msgspec.structs.replace(FORK, end_line=FORK.line + 1)
    where = commands(rendered("github", msgspec.structs.replace(ODD, at=at)))[1][1]
    assert where["endLine"] == str(FORK.line + 1) and "col" not in where


def test_github_shows_ten_of_a_level_and_counts_the_rest() -> None:
    findings = (*many(Level.NOTE, 30), *many(Level.ERROR, 12), *many(Level.WARNING, 10))
    log = rendered("github", *findings, problems=())
    told = commands(log)
    assert [name for name, _, _ in told] == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    assert told[-1][2].startswith("23 more findings in the log of this step")
    assert len(log.splitlines()) == 30 + 23
    assert len(commands(rendered("github", *many(Level.NOTE, 10), problems=()))) == 10
    assert rendered("github", problems=()) == ""


# -- GitLab: docs.gitlab.com, Code Quality report format ---------------------------------------------------


def test_gitlab() -> None:
    context = msgspec.structs.replace(CONTEXT, within="src/")
    found = json.loads(rendered("gitlab", *OUTCOME.findings, OUTCOME.findings[0], context=context))
    for one in found:
        assert one.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert one["description"] and "](" not in one["description"].replace("fds[0](1)", "")
        assert not one["location"]["path"].startswith(("/", "./")) and one["location"]["lines"]["begin"] >= 1
    assert len({one["fingerprint"] for one in found}) == 3
    assert found[0]["location"] == {"path": "src/sub dir/helper.c", "lines": {"begin": 3, "end": 3}}
    assert json.loads(formats()["gitlab"](EMPTY, CONTEXT)) == []


# -- JUnit: junit-10.xsd of Jenkins' xUnit plugin ----------------------------------------------------------

REQUIRED = {
    "testsuites": set[str](),
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    "failure": set[str](),
    "error": set[str](),
}
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": REQUIRED["testsuite"] | {"time", "skipped", "timestamp", "hostname", "id", "package"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
}
INSIDE = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "testsuite", "properties", "system-out", "system-err"},
    "testcase": {"failure", "error", "skipped", "system-out", "system-err"},
    "failure": set[str](),
    "error": set[str](),
}


def junit(text: str) -> ElementTree.Element:
    """The document, checked against the schema, and its counts against what is in it."""
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert REQUIRED[element.tag] <= set(element.keys()) <= ALLOWED[element.tag]
        assert {child.tag for child in element} <= INSIDE[element.tag]
        if element.tag in ("testsuites", "testsuite"):
            for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
                assert int(element.attrib[name]) == len(list(element.iter(tag)))
    return root


def test_junit() -> None:
    root = junit(rendered("junit", *OUTCOME.findings))
    assert [suite.attrib["name"] for suite in root] == ["vmfdlint", "sub dir/helper.c"]
    (failure, *_) = root.iter("failure")
    assert failure.attrib == {"type": "error", "message": OUTCOME.findings[0].message}
    assert failure.text is not None and "\n5. [child] sub dir/helper.c:5:9: the child" in failure.text
    assert next(root.iter("error")).attrib["message"] == OUTCOME.problems[1].text


def test_junit_passes_where_nothing_is_found() -> None:
    root = junit(formats()["junit"](EMPTY, CONTEXT).decode())
    assert root.attrib["tests"] == "1" and not list(root.iter("failure"))


def test_junit_is_xml_whatever_is_scanned() -> None:
    (failure,) = junit(rendered("junit", ODD)).iter("failure")
    assert "<b>]]>&" in failure.attrib["message"] and "\ufffe" not in failure.attrib["message"]


# -- rdjson: proto/rdf/jsonschema/DiagnosticResult.jsonschema of reviewdog ---------------------------------

POSITION = {"line": int, "column": int}
RANGE = {"start": POSITION, "end": POSITION}
LOCATION = {"path": str, "range": RANGE}
DIAGNOSTIC = {
    "message": str,
    "location": LOCATION,
    "severity": str,
    "code": {"value": str, "url": str},
    "suggestions": [{"range": RANGE, "text": str}],
    "related_locations": [{"message": str, "location": LOCATION}],
}
RDJSON = {"source": {"name": str, "url": str}, "severity": str, "diagnostics": [DIAGNOSTIC]}


def shaped(value: Any, shape: Any) -> None:
    """Fails where a value has another type than its shape says, or a key that is not in it."""
    if isinstance(shape, dict):
        assert isinstance(value, dict) and value.keys() <= shape.keys(), value
        for key, inner in value.items():
            shaped(inner, shape[key])
    elif isinstance(shape, list):
        assert isinstance(value, list)
        for inner in value:
            shaped(inner, shape[0])
    else:
        assert type(value) is shape, value


def test_rdjson() -> None:
    name = Span(DUP.path, DUP.line, DUP.col, DUP.line, DUP.col + 3)
    end = Span(DUP.path, DUP.line, DUP.end_col - 1, DUP.line, DUP.end_col - 1)
    edits = (Edit(end, ", F_DUPFD_CLOEXEC, 0"), Edit(name, "fcntl"))
    elsewhere = (Edit(DUP, ""), Edit(OUTCOME.findings[1].related[0].at, ""))
    fixes = (Fix("Copy it with its flag", edits), Fix("Change another file", elsewhere))
    fixed = msgspec.structs.replace(OUTCOME.findings[1], fixes=fixes)
    document = json.loads(rendered("rdjson", OUTCOME.findings[0], fixed))
    shaped(document, RDJSON)
    first, second = document["diagnostics"]
    assert first["severity"] == "ERROR" and "suggestions" not in first
    start, end = first["location"]["range"]["start"], first["location"]["range"]["end"]
    assert (start, end) == (
        {"line": FORK.line, "column": FORK.col},
        {"line": FORK.end_line, "column": FORK.end_col},
    )
    assert len(first["related_locations"]) == 5
    # One stretch of the commented file; a fix that changes another one cannot be suggested there.
    assert second["severity"] == "INFO"
    (suggestion,) = second["suggestions"]
    assert suggestion["text"] == "fcntl(vm->vm_fd, F_DUPFD_CLOEXEC, 0"
    assert suggestion["range"]["start"] == {"line": DUP.line, "column": DUP.col}
    assert suggestion["range"]["end"] == {"line": DUP.end_line, "column": DUP.end_col - 1}
    shaped(json.loads(formats()["rdjson"](EMPTY, CONTEXT)), RDJSON)


# -- others ------------------------------------------------------------------------------------------------


def test_json_lines() -> None:
    lines = rendered("json-lines", *OUTCOME.findings).splitlines()
    whole = json.loads(rendered("json", *OUTCOME.findings))
    assert [json.loads(line) for line in lines] == whole["findings"]


def test_grouped_names_a_file_once() -> None:
    text = rendered("grouped", *OUTCOME.findings)
    assert text.count("sub dir/helper.c") == 1 and text.index("3:") < text.index("6:")


@pytest.mark.parametrize("markup", ["<b>", "|`", "_@octocat"])
def test_markdown_text_is_no_markup(markup: str) -> None:
    assert markup not in rendered("markdown", ODD)


def test_markdown_fits_into_a_step_summary() -> None:
    text = rendered("markdown", *many(Level.ERROR, 10_000))
    assert len(text.encode()) < 1 << 20
    shown = text.count("| error |")
    assert 1_000 < shown < 10_000 and f"{10_000 - shown:,} more findings: the table" in text
