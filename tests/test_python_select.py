"""Which Python files are worth a parse: by what they name, and by who imports whom."""

import pytest

from vmfdlint.base import ProblemKind, SourceText
from vmfdlint.frontends.python.hints import Hints
from vmfdlint.frontends.python.import_graph import ImportGraph, imported
from vmfdlint.frontends.python.select import Selection, select

HINTS = Hints(
    strong=(b"debug/kvm",),
    weak=(b"/dev/kvm",),
    requests={"KVM_CREATE_VM": 0xAE01, "KVM_CREATE_DEVICE": 0xC00CAEE0, "KVM_PPC_GET_HTAB_FD": 0x4020AEAA},
    uses=frozenset({"KVM_GET_REGS", "KVM_RUN"}),
    used=frozenset({0x8090AE81, 0xAE80}),
)


def selected(files: dict[str, str], limit: int = 100) -> Selection:
    return select([SourceText(path, text.encode()) for path, text in sorted(files.items())], HINTS, limit)


def paths(found: Selection) -> list[str]:
    return [source.path for source in found.sources]


STRONG = [
    "ioctl(fd, 0xAE01)",
    "ioctl(fd, 0xae01, 0)",
    "ioctl(fd, 0XAe01)",
    "ioctl(fd, 0xAE_01)",
    "ioctl(fd, 0x0000ae01)",
    "CREATE = 0x4020AE01",
    "CREATE = 0xC00CAEE0",
    "ioctl(fd, 44545)",
    "ioctl(fd,44545,0)",
    "CREATE = 3222056672",
    "CREATE = -1072910624",
    "KVM_CREATE_VM = x",
    "Kvm.CREATE_VM",
    "REQUESTS = {'CREATE_DEVICE': 1}",
    "api.KVM_PPC_GET_HTAB_FD",
    "_IO(0xAE, 1)",
    "_IOWR( 0xae ,\n 0xe0, x)",
    "IO(174, 1)",
    "_io(0xAE, 1)",
    "x = 0xAE << 8 | 1",
    "x = (174 << 8) + 1",
    "KVM_TYPE = 0xAE\n",
    "KVM_TYPE = 0xAE  # asm/kvm.h",
    "KVM_TYPE = 0xAE",
    "open('/sys/kernel/debug/kvm')",
    "ioctl(fd, 0x8090AE81, regs)",
    "from kvm import KVM_RUN\nfcntl.ioctl(fd, KVM_RUN)",
]


@pytest.mark.parametrize("text", STRONG)
def test_what_makes_a_holder_is_found(text: str) -> None:
    assert selected({"a.py": text}).strong == {"a.py"}


