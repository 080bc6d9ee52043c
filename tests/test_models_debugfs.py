"""What calls and command lines do to debugfs: modes, owners, mounts; and texts that calls build."""

import pytest
from model_calls import FD, MODELS, UNKNOWN, call, named

from vmfdlint.ir import Const, Operand, Text
from vmfdlint.models import Grant, Kind, Port, Truth, Write, path_kind, resolve
from vmfdlint.models.effects import Create

ROOT = Text("/sys/kernel/debug")


def searched(name: str, *args: Operand) -> bool | None:
    """Whether a call opens the root to group or others; None where it grants nothing at all."""
    grants = [effect for effect in call(name, *args).effects if isinstance(effect, Grant)]
    return any(grant.search is Truth.YES for grant in grants) if grants else None


MODES = {
    "0": None,
    "700": None,
    "0700": None,
    "0600": None,
    "0500": None,
    "0740": False,
    "704": False,
    "0702": False,
    "0744": False,
    "711": True,
    "0701": True,
    "0710": True,
    "0750": True,
    "755": True,
    "0777": True,
    "1755": True,
    "01700": None,
}


@pytest.mark.parametrize(("mode", "expected"), MODES.items())
def test_modes(mode: str, expected: bool | None) -> None:
    """The same octal mode as a mount option, as an argument and on a command line."""
    for options in (f"mode={mode}", f"uid=0,mode={mode}", f"mode={mode},gid=0"):
        assert searched("mount", Text("none"), ROOT, Text("debugfs"), Const(0), Text(options)) is expected
    assert searched("chmod", ROOT, Const(int(mode, 8))) is expected
    assert searched("fchmodat", named("AT_FDCWD"), ROOT, Const(int(mode, 8)), Const(0)) is expected
    for line in (
        f"mount -t debugfs -o mode={mode} none /sys/kernel/debug",
        f"mount -o remount,mode={mode},nosuid /sys/kernel/debug",
        f"chmod {mode} /sys/kernel/debug",
        f"test -d /x && sudo chmod -v {mode} /run /sys/kernel/debug/; true",
    ):
        assert searched("system", Text(line)) is expected, line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("uid=1000", False),
        ("gid=kvm", False),
        ("gid=%u", False),
        ("uid=0,gid=0", None),
        ("mode=0700,gid=0", None),
        ("mode=%o", None),
        ("mode=750,gid=%u", True),
        ("nosuid", None),
        ("", None),
    ],
)
def test_options(options: str, expected: bool | None) -> None:
    args = (Text("none"), Text("/mnt"), Text("debugfs"), Const(0), Text(options))
    assert searched("mount", *args) is expected
    assert searched("mount", *args[:2], Text("tracefs"), *args[3:]) is None


def test_remount_names_the_place() -> None:
    remount, mode = named("MS_REMOUNT", "MS_NOSUID"), Text("mode=755")
    assert searched("mount", Text("none"), ROOT, Const(0), remount, mode) is True
    assert searched("mount", Text("none"), ROOT, Text("tmpfs"), Const(0), mode) is None
    assert searched("mount", Text("none"), Text("/run"), Const(0), remount, mode) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/sys/kernel/debug", False),
        ("/sys/kernel/debug/kvm/", False),
        ("/host/sys/kernel/debug/kvm/12-3", False),
        ("/sys/kernel/debug/kvm/12-3/exits", None),
        ("/sys/kernel/debug/tracing", None),
        ("/dev/kvm", None),
    ],
)
def test_bind_mounts(source: str, expected: bool | None) -> None:
    """A file that is bound somewhere holds no VM, and is gone with it (measured)."""
    flags = named("MS_BIND", "MS_REC")
    assert searched("mount", Text(source), Text("/srv"), Const(0), flags, Const(0)) is expected
    assert searched("mount", Text(source), Text("/srv"), Const(0), Const(0), Const(0)) is None
    assert searched("system", Text(f"mount --rbind {source} /srv")) is expected
    assert searched("popen", Text(f"mount -o ro,bind {source} /srv"), Text("r")) is expected


