"""The language server: the real process, as an editor drives it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run
from editors import PATIENCE, Editor, Json, edited
from lsprotocol.types import Position

from vmfdlint.app.editor import Look, looks
from vmfdlint.server.texts import Text, moved

HEAD = "#include <fcntl.h>\n#include <linux/kvm.h>\n#include <sys/ioctl.h>\n#include <unistd.h>\n\n"
VM = (
    HEAD
    + """int vm_create(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return ioctl(kvm, KVM_CREATE_VM, 0);
}
"""
)
LATE = """#include <unistd.h>

int vm_create(void);

int main(void)
{
    int vm = vm_create();

    if (fork() == 0) {
        pause();
        _exit(0);
    }
    pause();
    close(vm);
    return 0;
}
"""
EARLY = LATE.replace("    int vm = vm_create();\n\n", "    int vm;\n\n").replace(
    "    }\n", "    }\n    vm = vm_create();\n"
)
OPENS = (
    HEAD
    + """int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    execlp("sleep", "sleep", "60", NULL);
    close(vm);
    return 0;
}
"""
)
KEEPS = OPENS.replace("O_RDWR)", "O_RDWR | O_CLOEXEC)")
SCRIPT = """import fcntl
import os

kvm = os.open("/dev/kvm", os.O_RDWR)
vm = fcntl.ioctl(kvm, 0xAE01, 0)
if os.fork() == 0:
    os.read(0, 1)
    os._exit(0)
os.read(0, 1)
os.close(vm)
"""


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Programs, each a workspace folder."""
    top = tmp_path_factory.mktemp("trees")
    programs: dict[str, dict[str, str]] = {
        "late": {"vm.c": VM, "main.c": LATE},
        "early": {"vm.c": VM, "main.c": EARLY},
        "told": {"vm.c": VM, "main.c": LATE},
        "opens": {"main.c": OPENS},
        "a ü%41#b": {"main.c": OPENS, "c d.c": KEEPS},
        "typed": {"vm.c": VM, "main.c": EARLY},
        "script": {"vm.py": SCRIPT, "none.py": "import os\n\nos.fork()\n"},
        "wide": {"vm.c": VM, "main.c": LATE.replace("    if (fork", "    /* ä🙂 */ if (fork")},
        "settings": {"vm.c": VM, "main.c": LATE, "vmfdlint.toml": 'selekt = ["VMFD1"]\n'},
        "left-out": {"vm.c": VM, "main.c": LATE, "gen/main.c": LATE, "vmfdlint.toml": 'exclude = ["gen/"]\n'},
    }
    for name, files in programs.items():
        for path, text in files.items():
            (top / name / path).parent.mkdir(parents=True, exist_ok=True)
            (top / name / path).write_text(text, encoding="utf-8")
    (top / "linked").symlink_to("late")
    (top / "alone.c").write_text(OPENS, encoding="utf-8")
    return {path.name: path for path in top.iterdir()}


@pytest.fixture(scope="module")
def editor(trees: dict[str, Path]) -> Iterator[Editor]:
    """One editor for all: a server takes longer to start than a small program to be analysed."""
    made = Editor(*(path for path in trees.values() if path.is_dir()))
    yield made
    assert made.leave() == 0


def rules(found: list[Json]) -> list[str]:
    return [one["code"] for one in found]


def test_what_is_found_in_a_program_of_several_files(editor: Editor, trees: dict[str, Path]) -> None:
    (found,) = editor.open(trees["late"] / "main.c")
    assert found["code"] == "VMFD101" and found["severity"] == 1 and found["source"] == "vmfdlint"
    assert found["codeDescription"]["href"].startswith("https://cwe.mitre.org/")
    assert found["range"] == {"start": {"line": 8, "character": 8}, "end": {"line": 8, "character": 14}}
    created = [
        one
        for one in found["relatedInformation"]
        if one["location"]["uri"] == (trees["late"] / "vm.c").as_uri()
        and one["message"].startswith("VM descriptor created here")
    ]
    assert created[0]["location"]["range"]["start"] == {"line": 9, "character": 11}
    assert any("VM held by" in one["message"] for one in found["relatedInformation"])
    assert editor.open(trees["early"] / "main.c") == []


