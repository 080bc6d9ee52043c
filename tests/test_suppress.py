"""Comments that silence: where they are seen, what they reach, how they are written into files."""

import json
from pathlib import Path

import msgspec
import pytest
from commands import Run

from vmfdlint import app
from vmfdlint.base import SourceText
from vmfdlint.finding import Finding, Level, Outcome, Role, Step
from vmfdlint.suppress import Sources, add_comments, named_at, suppress
from vmfdlint.suppress.comments import comments

DOCS = app.rule_docs()
EVERY = frozenset(doc.id for doc in DOCS)


def found_at(source: SourceText, text: str, rule: str = "VMFD101") -> Finding:
    start = source.data.index(text.encode())
    return Finding(rule, Level.ERROR, source.span(start, start + len(text.encode())), "f", "a fault", ())


def sources(*texts: SourceText) -> Sources:
    languages = {text.path: "python" if text.path.endswith(".py") else "c" for text in texts}
    return Sources({text.path: text for text in texts}, languages)


def left(source: SourceText, *findings: Finding, ran: frozenset[str] = EVERY - {"VMFD902"}) -> list[str]:
    """The rules of what is left, with their lines."""
    outcome = suppress(Outcome(findings, DOCS), sources(source), ran)
    return [f"{one.rule}:{one.at.line}" for one in outcome.findings]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("c", "int x; /* a */ // b\n// c", ["a", "b", "c"]),
        ("c", '"/* no */" \'"\' /* yes */ "\\"// no" // y\\\nes', ["yes", "y\\\nes"]),
        ("c", "/* a\n * b */ /* open", ["a\n * b", "open"]),
        ("c", "#error don't\n/* yes */", ["yes"]),
        ("python", "x = 1  # a\n'# no' # b\n", ["a", "b"]),
        ("python", '"""\n# no\n""" # yes\nr\'# no\\\' # no\n# it\'s', ["yes", "it's"]),
        ("python", "f'{x}#' # yes", ["yes"]),
        ("cobol", "# a", []),
    ],
)
def test_comments(language: str, text: str, found: list[str]) -> None:
    assert [one.text for one in comments(SourceText("x", text.encode()), language)] == found


@pytest.mark.parametrize(
    ("code", "silenced"),
    [
        ("fork()  # noqa: VMFD101", True),
        ("fork()  # NOQA:VMFD101", True),
        ("fork()  # noqa: E501,VMFD101 because", True),
        ("fork()  # noqa: E501", False),
        ("fork()  # noqa", False),
        ("fork()  # vmfdlint: ignore[VMFD1, VMFD2]", True),
        ("fork()  # vmfdlint: expect[ALL]", True),
        ("# vmfdlint: ignore[VMFD101]\n# more words\n\nfork()", True),
        ("# vmfdlint: ignore[VMFD101]\nx = 1\nfork()", False),
        ("# vmfdlint: disable[VMFD101]\nx = 1\nfork()\n# vmfdlint: enable[VMFD101]", True),
        ("# vmfdlint: disable[VMFD1]\n# vmfdlint: enable[VMFD1]\nfork()", False),
        ("fork()\n# vmfdlint: ignore-file[VMFD101]", True),
    ],
)
def test_what_a_comment_reaches(code: str, silenced: bool) -> None:
    source = SourceText("x.py", code.encode())
    assert ("VMFD101:" in " ".join(left(source, found_at(source, "fork()")))) is not silenced


def test_noqa_is_of_python() -> None:
    source = SourceText("x.c", b"fork(); /* noqa: VMFD101 */ /* vmfdlint: ignore[VMFD2] */\n")
    assert left(source, found_at(source, "fork()"), ran=frozenset({"VMFD101"})) == ["VMFD101:1"]


def test_the_last_line_of_a_statement_counts() -> None:
    source = SourceText("x.py", b"fork(\n    1,\n)  # vmfdlint: ignore[VMFD101]\n")
    assert left(source, found_at(source, "fork(\n    1,\n)")) == []


