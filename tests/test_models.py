"""The rows of rules/models: they load, say what the kernel's headers say, and are decided in three values."""

import pickle
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from model_calls import FD, MODELS, UNKNOWN, call, created, effect_types, named

from vmfdlint.base import ProblemKind
from vmfdlint.ir import Address, Const, Opaque, Operand, Place, Root
from vmfdlint.models import (
    Acquire,
    Create,
    Exec,
    Expose,
    Fork,
    Kind,
    Linger,
    Port,
    Release,
    Resolved,
    Sign,
    Truth,
    Use,
    load_models,
    path_kind,
    resolve,
    rules_directory,
)


def load(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "rows.toml"
    path.write_text(text, encoding="utf-8")
    _, problems = load_models([path])
    assert all(problem.kind is ProblemKind.CONFIG for problem in problems)
    return [problem.text.replace(path.as_posix(), "rows.toml") for problem in problems]


# --- the shipped rows ---


def test_every_row_loads() -> None:
    models, problems = load_models([rules_directory() / "models"])
    assert problems == ()
    assert len(models.apis) > 400


def test_no_name_has_two_rows() -> None:
    names: Counter[str] = Counter()
    for path in sorted((rules_directory() / "models").glob("*.toml")):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in tables.get("api", []) + tables.get("neutral", []):
            if not row.get("extends"):
                names.update(row["names"])
    assert [name for name, count in names.items() if count > 1] == []


def test_every_api_row_names_its_source() -> None:
    for path in sorted((rules_directory() / "models").glob("*.toml")):
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("api", []):
            assert row.get("source"), (path.name, row["names"])


def test_models_travel_between_processes() -> None:
    again = pickle.loads(pickle.dumps(MODELS))
    assert again.apis == MODELS.apis
    assert path_kind(again, "/dev/kvm") is Kind.SYSTEM


# --- numbers: the encoding of asm-generic/ioctl.h, the sizes of linux/kvm.h on x86-64 ---


def io(number: int) -> int:
    return 0xAE << 8 | number


def ior(number: int, size: int) -> int:
    return 2 << 30 | size << 16 | io(number)


def iow(number: int, size: int) -> int:
    return 1 << 30 | size << 16 | io(number)


def iowr(number: int, size: int) -> int:
    return 3 << 30 | size << 16 | io(number)


NUMBERS = {
    "KVM_GET_API_VERSION": io(0x00),
    "KVM_CREATE_VM": io(0x01),
    "KVM_GET_MSR_INDEX_LIST": iowr(0x02, 4),
    "KVM_CHECK_EXTENSION": io(0x03),
    "KVM_GET_VCPU_MMAP_SIZE": io(0x04),
    "KVM_GET_SUPPORTED_CPUID": iowr(0x05, 8),
    "KVM_CREATE_VCPU": io(0x41),
    "KVM_GET_DIRTY_LOG": iow(0x42, 4 + 4 + 8),
    "KVM_SET_USER_MEMORY_REGION": iow(0x46, 4 + 4 + 3 * 8),
    "KVM_SET_TSS_ADDR": io(0x47),
    "KVM_SET_USER_MEMORY_REGION2": iow(0x49, 2 * 4 + 4 * 8 + 2 * 4 + 14 * 8),
    "KVM_CREATE_IRQCHIP": io(0x60),
    "KVM_IRQ_LINE": iow(0x61, 8),
    "KVM_SET_GSI_ROUTING": iow(0x6A, 8),
    "KVM_IRQFD": iow(0x76, 4 * 4 + 16),
    "KVM_IOEVENTFD": iow(0x79, 2 * 8 + 4 + 4 + 4 + 36),
    "KVM_CREATE_PIT2": iow(0x77, 64),
    "KVM_RUN": io(0x80),
    "KVM_GET_REGS": ior(0x81, 18 * 8),
    "KVM_SET_REGS": iow(0x82, 18 * 8),
    "KVM_GET_SREGS": ior(0x83, 312),
    "KVM_SET_SREGS": iow(0x84, 312),
    "KVM_SET_CPUID2": iow(0x90, 8),
    "KVM_ENABLE_CAP": iow(0xA3, 4 + 4 + 4 * 8 + 64),
    "KVM_SIGNAL_MSI": iow(0xA5, 5 * 4 + 12),
    "KVM_CREATE_SPAPR_TCE": iow(0xA8, 8 + 4 + 4),
    "KVM_CREATE_SPAPR_TCE_64": iow(0xA8, 8 + 4 + 4 + 8 + 8),
    "KVM_PPC_GET_HTAB_FD": iow(0xAA, 4 * 8),
    "KVM_GET_ONE_REG": iow(0xAB, 16),
    "KVM_SET_ONE_REG": iow(0xAC, 16),
    "KVM_ARM_VCPU_INIT": iow(0xAE, 8 * 4),
    "KVM_ARM_PREFERRED_TARGET": ior(0xAF, 8 * 4),
    "KVM_ARM_MTE_COPY_TAGS": ior(0xB4, 6 * 8),
    "KVM_MEMORY_ENCRYPT_OP": iowr(0xBA, 8),
    "KVM_CLEAR_DIRTY_LOG": iowr(0xC0, 4 + 4 + 8 + 8),
    "KVM_RESET_DIRTY_RINGS": io(0xC7),
    "KVM_GET_STATS_FD": io(0xCE),
    "KVM_SET_MEMORY_ATTRIBUTES": iow(0xD2, 4 * 8),
    "KVM_CREATE_GUEST_MEMFD": iowr(0xD4, 8 * 8),
    "KVM_PRE_FAULT_MEMORY": iowr(0xD5, 8 * 8),
    "KVM_CREATE_DEVICE": iowr(0xE0, 3 * 4),
    "KVM_SET_DEVICE_ATTR": iow(0xE1, 4 + 4 + 8 + 8),
    "KVM_HAS_DEVICE_ATTR": iow(0xE3, 4 + 4 + 8 + 8),
    "FIOCLEX": 0x5451,
    "FIONCLEX": 0x5450,
}


@pytest.mark.parametrize("constant", sorted(NUMBERS))
def test_number_and_name_of_an_ioctl_give_the_same(constant: str) -> None:
    by_name = call("ioctl", FD, named(constant), UNKNOWN)
    by_value = call("ioctl", FD, Const(NUMBERS[constant]), UNKNOWN)
    assert by_name.api == f"ioctl({constant})"
    assert by_name.effects == by_value.effects
    # Two architectures gave one number to two requests.
    assert by_value.api == by_name.api or constant == "KVM_GET_ONE_REG"


def test_every_case_is_found_by_its_number() -> None:
    for name in sorted(MODELS.select_names()):
        api = MODELS.apis[name]
        assert api.select is not None and api.select.arg is not None
        for value, behaviour in api.by_value.items():
            before: list[Operand] = [UNKNOWN] * api.select.arg
            args: list[Operand] = [*before, Const(value), UNKNOWN, UNKNOWN]
            assert call(name, *args).api == behaviour.label


def test_numbers_of_all_kvm_ioctls_have_the_type_of_kvm() -> None:
    for value, behaviour in MODELS.apis["ioctl"].by_value.items():
        if "KVM_" in behaviour.label:
            assert value >> 8 & 0xFF == 0xAE


def test_size_bits_of_another_architecture() -> None:
    """KVM_GET_REGS has another structure on arm64, and powerpc spells 'no data' with a bit."""
    assert call("ioctl", FD, Const(0x8360AE81), UNKNOWN).api == "ioctl(KVM_GET_REGS)"
    assert [each.kind for each in created("ioctl", FD, Const(0x2000AE01), UNKNOWN)] == [Kind.VM]


def test_number_read_as_negative() -> None:
    assert created("ioctl", FD, Const(0xC00CAEE0 - (1 << 32)), UNKNOWN)


# --- what the KVM ioctls create ---


@pytest.mark.parametrize(
    ("constant", "kind", "cloexec", "at"),
    [
        ("KVM_CREATE_VM", Kind.VM, Truth.YES, Port(None)),
        ("KVM_CREATE_VCPU", Kind.VCPU, Truth.YES, Port(None)),
        ("KVM_CREATE_DEVICE", Kind.DEVICE, Truth.YES, Port(2, ("fd",))),
        ("KVM_GET_STATS_FD", Kind.STATS, Truth.YES, Port(None)),
        ("KVM_CREATE_GUEST_MEMFD", Kind.GUEST_MEMFD, Truth.NO, Port(None)),
        ("KVM_CREATE_SPAPR_TCE", Kind.TABLE, Truth.YES, Port(None)),
        ("KVM_CREATE_SPAPR_TCE_64", Kind.TABLE, Truth.YES, Port(None)),
        ("KVM_PPC_GET_HTAB_FD", Kind.TABLE, Truth.YES, Port(None)),
    ],
)
def test_descriptors_of_kvm(constant: str, kind: Kind, cloexec: Truth, at: Port) -> None:
    found = call("ioctl", FD, named(constant), Address(Place(Root.LOCAL, "cd")))
    assert [each for each in found.effects if isinstance(each, Create)] == [
        Create(kind, at, cloexec, Port(0))
    ]
    assert found.failure is Sign.NEGATIVE
    assert found.wants == ()


def test_no_descriptor_of_other_creating_ioctls() -> None:
    for constant in ("KVM_CREATE_IRQCHIP", "KVM_CREATE_PIT", "KVM_CREATE_PIT2"):
        assert effect_types("ioctl", FD, named(constant), UNKNOWN) == [Use]


@pytest.mark.parametrize(
    ("flags", "expected", "wants"),
    [
        (Const(0), 1, ()),
        (Const(1), 0, ()),
        (named("KVM_CREATE_DEVICE_TEST"), 0, ()),
        (Place(Root.LOCAL, "flags"), 1, (2,)),
        (None, 1, (2,)),
    ],
)
def test_device_that_is_only_tested(flags: Operand | None, expected: int, wants: tuple[int, ...]) -> None:
    def read(port: Port) -> Operand | None:
        assert port == Port(2, ("flags",))
        return flags

    args = (FD, named("KVM_CREATE_DEVICE"), Address(Place(Root.LOCAL, "cd")))
    found = resolve(MODELS, "ioctl", args, read)
    assert found is not None
    assert len([each for each in found.effects if isinstance(each, Create)]) == expected
    assert found.wants == wants


def test_which_ioctls_are_refused_elsewhere() -> None:
    for constant, checked, kind in (
        ("KVM_GET_API_VERSION", False, None),
        ("KVM_GET_VCPU_MMAP_SIZE", False, None),
        ("KVM_CREATE_VM", False, None),
        ("KVM_SET_USER_MEMORY_REGION", True, Kind.VM),
        ("KVM_GET_REGS", True, Kind.VCPU),
        ("KVM_SET_DEVICE_ATTR", True, Kind.DEVICE),
        ("KVM_HAS_DEVICE_ATTR", True, None),
        ("SOME_OTHER_REQUEST", True, None),
    ):
        use = call("ioctl", FD, named(constant), UNKNOWN).effects[0]
        assert use == Use(Port(0), checked, kind), constant
    assert effect_types("ioctl", FD, named("KVM_RUN"), Const(0)) == [Use, Linger]


def test_unknown_request_is_wanted() -> None:
    for request in (UNKNOWN, Opaque()):
        found = call("ioctl", FD, request, UNKNOWN)
        assert found.wants == (1,)
        assert found.effects == (Use(Port(0), True),)
        assert found.api == "ioctl"
    assert call("ioctl").wants == (1,)


# --- what other rooms ask ---


def test_unknown_and_neutral_names() -> None:
    assert resolve(MODELS, "no_such_function_anywhere", ()) is None
    assert resolve(MODELS, "snprintf", ()) is not None
    for name in ("strlen", "printf", "g_string_append", "__builtin_popcount", "setsid", "pthread_attr_init"):
        assert resolve(MODELS, name, (UNKNOWN,)) == Resolved(name, ())
        assert MODELS.is_neutral(name)
    assert not MODELS.is_neutral("g_list_append")
    assert not MODELS.is_neutral("close")


def test_readers_of_numbers() -> None:
    assert {"atoi", "strtol", "qemu_strtoi"} <= MODELS.number_readers
    assert "snprintf" not in MODELS.number_readers


def test_names_of_kernel_code() -> None:
    assert {"debugfs_create_file", "debugfs_create_u64"} <= MODELS.names_with(Expose)
    assert MODELS.names_with(Acquire) == {"kvm_get_kvm", "kvm_get_kvm_safe"}
    assert MODELS.names_with(Release) == {"kvm_put_kvm", "kvm_put_kvm_no_destroy"}
    assert MODELS.vm_records == {"kvm", "kvm_vcpu"}


def test_names_for_the_index() -> None:
    assert {"KVM_CREATE_VM", "KVM_GET_STATS_FD", "KVM_CREATE_GUEST_MEMFD"} <= MODELS.interesting_names()
    assert "KVM_RUN" not in MODELS.interesting_names()
    assert {0xAE01, 0xAE41, 0xC00CAEE0} <= MODELS.interesting_values()
    assert {"/dev/kvm", "/sys/kernel/debug/kvm"} <= MODELS.interesting_paths()
    assert {"ioctl", "fcntl", "syscall", "madvise"} <= MODELS.select_names()
    assert {"fork", "vfork", "clone", "syscall", "forkpty"} == MODELS.names_with(Fork) & {
        "fork", "vfork", "clone", "syscall", "forkpty", "daemon", "execve",
    }  # fmt: skip
    assert {"execve", "syscall"} <= MODELS.names_with(Exec)
    assert {"open", "ioctl", "fopen"} <= MODELS.names_with(Create)
    assert {"exit", "_exit", "abort", "longjmp", "errx"} <= MODELS.noreturn()
    assert not {"error", "error_setg", "syscall", "g_log", "assert"} & MODELS.noreturn()


# --- rows of a user ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[api]]\nnames = ["a"]\n\n[[api]]\nnames = ["b"]\nfailrue = "null"\n',
            "rows.toml:6: unknown key 'failrue'; did you mean 'failure'?",
        ),
        (
            '[[api]]\nnames = ["a"]\nfailure = "negativ"\n',
            "rows.toml:3: unknown word 'negativ'; did you mean 'negative'?",
        ),
        (
            '[[api]]\nnames = ["a"]\neffects = [\n  { linger = {} },\n  { clos = { fd = "arg 0" } },\n]\n',
            "rows.toml:5: unknown effect 'clos'; did you mean 'close'?",
        ),
        (
            '[[api]]\nnames = ["a"]\neffects = [ { close = { fd = "argument 0" } } ]\n',
            "rows.toml:3: 'argument 0' is no port: write 'ret', 'arg 1', 'arg 2 .fd' or 'arg 0 *'",
        ),
        (
            '[[api]]\nnames = ["a"]\neffects = [ { close = { fb = "arg 0" } } ]\n',
            "rows.toml:3: effect 'close' has no field 'fb'; did you mean 'fd'?",
        ),
        (
            '[[api]]\nnames = ["a"]\neffects = [ { create = { kind = "vmm", at = "ret" } } ]\n',
            "rows.toml:3: unknown kind 'vmm'; did you mean 'vm'?",
        ),
        (
            '[[api]]\nnames = ["a"]\neffects = [ { exit = {}, when = "arg 0 hass X" } ]\n',
            "rows.toml:3: unknown test 'hass' in 'arg 0 hass X'; did you mean 'has'?",
        ),
        (
            '[constants]\nO_CLOEXEC = 0x80000\n[[api]]\nnames = ["a"]\n'
            'effects = [ { exit = {}, when = "arg 0 has O_CLOEXE" } ]\n',
            "rows.toml:5: unknown constant 'O_CLOEXE' in 'arg 0 has O_CLOEXE'; did you mean 'O_CLOEXEC'?"
            " (a [constants] table gives its number)",
        ),
        ('[[apis]]\nnames = ["a"]\n', "rows.toml:1: unknown table 'apis'; did you mean 'api'?"),
        ('[[api]]\nnames = ["a"]\n[[api]]\nnames = ["a"]\n', "rows.toml:4: 'a' has two rows"),
        (
            '[[api]]\nnames = ["a"]\nselect = "arg 0"\n[api.case.X]\nvalue = 1\n'
            "[api.case.Y]\nvalue = 1\neffects = [ { exit = {} } ]\n",
            "rows.toml:6: case 'Y' has the number of 'a(X)' and does something else",
        ),
        (
            '[[path]]\nkind = "debugf"\npath = "/x"\n',
            "rows.toml:2: unknown word 'debugf'; did you mean 'debugfs'?",
        ),
        (
            '[[path]]\nkind = "system"\nregex = "("\n',
            "rows.toml:3: 'regex' does not compile: missing ), unterminated subpattern at position 0",
        ),
        (
            "[patterns]\nROOT = '/sys/kernel/debug'\n[[api]]\nnames = [\"a\"]\n"
            'effects = [ { exit = {}, if_known = "arg 0 matches ROT" } ]\n',
            "rows.toml:5: unknown pattern 'ROT' in 'arg 0 matches ROT'; did you mean 'ROOT'?"
            " (a [patterns] table gives it)",
        ),
        (
            "[patterns]\nROOT = '('\n[[api]]\nnames = [\"a\"]\n"
            'effects = [ { exit = {}, if_known = "arg 0 matches ROOT" } ]\n',
            "rows.toml:5: 'ROOT' does not compile: missing ), unterminated subpattern at position 0",
        ),
        (
            '[[command]]\nregex = "mount"\nhow = "mounts"\nserch = true\n',
            "rows.toml:4: unknown key 'serch'; did you mean 'search'?",
        ),
        (
            '[[text]]\nstretch = "debugfs"\nregex = "["\n',
            "rows.toml:3: 'regex' does not compile: unterminated character set at position 0",
        ),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, expected: str) -> None:
    assert load(tmp_path, text) == [expected]