def test_a_folder_behind_a_link(editor: Editor, trees: dict[str, Path]) -> None:
    main = trees["linked"] / "main.c"
    (found,) = editor.open(main)
    assert found["code"] == "VMFD101"
    assert main.as_uri() in [one["location"]["uri"] for one in found["relatedInformation"]]


def test_names_that_an_address_escapes(editor: Editor, trees: dict[str, Path]) -> None:
    folder = trees["a ü%41#b"]
    assert rules(editor.open(folder / "main.c")) == ["VMFD301"]
    assert editor.open(folder / "c d.c") == []


def test_what_is_typed_counts_before_it_is_saved(editor: Editor, trees: dict[str, Path]) -> None:
    main, vm = trees["typed"] / "main.c", trees["typed"] / "vm.c"
    assert editor.open(main) == [] and editor.open(vm) == []
    editor.diagnostics(main)
    editor.change(main, LATE)
    # Another file of the program is saved.
    assert editor.save(vm) == []
    assert rules(editor.diagnostics(main)) == ["VMFD101"]
    assert main.read_text() == EARLY
    # What is closed unsaved is what the disk has.
    assert editor.close(main) == []
    assert editor.open(main) == []


def test_python(editor: Editor, trees: dict[str, Path]) -> None:
    assert rules(editor.open(trees["script"] / "vm.py")) == ["VMFD101"]
    assert editor.open(trees["script"] / "none.py") == []


def test_columns_count_what_the_client_counts(editor: Editor, trees: dict[str, Path]) -> None:
    main = trees["wide"] / "main.c"
    assert editor.begun["capabilities"]["positionEncoding"] == "utf-16"
    (found,) = editor.open(main)
    line = main.read_text(encoding="utf-8").splitlines()[8]
    before = line.index("fork")
    assert found["range"]["start"] == {"line": 8, "character": before + 1}
    assert editor.hover(main, 8, before + 1) is not None
    assert editor.hover(main, 8, before - 1) is None
    (ignore,) = editor.actions(main, found["range"])
    text = edited(main.read_text(encoding="utf-8"), ignore["edit"]["changes"][main.as_uri()])
    assert text.splitlines()[8] == line + " /* vmfdlint: ignore[VMFD101] FIXME: say why */"