NOTHING = [
    "",
    "import os\nos.open('a')",
    "x = 0xAE02",
    "x = 0xAE0",
    "x = 0xAE010",
    "x = 0x1AE01FF",
    "x = 144545",
    "x = 44545.5",
    "x = 1.44545",
    "x44545 = 1",
    "SBOX = [0x63, 0xAE, 0x01]",
    "x = [174, 175]",
    "RECREATE_VM",
    "CREATE_VMS",
    "0xAEsthetic",
    "HANGUL = {0xAE80: 1}",
    "KVM_RUN = run()",
    "ioctl(fd, RUN); ioctl(fd, MY_KVM_RUN)",
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_it_is_passed_over(text: str) -> None:
    assert selected({"a.py": text}) == Selection()


def test_a_weak_hint_takes_what_the_file_imports_and_no_more() -> None:
    found = selected(
        {
            "probe.py": "import far\nopen('/dev/kvm')",
            "far.py": "import further",
            "further.py": "",
            "user.py": "import probe",
        }
    )
    assert paths(found) == ["far.py", "probe.py"]
    assert found.weak == {"probe.py"} and found.pulled == {"far.py"} and not found.strong


def test_a_strong_hint_takes_the_importers_and_what_all_of_these_import() -> None:
    found = selected(
        {
            "lib/kvm.py": "from .const import *\nKVM_CREATE_VM = X",
            "lib/const.py": "X = 1",
            "vm.py": "from lib.kvm import Vm",
            "main.py": "if 1:\n    import vm as machine, helper\n",
            "helper.py": "import step1",
            "step1.py": "import step2",
            "step2.py": "import step3",
            "step3.py": "",
            "run": "#!/usr/bin/env python3\nimport vm\n",
            "beside.py": "import helper",
        }
    )
    assert found.strong == {"lib/kvm.py"}
    taken = {"lib/const.py", "vm.py", "main.py", "helper.py", "step1.py", "step2.py", "run"}
    assert found.pulled == taken and not found.problems


def test_a_limit_that_is_reached_is_said_once_and_keeps_the_importers() -> None:
    files = {f"user{number}.py": "import kvm\nimport lib\n" for number in range(3)}
    files |= {"kvm.py": "KVM_CREATE_VM = 1", "lib.py": "import more", "more.py": ""}
    assert len(paths(selected(files, 5))) == 6 and not selected(files, 5).problems
    found = selected(files, 3)
    assert found.pulled == {"user0.py", "user1.py", "user2.py"}
    assert [problem.kind for problem in found.problems] == [ProblemKind.LIMIT]
    assert "3 Python files" in found.problems[0].text and "--exclude" in found.problems[0].text
    assert len(selected(files, 1).pulled) == 1 and len(selected(files, 1).problems) == 1
    assert not selected(files, 0).pulled


IMPORTS = [
    ("import a", {(0, "a")}),
    ("import a.b as c, d\n", {(0, "a.b"), (0, "d")}),
    ("import a, \\\n    b\n", {(0, "a"), (0, "b")}),
    ("import a; b()\n", {(0, "a")}),
    ("import a  # b, c\n", {(0, "a")}),
    ("import a\nimport b\r\nimport c", {(0, "a"), (0, "b"), (0, "c")}),
    ("    import a\n", {(0, "a")}),
    ("from a import b", {(0, "a"), (0, "a.b")}),
    ("from a.b import c as d, e\n", {(0, "a.b"), (0, "a.b.c"), (0, "a.b.e")}),
    ("from a import (  # one\n    b,\n    c as d,  # two, three\n)\n", {(0, "a"), (0, "a.b"), (0, "a.c")}),
    ("from . import a\n", {(1, ""), (1, "a")}),
    ("from .a import *\n", {(1, "a")}),
    ("from .. a import b\n", {(2, "a"), (2, "a.b")}),
    ("from ...a.b import c\n", {(3, "a.b"), (3, "a.b.c")}),
    ("x = 'from a import b'\nfrom_a = important = 1\n", set()),
]


@pytest.mark.parametrize(("text", "wanted"), IMPORTS)
def test_imports_are_read_from_the_text(text: str, wanted: set[tuple[int, str]]) -> None:
    assert set(imported(text.encode())) == wanted


RESOLVED = [
    ("a.py", "import b", ["b.py"], {"b.py"}),
    ("x/a.py", "import b", ["b.py", "x/b.py"], {"x/b.py"}),
    ("x/y/a.py", "import b", ["b.py", "x/b.py", "z/b.py"], {"x/b.py"}),
    ("x/a.py", "import p.b", ["lib/p/b.py", "b.py", "lib/p/__init__.py"], {"lib/p/b.py"}),
    ("x/a.py", "from p import b", ["lib/p/b.py", "lib/p/__init__.py"], {"lib/p/b.py", "lib/p/__init__.py"}),
    ("x/a.py", "from . import b", ["x/b.py", "b.py", "x/__init__.py"], {"x/b.py", "x/__init__.py"}),
    (
        "x/y/a.py",
        "from ..z import c",
        ["x/z/c.py", "z/c.py", "x/z/__init__.pyi"],
        {"x/z/c.py", "x/z/__init__.pyi"},
    ),
    ("a.py", "from ....z import c", ["z.py"], set()),
    ("x/a.py", "import socket", ["socket.py", "x/y/socket.py"], set()),
    ("x/a.py", "import socket", ["x/socket.py"], {"x/socket.py"}),
    ("a.py", "import a", [], set()),
    ("a.py", "import run", ["run"], set()),
]


@pytest.mark.parametrize(("path", "text", "others", "wanted"), RESOLVED)
def test_modules_are_found_by_the_end_of_their_path(
    path: str, text: str, others: list[str], wanted: set[str]
) -> None:
    graph = ImportGraph([SourceText(path, text.encode()), *(SourceText(other, b"") for other in others)])
    assert graph.imports(path) == wanted
    assert all(graph.importers(other) == [path] for other in wanted)
