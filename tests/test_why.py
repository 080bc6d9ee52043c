"""``vmfdlint why FILE:LINE``: who holds the VM on a line, and what would let it die."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Run

MACHINE_C = """\
struct machine { int vmfd; void *run; };

static void die(void)
{
    exit(1);
}

static void idle(void)
{
    pause();
}

static void start(struct machine *m, int kvm)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    m->vmfd = vm;
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    m->run = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vcpu, 0);
    close(vcpu);
}

int main(void)
{
    struct machine m;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    pause();
    start(&m, kvm);
    idle();
    munmap(m.run, 4096);
    close(m.vmfd);
    pause();
    die();
    pause();
    return 0;
    pause();
}

static void never(void)
{
    pause();
}

/* nothing follows */
"""
CHILDREN_C = """\
static void serve(void)
{
    pause();
    _exit(0);
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    int kept = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (fork() == 0) {
        close(kept);
        serve();
    }
    if (fork() == 0) {
        close_range(3, ~0U, 0);
        pause();
        _exit(0);
    }
    close(vm);
    close(kept);
    pause();
    return 0;
}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def line_of(path: Path, text: str, number: int = 1) -> int:
    """The line that holds ``text`` for the ``number``-th time."""
    lines = [at for at, line in enumerate(path.read_text().splitlines(), 1) if text in line]
    return lines[number - 1]


def asked(run: Run, path: Path, text: str, number: int = 1) -> dict[str, Any]:
    """The answer for such a line, as JSON."""
    result = run("why", f"{path.name}:{line_of(path, text, number)}", "--output-format", "json")
    assert result.code == 0, result.err
    told: dict[str, Any] = json.loads(result.out)
    return told


def ends(run: Run, path: Path, text: str, number: int = 1) -> list[str]:
    told = asked(run, path, text, number)
    assert (told["verdict"] == "held") == bool(told["ends"])
    found: list[str] = told["ends"]
    return found


def test_one_call_for_each_reference(run: Run, tree: Path) -> None:
    path = tree / "m.c"
    path.write_text(MACHINE_C)
    assert ends(run, path, "close(vcpu)") == ["close(vm)", "close(vcpu)", "munmap(m->run, its length)"]
    assert ends(run, path, "    idle()") == ["close(m.vmfd)", "munmap(m.run, its length)"]
    # A function that touches none of them is told of those of its callers.
    assert ends(run, path, "pause();") == ["close(m.vmfd) in main", "munmap(m.run, its length) in main"]
    assert ends(run, path, "close(m.vmfd)") == ["close(m.vmfd)"]


def test_nothing_is_held(run: Run, tree: Path) -> None:
    path = tree / "m.c"
    path.write_text(MACHINE_C)
    assert asked(run, path, "pause();", 2)["verdict"] == "free"
    after = asked(run, path, "pause();", 3)
    assert (after["verdict"], after["text"], after["holders"]) == ("free", "nothing holds a VM here", [])


def test_where_control_never_comes(run: Run, tree: Path) -> None:
    path = tree / "m.c"
    path.write_text(MACHINE_C)
    for number in (4, 6):
        told = asked(run, path, "pause();", number)
        assert (told["verdict"], told["text"]) == ("unreached", "control never comes here")
    assert told["notes"] == ["nothing calls never()"]
    told = asked(run, path, "pause();", 5)
    assert told["text"] == "nothing is executed here: no code, or code that control never comes to"


def test_lines_without_code(run: Run, tree: Path) -> None:
    path = tree / "m.c"
    path.write_text(MACHINE_C)
    assert asked(run, path, "nothing follows")["verdict"] == "no code"
    assert asked(run, path, "struct machine {")["verdict"] == "no code"
    # Inside a function the next code stands for the line.
    told = asked(run, path, "struct machine m;")
    assert (told["verdict"], told["at"]["line"]) == ("free", line_of(path, "int kvm = open"))
    text = run("why", f"m.c:{line_of(path, 'struct machine m;')}").out
    assert "nothing is executed on line 24 itself: this is about line 25" in text


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("m.c", "is not FILE:LINE"),
        ("gone.c:3", "gone.c: no such file"),
        ("m.c:0", "m.c has 43 lines, and no line 0"),
        ("m.c:44", "m.c has 43 lines, and no line 44"),
        ("read.me:1", "read.me: is not read"),
        (".:1", ".: no such file"),
    ],
)
def test_places_that_are_none(run: Run, tree: Path, place: str, said: str) -> None:
    (tree / "m.c").write_text(MACHINE_C)
    (tree / "read.me").write_text("hello\n")
    code, out, err = run("why", place, "--exclude", "read.me", "--force-exclude")
    assert (code, out) == (2, "") and said in err


