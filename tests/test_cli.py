"""The command line: exit codes, what is said about bad input, and that nothing else is said."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from vmfdlint import __version__, app
from vmfdlint.base import SourceText, Span
from vmfdlint.config import Options
from vmfdlint.finding import Finding, Level, Outcome, Statistics

REPOSITORY = Path(__file__).parent.parent
FINDING = Finding("VMFD101", Level.ERROR, Span("a.c", 1, 1, 1, 2), "f", "a fork", ())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.c").write_text("int f(void) { return fork(); }\n")
    return tmp_path


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine finds one thing, whatever it is given."""

    def analyze(sources: tuple[SourceText, ...], options: Options, *_: object) -> Outcome:
        return Outcome((FINDING,), app.rule_docs(), statistics=Statistics(files=len(sources)))

    monkeypatch.setattr("vmfdlint.app.verdict.analyze", analyze)


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("vmfdlint.app.verdict.analyze", crash)
    monkeypatch.setattr("vmfdlint.app.show.show_flow", crash)


def test_clean(run: Run, here: Path) -> None:
    code, out, err = run("check", "-j", "1")
    assert code == 0 and not err
    assert out.splitlines()[-1].startswith("Checked 1 file")


def test_findings(run: Run, here: Path, found: None) -> None:
    assert run("check").code == 1
    assert run("check", "--exit-zero").code == 0
    quiet = run("check", "-q", "--output-format", "concise")
    assert quiet == (1, "a.c:1:1: VMFD101 [error] a fork\n", "")
    # Not all could be done, although there are findings.
    both = run("check", "a.c", "gone.c", "--exit-zero")
    assert both.code == 2 and "VMFD101" in both.out
    assert both.err == "error: gone.c: does not exist: check the path\n"


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_machine_formats_keep_the_output_clean(run: Run, here: Path, found: None, name: str) -> None:
    code, out, err = run("check", "--output-format", name)
    assert code == 1 and json.loads(out) and err.startswith("Checked 1 file")


def test_output_file(run: Run, here: Path, found: None) -> None:
    code, out, err = run("check", "--output-format", "sarif", "-o", "out.sarif")
    assert code == 1 and not out and err.startswith("Checked 1 file")
    assert json.loads((here / "out.sarif").read_text())["runs"][0]["invocations"][0]["exitCode"] == 1
    assert "is a directory" in run("check", "-o", ".").err
    assert "does not exist" in run("check", "-o", "no/out.txt").err
    (here / "full").symlink_to("/dev/full")
    written = run("check", "-o", "full")
    assert written.code == 2 and "cannot be written" in written.err


def test_times_and_the_command_line_only_on_request(run: Run, here: Path, found: None) -> None:
    first, second = (run("check", "--output-format", "sarif", "-j", jobs).out for jobs in "12")
    assert first == second and "commandLine" not in first
    asked = json.loads(run("check", "--output-format", "sarif", "--statistics").out)
    assert {"commandLine", "startTimeUtc", "endTimeUtc"} <= asked["runs"][0]["invocations"][0].keys()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "gone"], "error: gone: does not exist"),
        (["check", "--select", "VMFD1O1"], "unknown rule 'VMFD1O1' in --select: did you mean VMFD101?"),
        (["check", "--select", "VMFD999"], "'VMFD999' in --select: `vmfdlint rule --all` lists them"),
        (["check", "--select", ""], "is empty: name something"),
        (["check", "--ignore", "nonsense"], "in --ignore"),
        (["check", "vm.cpp"], "vm.cpp: is C++, which is not analysed yet"),
        (["check", "--output-format", "xml"], "'xml' is none of concise, full, github"),
        (["check", "--jobs", "-1"], "-1"),
        (["check", "--outputformat", "full"], "--output-format"),
        (["check", "--exclude", "!"], "--exclude"),
        (["check", ""], "an empty path"),
        (["check", "--target-python", "4"], "'4' is no version of Python from 2.7 to 3.x, such as 3.13"),
        (["check", "--target-python", "1"], "'1' is no version of Python from 2.7 to 3.x, such as 3.13"),
        (["check", "--models", "gone.toml"], "gone.toml"),
        (["check", "a.c", "nul.c"], "error: nul.c: is not a text file"),
        (["chek"], "No such command 'chek'"),
        (["rule"], "Name a rule"),
        (["rule", "VMFD999x"], "unknown rule"),
        (["show", "ir", "a.c"], "FILE::FUNCTION"),
        (["show", "ir", "a.c::g"], "no function 'g' in a.c"),
        (["show", "ir", "gone.c::g"], "gone.c"),
        (["models", "check", "gone.toml"], "gone.toml"),
        (["models", "check", "bad.toml"], "bad.toml:2"),
    ],
)
def test_bad_input(run: Run, here: Path, arguments: list[str], words: str) -> None:
    (here / "nul.c").write_bytes(b"\0")
    (here / "vm.cpp").touch()
    (here / "bad.toml").write_text("[[api]]\nnamess = { c = ['x'] }\n")
    code, _, err = run(*arguments)
    assert code == 2 and words in err and "Traceback" not in err


