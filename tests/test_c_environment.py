"""Names across files: constants, types, members, variables and functions."""

import pytest
from c_index import index_of

from vmfdlint.base import SourceText
from vmfdlint.frontends.c.declarations import CType, declarations
from vmfdlint.frontends.c.environment import Environment
from vmfdlint.frontends.c.stated import states_members, states_type
from vmfdlint.ir import Const, Text

KVM_H = """
#define KVMIO 0xAE
#define KVM_CREATE_VM _IO(KVMIO, 0x01) /* returns a VM fd */
#define KVM_RUN _IO(KVMIO, 0x80)
#define KVM_SET_NR _IOW(KVMIO, 0x71, int)
#define KVM_CREATE_DEVICE _IOWR(KVMIO, 0xe0, struct kvm_create_device)
#define BIT(n) (1U << (n))
#define LOOP_A LOOP_B
#define LOOP_B LOOP_A
enum kind { RED, GREEN = 5, BLUE, ODD = sizeof(struct x), AFTER };
struct kvm_create_device { __u32 type; __u32 fd; };
struct kvm_run {
    __u32 exit_reason;
    union { struct { int data; } mmio; int padding[4]; };
    struct { int deep; };
};
typedef struct KVMState KVMState;
typedef KVMState *KVMStatePtr;
typedef int (InitFn)(KVMState *);
extern KVMState *kvm_state;
void die(const char *err, ...) NORETURN;
void lives(const char *err);
"""
STATE_C = """
struct KVMState { AccelState parent; int fd; int vmfd; struct kvm_run *run; InitFn *init; int fds[3];
                  QLIST_HEAD(, Parked) parked; KVMStatePtr other; };
KVMState *kvm_state;
static int hidden;
KVMState *get_state(int a)
{
    return other_call(a);
}
static long *hidden_call(void)
{
}
void die(const char *err, ...)
{
}
DECLARE_INSTANCE_CHECKER(KVMState, KVM_STATE,
                         TYPE_KVM)
"""
MAIN_C = """
#include "kvm.h"
#define MY_CREATE KVM_CREATE_VM
#define OPEN_FLAGS (O_RDWR | O_CLOEXEC)
#define DEV_DIR "/dev"
#define DEV_PATH DEV_DIR "/kvm"
#define AS_CALL get_state
#define SHIFTED ((BIT(3) | 1) & ~1)
static int own_fd = -1;
static struct { int a; } table[2];
"""


@pytest.fixture(scope="module")
def environment() -> Environment:
    return Environment(index_of({"kvm.h": KVM_H, "state.c": STATE_C, "main.c": MAIN_C}), "main.c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KVM_CREATE_VM", Const(0xAE01, ("KVM_CREATE_VM",))),
        ("MY_CREATE", Const(0xAE01, ("KVM_CREATE_VM", "MY_CREATE"))),
        ("KVM_SET_NR", Const(0x4004AE71, ("KVM_SET_NR",))),
        ("KVM_CREATE_DEVICE", Const(None, ("KVM_CREATE_DEVICE",))),
        ("OPEN_FLAGS", Const(None, ("O_CLOEXEC", "O_RDWR"))),
        ("DEV_PATH", Text("/dev/kvm")),
        ("SHIFTED", Const(8, ("SHIFTED",))),
        ("BLUE", Const(6, ("BLUE",))),
        ("AFTER", Const(None, ("AFTER",))),
        ("NULL", Const(0, ("NULL",))),
        ("O_CLOEXEC", None),
        ("AS_CALL", None),
        ("BIT", None),
        ("LOOP_A", None),
        ("own_fd", None),
        ("get_state", None),
    ],
)
def test_constants(environment: Environment, name: str, value: Const | Text | None) -> None:
    assert environment.constant(name) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("O_RDWR | O_CLOEXEC", Const(None, ("O_CLOEXEC", "O_RDWR"))),
        ("-EINVAL", Const(-1, ("EINVAL",))),
        ("-1", Const(-1)),
        ("0x10UL << 2", Const(64)),
        ("0755", Const(0o755)),
        ("'a'", Const(97)),
        ("(void *)0", Const(0)),
        ("(int)KVM_RUN", Const(0xAE80, ("KVM_RUN",))),
        ("sizeof(int) * 2", Const(8)),
        ("1 ? 2 : 3", Const(2)),
        ("10 - 2 - 3", Const(5)),
        ("7 / 0", Const(None)),
        ('"a\\n" "b\\x41"', Text("a\nbA")),
        ("own_fd", None),
        ("s->fd", None),
        ("f(x)", None),
        ("a + 1", None),
        ("(" * 500, None),
        ("1 +", None),
    ],
)
def test_expressions(environment: Environment, text: str, value: Const | Text | None) -> None:
    assert environment.constant_expression(text) == value


