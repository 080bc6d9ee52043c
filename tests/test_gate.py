"""Which findings count: what the command line leaves out is counted, and decides the exit code."""

import json
from pathlib import Path

import msgspec
import pytest
from commands import Run

from vmfdlint import app
from vmfdlint.base import SourceText, Span
from vmfdlint.config import Options
from vmfdlint.finding import Certainty, Finding, Level, Outcome, Role, Statistics, Step


def finding(rule: str, path: str, level: Level = Level.ERROR, *steps: str) -> Finding:
    trace = tuple(Step(Span(step, 1, 1, 1, 2), "a step", Role.CALL) for step in steps)
    return Finding(rule, level, Span(path, 1, 1, 1, 2), "f", "a fault", trace)


FINDINGS = (
    finding("VMFD101", "src/a.c"),
    finding("VMFD201", "src/b.c", Level.WARNING, "src/a.c"),
    msgspec.structs.replace(finding("VMFD501", "tests/t.c", Level.NOTE), certainty=Certainty.MAY),
)


def analyze(sources: tuple[SourceText, ...], options: Options, *_: object) -> Outcome:
    """The findings of the rules and files that are asked for."""
    paths = {source.path for source in sources}
    found = tuple(one for one in FINDINGS if one.rule in options.rules and one.at.path in paths)
    return Outcome(found, app.rule_docs(), statistics=Statistics(files=len(sources)))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three files, one finding each, whatever is in them."""
    monkeypatch.chdir(tmp_path)
    for path in ("src/a.c", "src/b.c", "tests/t.c"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("int f(void) { return 0; }\n")

    monkeypatch.setattr("vmfdlint.app.verdict.analyze", analyze)
    return tmp_path


def told(run: Run, *arguments: str) -> str:
    """The rules in the report, and the last line of it."""
    out = run("check", "--output-format", "concise", "--isolated", *arguments).out.splitlines()
    return " ".join([line.split()[1] for line in out[:-1]] + [out[-1].rpartition(": ")[2]])


def test_all(run: Run, tree: Path) -> None:
    assert told(run) == "VMFD101 VMFD201 VMFD501 3 findings"


def test_per_file_ignores(run: Run, tree: Path) -> None:
    ignored = ("--per-file-ignores", "tests/:VMFD5,src/a.c:ALL")
    assert told(run, *ignored) == "VMFD201 1 finding (2 ignored in their file)"
    assert told(run, "--per-file-ignores", "/a.c:ALL") == told(run)
    assert "not PATTERN:RULE" in run("check", "--per-file-ignores", "tests/").err
    assert (
        "unknown rule 'VMFD1O1' in --per-file-ignores" in run("check", "--per-file-ignores", "a:VMFD1O1").err
    )
    (tree / "src" / "vmfdlint.toml").write_text('[per-file-ignores]\n"/a.c" = ["fork-while-vm-live"]\n')
    assert "1 finding (1 ignored" in run("check", "src").out
    (tree / "src" / "vmfdlint.toml").write_text('per-file-ignores = { "/a.c" = ["VMFD1O1"] }\n')
    assert f"per-file-ignores of {tree}/src/vmfdlint.toml" in run("check", "src").err


def test_min_certainty_counts_what_it_hides(run: Run, tree: Path) -> None:
    assert told(run, "--min-certainty", "must") == (
        "VMFD101 VMFD201 2 findings (1 uncertain, left out by --min-certainty must)"
    )
    document = json.loads(run("check", "--min-certainty", "must", "--output-format", "json").out)
    assert document["left_out"] == [{"count": 1, "why": "uncertain, left out by --min-certainty must"}]


def test_extend_select(run: Run, tree: Path) -> None:
    assert told(run, "--select", "VMFD1", "--extend-select", "vm-fd-leaked") == "VMFD101 VMFD501 2 findings"


@pytest.mark.parametrize(
    ("paths", "level", "code"),
    [
        (".", "note", 1),
        ("tests", "note", 1),
        ("tests", "warning", 0),
        ("src/b.c", "warning", 1),
        (".", "error", 1),
    ],
)
def test_fail_level(run: Run, tree: Path, paths: str, level: str, code: int) -> None:
    assert run("check", paths, "--fail-level", level).code == code
    assert run("check", paths, "--fail-level", level, "--exit-zero").code == 0


def test_project_reports_what_touches_the_paths(run: Run, tree: Path) -> None:
    assert told(run, "src/a.c") == "VMFD101 1 finding"
    # The trace of the one in b.c goes through a.c.
    assert told(run, "src/a.c", "--project", ".") == (
        "VMFD101 VMFD201 2 findings (1 elsewhere in the project)"
    )
    assert told(run, "tests/t.c", "--project", "src") == "VMFD501 1 finding (2 elsewhere in the project)"
    assert told(run, "--project", ".") == told(run)


def test_standard_input(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[SourceText] = []

    def watched(sources: tuple[SourceText, ...], *rest: object) -> Outcome:
        seen[:] = sources
        return analyze(sources, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("vmfdlint.app.verdict.analyze", watched)
    text = app.Surroundings(stdin=b"new")

    def check(*paths: str, **given: object) -> bytes:
        return app.check(app.options_for(paths, given), text).report

    check("-", stdin_filename="src/a.c")
    assert seen == [SourceText("src/a.c", b"new")]
    report = check("-", stdin_filename="src/a.c", project=".")
    assert b"2 findings (1 elsewhere" in report
    assert [source.data == b"new" for source in seen] == [True, False, False]
    assert "needs --stdin-filename" in run("check", "-").err
    assert "give - as a path" in run("check", "src/a.c", "--stdin-filename", "src/a.c").err


def test_several_outputs_in_one_run(run: Run, tree: Path) -> None:
    given = ("--output-format", "sarif:out.sarif", "--output-format", "json:out.json")
    code, out, err = run("check", *given)
    assert code == 1 and not out and err.startswith("Checked 3 files")
    assert len(json.loads((tree / "out.sarif").read_text())["runs"][0]["results"]) == 3
    code, out, err = run("check", *given, "--output-format", "concise", "--color", "always")
    assert len(json.loads((tree / "out.json").read_text())["findings"]) == 3
    assert out.startswith("\x1b[1msrc/a.c") and not err
    (tree / "vmfdlint.toml").write_text('output-format = ["json:x.json", "concise"]\n')
    assert "a fault" in run("check").out and (tree / "x.json").exists()
    assert "would go to one place" in run("check", "--output-format", "json", "--output-format", "full").err
    twice = ("--output-format", "json:x", "--output-format", "sarif:x")
    assert "two formats would go to one place, x" in run("check", *twice).err
    assert "names no file" in run("check", "--output-format", "json:").err
    assert "does not exist" in run("check", "--output-format", "json:gone/x").err


def test_a_file_gets_no_colours(run: Run, tree: Path) -> None:
    run("check", "--color", "always", "--output-format", "concise:out.txt")
    assert "\x1b" not in (tree / "out.txt").read_text()


def test_github_step_summary(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tree / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run("check", "--output-format", "concise")
    assert summary.read_text() == "before\n"
    assert run("check", "--output-format", "github").out.startswith("::error ")
    assert summary.read_text().startswith("before\n## vmfdlint\n")


def test_paths_for_a_code_host_start_at_the_top(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / ".git").mkdir()
    found = app.check(app.options_for(["src"], {"output_format": "gitlab"})).report
    assert b'"path": "src/a.c"' in found
    monkeypatch.chdir(tree / "src")
    monkeypatch.setattr(
        "vmfdlint.app.verdict.analyze", lambda *_: Outcome((finding("VMFD101", "a.c"),), app.rule_docs())
    )
    for name in ("gitlab", "github"):
        assert b"src/a.c" in app.check(app.options_for(["."], {"output_format": name})).report