TEXT = """\
m.c:10 in idle: 2 references hold the VM here
  10 | pause();
  reached by: main (m.c:28) -> idle

This process:
  1. VM descriptor in m.vmfd of main
       m.c:15:14 in start: VM descriptor created here by ioctl(KVM_CREATE_VM)
       m.c:16:5 in start: stored in m->vmfd
       m.c:28:5 in main: calls idle
  2. kvm_run mapping in m.run of main
       m.c:17:16 in start: vCPU descriptor created here by ioctl(KVM_CREATE_VCPU)
       m.c:18:14 in start: kvm_run mapping created here by mmap
       m.c:28:5 in main: calls idle

The VM dies here once each of them has ended:
  1. close(m.vmfd) in main
  2. munmap(m.run, its length) in main
"""


def test_text(run: Run, tree: Path) -> None:
    (tree / "m.c").write_text(MACHINE_C)
    assert run("why", "m.c:10:3").out == TEXT


def parties(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["party"], one["what"]) for one in told["holders"]]


def test_children(run: Run, tree: Path) -> None:
    path = tree / "c.c"
    path.write_text(CHILDREN_C)
    # In the first child, in a function that knows nothing of the VM.
    assert parties(asked(run, path, "pause();")) == [
        ("self", "VM descriptor"),
        ("creator", "VM descriptor"),
        ("creator", "vCPU descriptor"),
    ]
    # The second child has closed everything; the first one goes on.
    assert parties(asked(run, path, "pause();", 2)) == [
        ("creator", "VM descriptor"),
        ("creator", "vCPU descriptor"),
        ("child", "VM descriptor"),
    ]
    # The creator has closed its own.
    told = asked(run, path, "pause();", 3)
    assert parties(told) == [("child", "VM descriptor")]
    assert told["holders"][0]["waits"] == "waits in pause() in serve()"
    assert told["ends"] == ["close(vm) in the child forked at c.c:12:9, before c.c:14:9"]


def test_a_creator_that_runs_the_line_too_is_not_told_twice(run: Run, tree: Path) -> None:
    path = tree / "c.c"
    path.write_text(CHILDREN_C.replace("        serve();\n", "").replace("        _exit(0);\n", ""))
    told = asked(run, path, "close(vm);")
    assert ("creator", "VM descriptor") not in parties(told)
    assert [one["since"] is not None for one in told["holders"] if one["what"] == "VM descriptor"] == [
        False,
        True,
    ]


def test_what_left_the_process(run: Run, tree: Path) -> None:
    (tree / "w.py").write_text(
        "import fcntl, multiprocessing, os, signal, socket, subprocess\n"
        "def work(): pass\n"
        "def main(peer):\n"
        "    kvm = os.open('/dev/kvm', os.O_RDWR)\n"
        "    vm = fcntl.ioctl(kvm, 0xAE01, 0)\n"
        "    multiprocessing.Process(target=work).start()\n"
        "    subprocess.Popen(['helper'], pass_fds=[vm])\n"
        "    socket.send_fds(peer, [b'x'], [vm])\n"
        "    signal.pause()\n"
        "main(socket.socket())\n"
    )
    told = asked(run, tree / "w.py", "signal.pause()")
    assert parties(told) == [
        ("self", "VM descriptor"),
        ("worker", "VM descriptor"),
        ("program", "VM descriptor"),
        ("receiver", "VM descriptor"),
    ]
    assert told["ends"] == [
        "os.close(vm)",
        "the worker process forked at w.py:6:5 ends",
        "the program started at w.py:7:5 ends, or closes it",
        "whoever gets what is sent at w.py:8:5 closes it",
    ]
    # Before they are made there are none of them.
    assert parties(asked(run, tree / "w.py", "vm = fcntl")) == [("self", "VM descriptor")]


def test_an_inheriting_program_of_a_child(run: Run, tree: Path) -> None:
    path = tree / "c.c"
    path.write_text(
        CHILDREN_C.replace(
            "        serve();\n", '        fcntl(vm, F_SETFD, 0);\n        execl("x", "x", NULL);\n'
        )
    )
    told = asked(run, path, "pause();", 3)
    assert parties(told) == [("program", "VM descriptor")]


def test_lost(run: Run, tree: Path) -> None:
    (tree / "l.c").write_text(
        "static void make(int kvm)\n{\n    int vm = ioctl(kvm, KVM_CREATE_VM, 0);\n"
        "    ioctl(vm, KVM_GET_API_VERSION, 0);\n}\n"
        'int main(void)\n{\n    make(open("/dev/kvm", O_RDWR | O_CLOEXEC));\n    pause();\n}\n'
    )
    told = asked(run, tree / "l.c", "pause()")
    assert [one["lost"] for one in told["holders"]] == [True]
    assert told["ends"] == ["the process ends: no call can end it any more (VM descriptor made at l.c:3:14)"]
    assert "VM descriptor that no variable names any more" in run("why", "l.c:9").out