def test_broken_toml_and_missing_file(tmp_path: Path) -> None:
    (message,) = load(tmp_path, '[[api]]\nnames = ["a"\neffects = 1\n')
    assert message.startswith("rows.toml:3: is no TOML: ")
    models, problems = load_models([tmp_path / "none.toml"])
    assert [problem.kind for problem in problems] == [ProblemKind.IO]
    assert models.apis == {}


def test_one_bad_row_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "rows.toml"
    path.write_text('[[api]]\nnames = ["a"]\nx = 1\n[[api]]\nnames = ["b"]\neffects = [ { exit = {} } ]\n')
    models, problems = load_models([path])
    assert len(problems) == 1
    assert problems[0].at is not None and problems[0].at.line == 3
    assert sorted(models.apis) == ["b"]


def test_user_rows_replace_and_extend(tmp_path: Path) -> None:
    path = tmp_path / "vendor.toml"
    path.write_text(
        '[[api]]\nnames = ["ioctl"]\nselect = "arg 1"\nextends = true\n'
        "[api.case.KVM_VMX_PT_SETUP_FD]\nvalue = 0xAEE4\n"
        'effects = [ { create = { kind = "device", at = "ret", cloexec = "no", parent = "arg 0" } } ]\n'
        '[[api]]\nnames = ["system"]\neffects = []\n'
    )
    models, problems = load_models([rules_directory() / "models", path])
    assert problems == ()
    for request in (named("KVM_VMX_PT_SETUP_FD"), Const(0xAEE4)):
        found = resolve(models, "ioctl", (FD, request))
        assert found is not None and isinstance(found.effects[0], Create)
    again = resolve(models, "ioctl", (FD, named("KVM_CREATE_VM")))
    assert again is not None and any(isinstance(each, Create) for each in again.effects)
    assert resolve(models, "system", (UNKNOWN,)) == Resolved("system", ())
