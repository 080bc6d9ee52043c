"""Link units from a compilation database: what the build puts together decides, where it says so."""

import json
from pathlib import Path

import pytest

from vmfdlint import app
from vmfdlint.discover import discover
from vmfdlint.link.build import Build

MAIN = """
int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    if (vm < 0)
        return 1;
    after_start();
    wait(NULL);
    close(vm);
    return 0;
}
"""
FORKS = "void after_start(void)\n{\n    if (fork() == 0) {\n        pause();\n        _exit(0);\n    }\n}\n"
PRINTS = 'void after_start(void)\n{\n    puts("started");\n}\n'


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def database(*entries: tuple[str, str]) -> str:
    return json.dumps(
        [
            {"directory": ".", "file": f"../{file}", "output": output, "command": f"cc -c ../{file}"}
            for file, output in entries
        ]
    )


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {"src/main.c": MAIN, "one/start.c": FORKS, "two/start.c": PRINTS})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rules(tree: Path) -> list[str]:
    options = app.options_for(["."], {"output_format": "json"})
    return [found["rule"] for found in json.loads(app.check(options).report)["findings"]]


def test_without_a_build_both_definitions_count(tree: Path) -> None:
    assert rules(tree) == ["VMFD101"]


@pytest.mark.parametrize(("linked", "found"), [("one", ["VMFD101"]), ("two", [])])
@pytest.mark.parametrize("form", ["vmm.p/x.o", "CMakeFiles/vmm.dir/x.o"])
def test_the_definition_that_is_linked_counts(tree: Path, linked: str, found: list[str], form: str) -> None:
    other = "one" if linked == "two" else "two"
    write(
        tree,
        {
            "build/compile_commands.json": database(
                ("src/main.c", form),
                (f"{linked}/start.c", form),
                (f"{other}/start.c", form.replace("vmm", "tool")),
            )
        },
    )
    assert rules(tree) == found


@pytest.mark.parametrize(("listed", "found"), [("one", ["VMFD101"]), ("two", [])])
def test_a_database_without_targets_says_what_is_built(tree: Path, listed: str, found: list[str]) -> None:
    entries = [{"directory": str(tree), "file": file} for file in ("src/main.c", f"{listed}/start.c")]
    write(tree, {"compile_commands.json": json.dumps(entries)})
    assert rules(tree) == found


def test_targets_come_from_output_and_from_the_command(tree: Path) -> None:
    entries = [
        {"directory": str(tree), "file": "src/main.c", "arguments": ["cc", "-o", "vmm.p/main.o", "-c"]},
        {"directory": str(tree), "file": "one/start.c", "command": 'cc -o "tool.p/x y.o" -c one/start.c'},
        {"directory": str(tree), "file": "two/start.c", "command": "cc 'broken"},
    ]
    write(tree, {"compile_commands.json": json.dumps(entries)})
    assert discover(["."]).targets == {"one/start.c": ("tool",), "src/main.c": ("vmm",), "two/start.c": ()}


@pytest.mark.parametrize("text", ["{", "[{}]", '{"directory": 1}'])
def test_a_broken_database_is_named_and_the_rest_is_read(tree: Path, text: str) -> None:
    write(tree, {"compile_commands.json": text})
    found = discover(["."])
    assert len(found.files) == 3 and not found.targets
    assert [problem.path for problem in found.problems] == ["compile_commands.json"]
    assert "remove it" in found.problems[0].text


def test_programs_of_a_file() -> None:
    build = Build(
        {"a.c": ("x",), "main.c": ("x",), "b.c": ("x", "lib"), "tool.c": ("y",), "util.c": ("lib",)}
    )
    assert build.programs("b.c", ["main.c", "tool.c"]) == {"main.c"}
    assert build.programs("util.c", ["main.c", "tool.c"]) == set()
    assert build.beside("a.c", ["b.c", "tool.c", "new.c"]) == {"b.c"}