def test_callers_outside(run: Run, tree: Path) -> None:
    (tree / "f.c").write_text("void use(int vm)\n{\n    pause();\n}\n")
    told = asked(run, tree / "f.c", "pause()")
    assert told["verdict"] == "free"
    assert told["notes"] == ["no call of use() is in these files: what its callers hold is not known"]


def test_paths_hold_the_rest_of_the_program(run: Run, tree: Path) -> None:
    (tree / "lib").mkdir()
    (tree / "lib" / "idle.c").write_text("void idle(void)\n{\n    pause();\n}\n")
    (tree / "m.c").write_text(MACHINE_C.replace("static void idle(void)\n{\n    pause();\n}\n", ""))
    for paths in ((), (".",), ("m.c",)):
        assert "2 references hold" in run("why", "lib/idle.c:3", *paths).out


def test_without_paths_the_program_is_the_work_tree_of_the_file(
    run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / ".git").mkdir()
    (tree / "lib").mkdir()
    (tree / "lib" / "idle.c").write_text("void idle(void)\n{\n    pause();\n}\n")
    (tree / "m.c").write_text(MACHINE_C.replace("static void idle(void)\n{\n    pause();\n}\n", ""))
    (tree / "elsewhere").mkdir()
    monkeypatch.chdir(tree / "elsewhere")
    assert "2 references hold" in run("why", "../lib/idle.c:3").out
    (tree / ".git").rmdir()
    assert "2 references hold" not in run("why", "../lib/idle.c:3").out, "the file's own directory"


def test_python_names(run: Run, tree: Path) -> None:
    (tree / "v.py").write_text(
        "import fcntl, mmap, os, signal\n"
        "class Vm:\n"
        "    def __init__(self):\n"
        "        kvm = os.open('/dev/kvm', os.O_RDWR)\n"
        "        self.fd = fcntl.ioctl(kvm, 0xAE01, 0)\n"
        "        self.vcpus = [fcntl.ioctl(self.fd, 0xAE41, n) for n in range(2)]\n"
        "        self.run = mmap.mmap(self.vcpus[0], 4096)\n"
        "    def wait(self):\n"
        "        signal.pause()\n"
        "def main():\n"
        "    vm = Vm()\n"
        "    vm.wait()\n"
        "main()\n"
    )
    assert ends(run, tree / "v.py", "signal.pause()") == [
        "os.close(vm.fd) in main",
        "os.close(each of vm.vcpus[...]) in main",
        "vm.run.close() in main",
    ]
    (tree / "p.py").write_text("def f():\n    return 1\n")
    assert asked(run, tree / "p.py", "return 1")["verdict"] == "no code"


def test_deferred(run: Run, tree: Path) -> None:
    """What a callback finds was made after it was registered."""
    (tree / "t.c").write_text(
        "static void *loop(void *x)\n{\n    pause();\n    return x;\n}\n"
        'int main(void)\n{\n    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);\n    pthread_t t;\n'
        "    pthread_create(&t, NULL, loop, NULL);\n    int vm = ioctl(kvm, KVM_CREATE_VM, 0);\n"
        "    sleep(9);\n"
        "    close(vm);\n    return 0;\n}\n"
    )
    assert ends(run, tree / "t.c", "pause()") == ["close(vm) in main"]


def test_a_child_that_begins_in_a_function(run: Run, tree: Path) -> None:
    """What the function of clone() runs in is the child alone; it knows the VM by its creator's name."""
    (tree / "k.c").write_text(
        "static char stack[65536];\n"
        "static int serve(void *unused)\n{\n    return pause();\n}\n"
        'int main(void)\n{\n    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);\n'
        "    int vm = ioctl(kvm, KVM_CREATE_VM, 0);\n"
        "    clone(serve, stack + sizeof(stack), SIGCHLD, NULL);\n    close(vm);\n    sleep(9);\n"
        "    return 0;\n}\n"
    )
    told = asked(run, tree / "k.c", "pause()")
    assert parties(told) == [("self", "VM descriptor"), ("creator", "VM descriptor")]
    assert told["ends"] == [
        "close(vm) in main in the child forked at k.c:10:5",
        "close(vm) in main in the process that forked at k.c:10:5",
    ]
    assert parties(asked(run, tree / "k.c", "sleep(9)")) == [("child", "VM descriptor")]


def test_on_its_way(run: Run, tree: Path) -> None:
    """What a call gave and no variable has yet is for the caller to close."""
    (tree / "r.c").write_text(
        "static int make(int kvm)\n{\n    return ioctl(kvm, KVM_CREATE_VM, 0);\n}\n"
        'int main(void)\n{\n    int vm = make(open("/dev/kvm", O_RDWR | O_CLOEXEC));\n    close(vm);\n}\n'
    )
    assert asked(run, tree / "r.c", "return ioctl")["ends"] == [
        "whoever gets it next closes it (VM descriptor made at r.c:3:12)"
    ]