def test_a_comment_where_the_descriptor_was_created() -> None:
    create = SourceText("vm.c", b"vm = create(); /* vmfdlint: ignore[VMFD101] kept on purpose */\n")
    other = SourceText("a.c", b"fork();\n")
    step = Step(create.span(5, 13), "created", Role.CREATE)
    finding = msgspec.structs.replace(found_at(other, "fork()"), trace=(step,))
    outcome = suppress(Outcome((finding,), DOCS), sources(create, other), EVERY)
    assert not outcome.findings
    assert [(str(one.at), one.reason) for one in outcome.suppressed] == [("vm.c:1:16", "kept on purpose")]
    moved = msgspec.structs.replace(step, role=Role.MOVE)
    outcome = suppress(
        Outcome((msgspec.structs.replace(finding, trace=(moved,)),), DOCS), sources(create, other), EVERY
    )
    assert [one.rule for one in outcome.findings] == ["VMFD101", "VMFD901"]


def test_what_was_not_looked_for_is_not_unused() -> None:
    source = SourceText("x.py", b"x = 1  # vmfdlint: ignore[VMFD101] why\n")
    assert left(source) == ["VMFD901:1"]
    assert left(source, ran=frozenset({"VMFD201", "VMFD901"})) == []
    assert left(source, ran=frozenset({"VMFD101"})) == []
    outcome = suppress(Outcome((), DOCS), sources(source), EVERY, whole=False)
    assert not outcome.findings
    wrong = SourceText("x.py", b"x = 1  # vmfdlint: ignore why\n")
    assert suppress(Outcome((), DOCS), sources(wrong), EVERY, whole=False).findings


def test_reasons() -> None:
    source = SourceText("x.py", b"fork()  # vmfdlint: ignore[VMFD101]\nfork()  # noqa: VMFD101\n")
    findings = (found_at(source, "fork()"), Finding("VMFD101", Level.ERROR, source.span(36, 42), "", "", ()))
    assert left(source, *findings, ran=EVERY) == ["VMFD902:1"]


@pytest.mark.parametrize(
    ("path", "text", "at", "after"),
    [
        ("a.c", "x();\nfork();\n", "fork()", "x();\nfork(); /* {} */\n"),
        ("a.c", "fork();\r\n", "fork()", "fork(); /* {} */\r\n"),
        ("a.c", "fork();", "fork()", "fork(); /* {} */"),
        ("a.c", "if (fork(\n  0))\n", "fork(\n  0)", "if (fork(\n  0)) /* {} */\n"),
        ("a.c", "#define F \\\n  fork()\n", "fork()", "#define F \\\n  fork() /* {} */\n"),
        ("a.c", "#define F fork() \\\n x\n", "fork()", "#define F fork() /* {} */ \\\n x\n"),
        ("a.c", "\tfork(); // text\n", "fork()", "\t/* {} */\n\tfork(); // text\n"),
        ("a.py", "  fork()\n", "fork()", "  fork()  # {}\n"),
        ("a.py", "fork('''\n''')\n", "fork(", "# {}\nfork('''\n''')\n"),
        ("a.py", "fork( \\\n)\n", "fork(", "# {}\nfork( \\\n)\n"),
    ],
)
def test_add_comments(path: str, text: str, at: str, after: str) -> None:
    source = SourceText(path, text.encode())
    after = after.format("vmfdlint: ignore[VMFD101] why")
    added = add_comments([found_at(source, at)], sources(source), "why")
    assert added.files == ((path, after.encode()),) and added.count == 1 and not added.failed
    again = SourceText(path, after.encode())
    assert left(again, found_at(again, at), ran=frozenset({"VMFD101"})) == []


def test_a_list_that_is_there_gets_longer() -> None:
    source = SourceText("a.c", b"fork(); /* vmfdlint: ignore[VMFD201] other */\n")
    added = add_comments([found_at(source, "fork()")], sources(source), "why")
    assert added.files[0][1] == b"fork(); /* vmfdlint: ignore[VMFD201, VMFD101] other */\n"


def test_several_findings_on_one_line_and_several_lines() -> None:
    source = SourceText("a.c", b"fork(); dup();\nfork2();\n")
    findings = [found_at(source, "fork()"), found_at(source, "dup()", "VMFD201"), found_at(source, "fork2()")]
    added = add_comments(findings, sources(source), "why")
    assert (
        added.files[0][1].decode()
        == (
            "fork(); dup(); /* vmfdlint: ignore[VMFD101, VMFD201] why */\n"
            "fork2(); /* vmfdlint: ignore[VMFD101] why */\n"
        )
        or added.count == 3
    )