def test_bad_settings(run: Run, here: Path) -> None:
    (here / "vmfdlint.toml").write_text('\nselct = ["ALL"]\n')
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert err == f"error: {here}/vmfdlint.toml:2: unknown key 'selct': did you mean 'select'?\n"


def test_settings_say_where_they_stand(run: Run, here: Path) -> None:
    (here / "vmfdlint.toml").write_text('select = ["VMFD8"]\n')
    assert f"'VMFD8' in select of {here}/vmfdlint.toml" in run("check").err
    (here / "vmfdlint.toml").write_text('models = ["own.toml"]\n')
    assert run("check").code == 2 and "own.toml" in run("check").err
    (here / "own.toml").write_text("[[neutral]]\nnames = ['f']\n")
    assert run("check").code == 0


def test_nothing_is_said_of_files_that_were_not_read(run: Run, here: Path) -> None:
    code, out, _ = run("check", "gone.c")
    assert code == 2 and "No source" not in out and "No C or Python sources" not in out


def test_what_no_main_reaches_is_said(run: Run, here: Path) -> None:
    (here / "a.c").write_text("int f(int kvm) { return ioctl(kvm, KVM_CREATE_VM, 0); }\n")
    assert "These files hold no main()" in run("check").out
    (here / "b.c").write_text("int main(void) { return 0; }\n")
    assert "from no main()" in run("check").out
    (here / "b.c").write_text("int main(void) { return f(open(0, 0)); }\n")
    assert "main()" not in run("check").out


def test_a_named_path_without_rights_does_not_stop_the_others(
    run: Run, here: Path, found: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "closed").mkdir()
    (here / "closed" / "b.c").touch()
    (here / "secret.c").touch()
    look, access = os.stat, os.access

    def refuse(path: str | int, *rest: Any, **more: Any) -> os.stat_result:
        if f"{here}/closed/" in str(path):
            raise PermissionError(13, "Permission denied")
        return look(path, *rest, **more)

    monkeypatch.setattr("os.stat", refuse)
    monkeypatch.setattr("os.access", lambda path, *rest: path != "secret.c" and access(path, *rest))
    code, out, err = run("check", "closed/b.c", "secret.c", "a.c")
    assert code == 2 and "VMFD101" in out
    told = "cannot be read (Permission denied): check the path and its permissions"
    assert err == f"error: closed/b.c: {told}\n"
    # Neither settings nor .gitignore nor a checkout can be looked for in there.
    assert (run("check", "closed").code, run("check", "closed/b.c").code) == (1, 2)


def test_latin1_is_checked(run: Run, here: Path) -> None:
    (here / "latin.c").write_bytes(b"/* gr\xf6\xdfer */ int f(void) { return 0; }\n")
    assert run("check", "-j", "1").code == 0


def test_python_that_is_read_roughly_is_told_and_counted(run: Run, here: Path) -> None:
    (here / "old.py").write_text('import os\nos.open("/dev/kvm", 2)\nprint "opened"\n')
    (here / "new.py").write_text('import os\nos.open("/dev/kvm", 2)\n')
    for name in ("full", "concise", "json"):
        code, out, err = run("check", "--output-format", name)
        assert code == 0 and err.count("parse: old.py:3:1: is Python 2: read roughly") == 1
        assert "new.py" not in err and "files (1 partly parsed)" in (err if name == "json" else out)
    assert run("check", "-q").err == ""
    assert run("check", "-v").err.count("old.py") == 1


def test_a_crash_ends_with_2(run: Run, here: Path, crashing: None) -> None:
    code, out, err = run("check")
    assert code == 2 and out.startswith("Checked 1 file")
    assert err.startswith("error: vmfdlint crashed in the analysis: RecursionError: too deep at test_cli.py:")
    assert "Traceback" not in err and "Traceback" in run("check", "-v").err
    assert run("show", "flow").code == 2


def test_a_language_without_its_second_number_is_the_latest(run: Run, here: Path) -> None:
    for short, long in (("2", "2.7"), ("3", "3.13")):
        shown = [run("check", "--show-settings", "--target-python", one).out for one in (short, long)]
        assert shown[0] == shown[1] and f'"{long}"' in shown[0]