def test_a_client_of_another_kind(trees: dict[str, Path]) -> None:
    """It counts bytes, takes edits with versions, and goes without taking leave."""
    capabilities = {
        "general": {"positionEncodings": ["utf-8", "utf-16"]},
        "workspace": {
            "workspaceEdit": {"documentChanges": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
        },
        "textDocument": {"hover": {"contentFormat": ["plaintext"]}},
        "window": {"workDoneProgress": True},
    }
    editor = Editor(trees["wide"], capabilities=capabilities)
    assert editor.begun["capabilities"]["positionEncoding"] == "utf-8"
    (watched,) = editor.answer("client/registerCapability")["registrations"]
    assert {"globPattern": "**/vmfdlint.toml"} in watched["registerOptions"]["watchers"]
    main = trees["wide"] / "main.c"
    (found,) = editor.open(main)
    line = main.read_bytes().splitlines()[8]
    start, end = line.index(b"fork"), len(line)
    assert found["range"]["start"] == {"line": 8, "character": start}
    told = editor.hover(main, 8, start)
    assert told is not None and told["contents"]["kind"] == "plaintext"
    assert editor.hover(main, 8, start - 1) is None
    (ignore,) = editor.actions(main, found["range"])
    (change,) = ignore["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": main.as_uri(), "version": 1}
    assert change["edits"][0]["range"]["start"] == {"line": 8, "character": end}

    editor.answer("window/workDoneProgress/create")
    editor.tell("textDocument/didSave", editor.named(main))
    token = editor.answer("window/workDoneProgress/create")["token"]
    while (begun := editor.heard("$/progress"))["token"] != token:
        pass
    assert begun["value"] == {"kind": "begin", "title": "vmfdlint", "message": "checking wide"}

    # In the middle of an analysis.
    assert editor.process.stdin is not None
    editor.process.stdin.close()
    assert editor.process.wait(PATIENCE) == 1


def test_a_hover_is_the_page_of_the_rule(
    editor: Editor, trees: dict[str, Path], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    main = trees["told"] / "main.c"
    comment = "/* vmfdlint: ignore[VMFD301, VMFD1] a reason */"
    text = LATE + f"\n{comment}\n/* as VMFD301 says */\n"
    assert rules(editor.open(main)) == ["VMFD101"]
    editor.change(main, text)
    page = Run(capsysbinary)("rule", "VMFD101").out
    told = editor.hover(main, 8, 9)
    assert told is not None and told["contents"] == {"kind": "markdown", "value": page}
    assert editor.hover(main, 7, 0) is None and editor.hover(main, 10, 6) is None
    named = editor.hover(main, 17, comment.index("VMFD301") + 3)
    assert named is not None and named["contents"]["value"] == Run(capsysbinary)("rule", "VMFD301").out
    assert named["range"]["start"]["character"] == comment.index("VMFD301")
    several = editor.hover(main, 17, comment.index("VMFD1]"))
    assert several is not None and "VMFD102  " in several["contents"]["value"]
    assert editor.hover(main, 17, comment.index("reason")) is None
    assert editor.hover(main, 18, len("/* as VM")) is None


def test_fixes_and_comments(editor: Editor, trees: dict[str, Path]) -> None:
    main = trees["opens"] / "main.c"
    (found,) = editor.open(main)
    assert found["code"] == "VMFD301"
    fix, ignore = editor.fixes(main, found["range"])
    assert fix["kind"] == ignore["kind"] == "quickfix" and fix["isPreferred"]
    assert edited(OPENS, fix["edit"]["changes"][main.as_uri()]) == KEEPS
    assert [one["title"] for one in editor.actions(main, found["range"], ["quickfix"])] == [
        fix["title"],
        ignore["title"],
    ]
    assert editor.actions(main, found["range"], ["refactor"]) == []
    beside = {"start": {"line": 10, "character": 0}, "end": {"line": 10, "character": 0}}
    assert editor.actions(main, beside) == []

    # Where the text changed, what was found moves along; a fix was not tried there.
    editor.change(main, "\n" + OPENS)
    down = {at: {**found["range"][at], "line": found["range"][at]["line"] + 1} for at in ("start", "end")}
    (moved,) = editor.actions(main, down)
    assert moved["title"] == ignore["title"] == "Ignore VMFD301 on this line"
    assert editor.hover(main, found["range"]["start"]["line"] + 1, found["range"]["start"]["character"])
    silenced = edited("\n" + OPENS, moved["edit"]["changes"][main.as_uri()])
    assert "vmfdlint: ignore[VMFD301] FIXME: say why" in silenced.splitlines()[down["start"]["line"]]
    editor.change(main, OPENS.replace("O_RDWR", "O_RDONLY"))
    assert editor.actions(main, found["range"]) == []

    # Until now the last that came may have been the fixes.
    editor.messages.clear()
    assert editor.save(main, silenced) == []
    assert editor.save(main, KEEPS) == []


def test_settings(editor: Editor, trees: dict[str, Path]) -> None:
    main = trees["settings"] / "main.c"
    editor.show(main)
    told = editor.heard("window/showMessage")
    assert told["type"] == 1 and "unknown key 'selekt': did you mean 'select'?" in told["message"]
    assert "vmfdlint.toml:1" in told["message"]
    settings = trees["settings"] / "vmfdlint.toml"
    settings.write_text('select = ["VMFD1"]\n')
    assert rules(editor.save(main)) == ["VMFD101"]
    settings.write_text('select = ["VMFD2"]\n')
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": settings.as_uri(), "type": 2}]})
    assert editor.diagnostics(main) == []


def test_what_is_left_out_is_not_checked(editor: Editor, trees: dict[str, Path]) -> None:
    main, made = trees["left-out"] / "main.c", trees["left-out"] / "gen" / "main.c"
    editor.show(made)
    assert rules(editor.open(main)) == ["VMFD101"]
    assert not [one for one in editor.messages if one.get("params", {}).get("uri") == made.as_uri()]
    # A file that nobody saved yet is part of the program.
    new = trees["left-out"] / "new.c"
    assert rules(editor.open(new, LATE)) == ["VMFD101"]


def test_a_file_outside_of_the_workspace(editor: Editor, trees: dict[str, Path]) -> None:
    assert rules(editor.open(trees["alone.c"])) == ["VMFD301"]


@pytest.mark.parametrize(
    ("encoding", "characters"), [("utf-8", (0, 2, 6, 7)), ("utf-16", (0, 1, 3, 4)), ("utf-32", (0, 1, 2, 3))]
)
def test_positions(encoding: str, characters: tuple[int, ...]) -> None:
    """Lines end as the protocol has it: at LF, CRLF and CR, and not at a form feed."""
    data = "a\fb\r\nc\rä🙂d\ne".encode()
    text = Text(data, encoding)
    places = [(n, text.position(n)) for n in range(len(data) + 1) if n == len(data) or data[n] & 0xC0 != 0x80]
    assert [(at.line, at.character) for n, at in places if at.line == 2] == [(2, one) for one in characters]
    assert {at.line for _, at in places} == {0, 1, 2, 3}
    for offset, at in places:
        if data[offset : offset + 1] != b"\n" or data[offset - 1 : offset] != b"\r":
            assert text.offset(at) == offset
    assert text.offset(Position(0, 99)) == 3 and text.offset(Position(99, 0)) == len(data)
    # In the middle of a character is before it.
    assert text.offset(Position(2, characters[2] - 1)) <= data.index("🙂".encode())


def test_what_moves_along_when_a_text_changes() -> None:
    old, new = b"one two three", b"one 2 three"
    place = moved(old, new)
    assert place(0, 3) == (0, 3)
    assert place(8, 13) == (6, 11)
    assert place(4, 7) is None and place(0, 13) is None
    assert moved(b"aa", b"aaa")(0, 2) == (0, 2)
    assert moved(old, old)(4, 7) == (4, 7)


def test_nothing_but_the_cache_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the settings say; and the fix of what is typed is that of the typed text."""
    monkeypatch.chdir(tmp_path)
    main = tmp_path / "main.c"
    main.write_text(KEEPS)
    (tmp_path / "vmfdlint.toml").write_text('fix = true\noutput-format = ["sarif:out.sarif"]\n')
    first, second = looks(Look(str(tmp_path), {str(main): OPENS.encode()}))
    assert first.complete and second.complete and not first.errors
    (remark,) = second.remarks[str(main)]
    assert remark.rule == "VMFD301" and [fix.safe for fix in remark.fixes] == [True]
    assert main.read_text() == KEEPS and sorted(path.name for path in tmp_path.iterdir()) == [
        ".vmfdlint_cache",
        "main.c",
        "vmfdlint.toml",
    ]
    (only,) = looks(Look(str(tmp_path), {str(main): KEEPS.encode()}))
    assert only.remarks == {str(main): ()}


def test_a_crash_takes_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.c").write_text(OPENS)

    def crash(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("vmfdlint.app.verdict.analyze", crash)
    (seen,) = looks(Look(str(tmp_path), {str(tmp_path / "main.c"): OPENS.encode()}))
    assert not seen.complete and "too deep" in seen.errors[0]
    gone = tmp_path / "gone"
    (seen,) = looks(Look(str(gone / "here"), {}))
    assert not seen.complete and "cannot be read" in seen.errors[0]


def test_without_pygls(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "pygls" or "vmfdlint.server" in one]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    done = Run(capsysbinary)("server")
    assert done.code == 2 and not done.out
    assert done.err == (
        "Error: the language server needs pygls 2.0 or later: pip install 'vmfdlint[server]'\n"
    )