def test_where_no_comment_fits() -> None:
    source = SourceText("a.py", b"x = \\\nfork( \\\n)\n")
    finding = found_at(source, "fork(")
    added = add_comments([finding], sources(source), "why")
    assert added.failed == (finding,) and added.count == 0 and added.files == ((source.path, source.data),)


@pytest.fixture
def forking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with one finding, VMFD301."""
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "a.c"
    program.write_text('int main(void)\n{\n    return open("/dev/kvm", O_RDWR);\n}\n')
    return program


def test_add_ignore(run: Run, forking: Path) -> None:
    assert run("check").code == 1
    assert run("check", "--add-ignore", "nothing is executed").out == "Added 1 comment in 1 file\n"
    assert "O_RDWR); /* vmfdlint: ignore[VMFD301] nothing is executed */\n" in forking.read_text()
    code, out, _ = run("check")
    assert code == 0 and out.endswith("0 findings (1 suppressed by a comment)\n")
    assert run("check", "--ignore-suppressions").code == 1
    assert run("check", "--add-ignore", "x */ y").code == 2
    assert run("check", "--add-ignore", "again").out == "Added 0 comments in 0 files\n"


def test_suppressed_findings_are_shown_on_request_only(run: Run, forking: Path) -> None:
    run("check", "--add-ignore", "nothing is executed")
    assert not json.loads(run("check", "--output-format", "json").out)["suppressed"]
    assert not json.loads(run("check", "--output-format", "sarif").out)["runs"][0]["results"]
    shown = json.loads(run("check", "--output-format", "json", "--show-suppressed").out)
    assert shown["suppressed"][0]["reason"] == "nothing is executed" and not shown["findings"]
    (result,) = json.loads(run("check", "--output-format", "sarif", "--show-suppressed").out)["runs"][0][
        "results"
    ]
    (by,) = result["suppressions"]
    assert (by["kind"], by["status"], by["justification"]) == ("inSource", "accepted", "nothing is executed")
    assert by["location"]["physicalLocation"]["region"]["startLine"] == 3


def test_a_part_of_a_program_makes_no_comment_unused(run: Run, forking: Path) -> None:
    forking.write_text("int f(void) { return 0; } /* vmfdlint: ignore[VMFD301] why */\n")
    assert "VMFD901" in run("check").out and run("check", "a.c").code == 0
    assert "VMFD901" in run("check", "a.c", "--project", ".").out


@pytest.mark.parametrize(
    ("path", "text", "word", "named"),
    [
        ("a.c", "f(); /* vmfdlint: ignore[VMFD101, fd-inherited] VMFD301 */", "VMFD101", {"VMFD101"}),
        ("a.c", "f(); /* vmfdlint: ignore[VMFD101, VMFD3] VMFD301 */", "VMFD301", None),
        ("a.c", "f(); // vmfdlint: expect[VMFD30] why", "VMFD30", {"VMFD301", "VMFD302"}),
        ("a.c", "f(); // vmfdlint: expect[VMFD999] why", "VMFD999", None),
        ("a.c", 'f("/* vmfdlint: ignore[VMFD101] */");', "VMFD101", None),
        ("a.c", "f(); /* noqa: VMFD101 */", "VMFD101", None),
        ("a.py", "f()  # noqa: E501, VMFD101", "VMFD101", {"VMFD101"}),
        ("a.py", "f()  # noqa: E501, VMFD101", "E501", None),
        ("a.py", "f('# noqa: VMFD101')", "VMFD101", None),
        ("a.py", "f()  # ä vmfdlint: ignore[VMFD101]", "VMFD101", {"VMFD101"}),
    ],
)
def test_the_rule_under_a_cursor(path: str, text: str, word: str, named: set[str] | None) -> None:
    known = [("VMFD101", "fork"), ("VMFD301", "exec"), ("VMFD302", "spawn")]
    source = SourceText(path, text.encode())
    start = source.data.index(word.encode())
    language = "python" if path.endswith(".py") else "c"
    for offset in (start, start + len(word) - 1):
        found = named_at(source, language, offset, known)
        assert (None if found is None else found[1]) == named
        assert found is None or source.offsets(found[0]) == (start, start + len(word))
    if named:
        assert named_at(source, language, start - 1, known) is None
        assert named_at(source, language, start + len(word), known) is None