def test_modes_below_the_root() -> None:
    assert searched("chmod", Text("/sys/kernel/debug/kvm/%d-%d/exits"), Const(0o666)) is False
    assert searched("chmod", Text("/sys/kernel/debug/kvm"), Const(0o755)) is False
    assert searched("chmod", Text("/sys/kernel/debug/kvm"), Const(0o700)) is None
    assert searched("chmod", Text("/sys/kernel/debug/tracing"), Const(0o755)) is None
    assert searched("chmod", ROOT, named("S_IRWXU")) is None
    assert searched("chmod", ROOT, named("S_IRWXU", "S_IXGRP")) is True


def test_a_mode_that_is_not_known_is_wanted() -> None:
    found = call("chmod", ROOT, UNKNOWN)
    assert found.effects == () and found.wants == (1,)
    assert call("chmod", UNKNOWN, UNKNOWN).wants == ()


def test_owners() -> None:
    assert searched("chown", ROOT, Const(0), Const(0)) is None
    assert searched("chown", ROOT, Const(-1), Const(0)) is None
    assert searched("chown", ROOT, UNKNOWN, Const(-1)) is False
    assert searched("chown", Text("/run"), UNKNOWN, UNKNOWN) is None
    for who, expected in (("root:root", None), ("0", None), (":0", None), ("kvm", False), (":kvm", False)):
        assert searched("system", Text(f"chown {who} /sys/kernel/debug")) is expected, who


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("go+x", True),
        ("+x", True),
        ("u=rwx,go=x", True),
        ("a+rX", True),
        ("g+r", False),
        ("go-rwx", None),
        ("u+x", None),
    ],
)
def test_symbolic_modes(mode: str, expected: bool | None) -> None:
    words = (Text("chmod"), Text("chmod"), Text(mode), Text("/sys/kernel/debug"), Const(0))
    assert searched("execlp", *words) is expected


def test_command_line_of_an_argument_list() -> None:
    words = ["mount", "-t", "debugfs", "-o", "mode=755", "none", "/sys/kernel/debug"]

    def read(port: Port) -> Operand | None:
        number = int(port.fields[0].strip("[]"))
        return Text(words[number]) if number < len(words) else Const(0)

    found = resolve(MODELS, "execvp", (Text("mount"), UNKNOWN), read)
    assert found is not None and isinstance(found.effects[0], Grant)
    assert not isinstance(call("execvp", Text("mount"), UNKNOWN).effects[0], Grant)


def test_a_directory_gives_its_name() -> None:
    def read(port: Port) -> Operand | None:
        return Text("/sys/kernel/debug/kvm/1-2") if port == Port(0, ("%name",)) else None

    def kinds(path: Operand, flags: str) -> list[Kind]:
        found = resolve(MODELS, "openat", (FD, path, named(flags)), read)
        assert found is not None
        return [effect.kind for effect in found.effects if isinstance(effect, Create)]

    assert kinds(Text("exits"), "O_RDONLY") == [Kind.DEBUGFS]
    assert kinds(UNKNOWN, "O_RDONLY") == [Kind.DEBUGFS]
    assert kinds(Text("vcpu0"), "O_RDONLY") == [] and kinds(Text("exits"), "O_PATH") == []
    assert kinds(Text("/etc/passwd"), "O_RDONLY") == []
    made = call("open", Text("/sys/kernel/debug/kvm"), named("O_PATH")).effects
    assert made == (Create(Kind.DEBUGFS_DIRECTORY, Port(None), Truth.NO, name="/sys/kernel/debug/kvm"),)
    assert path_kind(MODELS, "/sys/kernel/debug/kvm/vcpu") is None


def test_what_builds_a_text() -> None:
    formatted = Write(Port(0, ("*",)), Port(2), 3)
    assert call("snprintf", FD, Const(9), Text("%d"), FD).effects == (formatted,)
    joined = Write(Port(None, ("*",)), Port(0), join="/")
    assert call("g_build_filename", Text("a"), Const(0)).effects == (joined,)


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("debugfs", True),
        ("/sys/kernel/debug", True),
        ("/sys/kernel/debug/kvm/%d-%d/exits", True),
        ("%s/kvm/%d-%d/%s", True),
        ("mount -t debugfs none /sys/kernel/debug", True),
        ("chmod 755 /sys/kernel/debug; true", True),
        ("/sys/kernel/debug/tracing", False),
        ("/sys/kernel/debug/slab/%s/%s", False),
        ("no debugfs here", False),
        ("%s/kvm/parameters", False),
    ],
)
def test_texts_to_start_from(text: str, speaks: bool) -> None:
    assert MODELS.speaks(text) is speaks