def test_no_flow_is_told(run: Run, here: Path) -> None:
    (here / "a.c").write_text("int main(void) { return 0; }\n")
    assert run("show", "flow").out.startswith("No source of a KVM descriptor")


def test_silence_is_explained(run: Run, here: Path) -> None:
    (here / "a.c").unlink()
    assert run("check").out.startswith("No C or Python sources (.c, .h, .py) in .:")
    (here / "b.c").touch()
    (here / "d.cc").touch()
    (here / ".gitignore").write_text("*.c\n")
    code, out, _ = run("check")
    assert code == 0 and "left out by .gitignore" in out and ".cc/.cpp files not analysed: 1" in out


def test_rule_and_version(run: Run) -> None:
    assert run("version").out == run("--version").out == f"vmfdlint {__version__}\n"
    assert run("rule", "--all").out.startswith("VMFD101  error")
    assert run("rule", "fork-while-vm-live").out.startswith("# VMFD101 fork-while-vm-live\n")
    pages = run("rule", "--all", "--output-format", "markdown").out
    assert "# VMFD101 fork-while-vm-live\n" in pages and "# VMFD505 mapping-release-incomplete\n" in pages
    told = json.loads(run("rule", "VMFD306", "VMFD404", "--output-format", "json").out)
    assert [each["id"] for each in told] == ["VMFD306", "VMFD404"]
    assert told[0]["page"]["evidence"]["programs"] and told[1]["page"]["evidence"]["lines"]
    assert run("models", "check").code == 0
    assert "Exit codes" in run("check", "--help").out


def test_version_loads_no_engine() -> None:
    code = (
        "import sys; from vmfdlint import cli; cli.run(['--version']);"
        "print(sorted({'tree_sitter', 'msgspec', 'rustworkx', 'vmfdlint.app'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY, check=True)
    assert done.stdout.decode().splitlines() == [f"vmfdlint {__version__}", "[]"]


def test_a_reader_that_leaves_early(here: Path) -> None:
    """``| head``: no complaint, and the exit code is the run's own."""
    code = "import sys; from vmfdlint.cli import output; sys.exit(output.out(b'x' * 1_000_000))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_ctrl_c(here: Path) -> None:
    code = (
        # Whoever starts the tests in the background has them ignore the signal.
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from vmfdlint import cli; from vmfdlint.app import verdict;"
        "verdict.analyze = lambda *_: (print('begun', flush=True), time.sleep(60));"
        "sys.exit(cli.run(['check', sys.argv[1]]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(here)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read().decode().strip() == "Interrupted: nothing was reported"


def test_a_full_disk_ends_with_2(here: Path) -> None:
    code = "import sys; from vmfdlint import cli; sys.exit(cli.run(['rule', '--all']))"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, cwd=REPOSITORY
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: the output cannot be written") and b"Traceback" not in done.stderr


def test_the_process_ends_when_all_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not take down what it built, and still loses none of its output."""
    monkeypatch.chdir(REPOSITORY)
    command = ["check", "-q", "--no-cache", "--output-format", "sarif", "fixtures/programs/minivmm"]
    told = run(*command)
    assert len(told.out) > 0x10000, "more than a pipe holds"
    done = subprocess.run([sys.executable, "-m", "vmfdlint", *command], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == told


def test_what_would_be_done(run: Run, here: Path) -> None:
    assert run("check", "--show-files") == (0, "a.c\n", "")
    (here / "vmfdlint.toml").write_text("jobs = 3\n")
    shown = run("check", "--show-settings").out
    assert f"# settings from {here}/vmfdlint.toml" in shown and "\njobs = 3\n" in shown
    assert "jobs = 0  # a whole number" in run("config").out
    assert run("config", "zz") == (2, "", "error: no setting 'zz': `vmfdlint config` lists them\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Run, shell: str) -> None:
    assert "_VMFDLINT_COMPLETE" in run("completion", shell).out


def test_completion_knows_rules_and_formats(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def completed(words: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        code = "from vmfdlint.cli import cli; cli(prog_name='vmfdlint')"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"_VMFDLINT_COMPLETE": "bash_complete", "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            check=False,
        )
        return [line.partition(",")[2] for line in done.stdout.decode().splitlines()]

    assert completed("vmfdlint check --output-format gi") == ["github", "gitlab"]
    rules = [doc.id for doc in app.rule_docs()]
    assert completed("vmfdlint rule VMFD10") == [rule for rule in rules if rule.startswith("VMFD10")]