def test_types(environment: Environment) -> None:
    assert environment.resolve("KVMState").record == "KVMState"
    assert environment.resolve("const struct kvm_run").record == "kvm_run"
    assert (environment.resolve("KVMStatePtr").record, environment.resolve("KVMStatePtr").pointer) == (
        "KVMState",
        1,
    )
    assert environment.resolve("InitFn").function and not environment.resolve("KVMState").function
    assert environment.resolve("uint32_t").record == "" and environment.resolve("unsigned int").record == ""
    assert (
        environment.resolve("GeneratedType").record == "GeneratedType"
        and environment.resolve("odd_t").record == ""
    )
    assert environment.resolve_type(CType(pointer=1, name="KVMStatePtr")).pointer == 2


def test_members(environment: Environment) -> None:
    def shape(record: str, field: str) -> tuple[str, int, bool, bool] | None:
        found = environment.field(record, field)
        return None if found is None else (found.record, found.pointer, found.array, found.function)

    assert shape("KVMState", "fd") == ("", 0, False, False)
    assert shape("KVMState", "run") == ("kvm_run", 1, False, False)
    assert shape("KVMState", "init") == ("", 0, False, True)
    assert shape("KVMState", "fds") == ("", 0, True, False)
    assert shape("KVMState", "other") == ("KVMState", 1, False, False)
    assert shape("kvm_run", "mmio") == ("kvm_run.mmio", 0, False, False)
    assert shape("kvm_run.mmio", "data") == ("", 0, False, False)
    assert shape("kvm_run", "deep") == ("", 0, False, False)
    assert shape("table", "a") == ("", 0, False, False)
    assert shape("KVMState", "none") is None and shape("nothing", "fd") is None
    parked = environment.field("KVMState", "parked")
    assert parked is not None and shape(parked.record, "lh_first") == ("Parked", 1, False, False)
    assert environment.members("kvm_create_device") == ("type", "fd") and environment.members("nothing") == ()


def test_variables(environment: Environment) -> None:
    shared = environment.variable("kvm_state")
    own = environment.variable("own_fd")
    assert shared is not None and (shared.type.record, shared.type.pointer, shared.place.unit) == (
        "KVMState",
        1,
        "",
    )
    assert own is not None and own.place.unit == "main.c"
    assert environment.variable("hidden") is None and environment.variable("RED") is None


def test_functions(environment: Environment) -> None:
    result = environment.result("get_state")
    cast = environment.result("KVM_STATE")
    assert result is not None and (result.record, result.pointer) == ("KVMState", 1)
    assert cast is not None and (cast.record, cast.pointer) == ("KVMState", 1)
    assert environment.result("other_call") is None and environment.result("hidden_call") is None
    assert environment.attributes("die") == ("noreturn", "variadic") and environment.attributes("lives") == ()
    assert environment.is_function("get_state") and not environment.is_function("hidden_call")
    assert not environment.is_function("kvm_state") and not environment.is_function("MY_CREATE")


def test_declarations_of_one_file() -> None:
    found = declarations(SourceText("kvm.h", KVM_H.encode()))
    assert found.constants == {"RED": 0, "GREEN": 5, "BLUE": 6, "ODD": None, "AFTER": None}
    assert not found.variables["kvm_state"].static and "die" not in found.variables
    assert found.typedefs["InitFn"].function


@pytest.mark.parametrize(
    ("text", "type_", "members"),
    [
        ("typedef struct vm vm;", True, False),
        ("typedef struct { int fd; } vm;", True, True),
        ("struct vm { int fd; };", False, True),
        ("union ALIGNED vm PACKED { int fd; };", False, True),
        ("struct vms { struct vm x; };", False, True),
        ("typedef int vms; struct vm *vm;", False, False),
        ("{ int fd; } x = vm;", False, True),
        ("vm", False, False),
    ],
)
def test_what_a_text_states_of_a_name(text: str, type_: bool, members: bool) -> None:
    data = text.encode()
    assert (states_type(data, "vm"), states_members(data, "vm")) == (type_, members)


def test_of_two_records_the_first_counts() -> None:
    text = "#ifdef A\nstruct vm { int fd; };\n#else\nstruct vm { long fd; };\n#endif\n"
    for number in range(20):
        found = declarations(SourceText("vm.h", f"{text}int n{number};\n".encode()))
        assert found.records["vm"]["fd"].name == "int"
