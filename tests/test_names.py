"""Who means what by a name: sets of names as numbers, what a file sees of others, what a member leads to."""

import pytest
from c_index import program

from vmfdlint.base import number_of, packed, unpacked
from vmfdlint.ir import FunctionKey
from vmfdlint.link import CallGraph
from vmfdlint.link.members import Members
from vmfdlint.link.postings import Postings
from vmfdlint.link.sight import Sight
from vmfdlint.models import default_models
from vmfdlint.summary.own_values import touching_others

ALIKE = "plumless", "buckeroo"
"""Two words with one CRC-32."""


def test_packed_names() -> None:
    assert unpacked(packed([b"b", b"a", b"b"])) == {number_of("a"), number_of("b")}
    assert len(packed([b"b", b"a", b"b"])) == 8 and unpacked(b"") == frozenset()


def test_postings_name_the_files_of_a_name() -> None:
    postings = Postings([packed([b"open", b"close"]), b"", packed([b"close"])])
    assert [postings.files(name) for name in ("open", "close", "dup")] == [[0], [0, 2], []]
    assert postings.known(["dup", "close", "open"]) == ["close", "open"]
    assert Postings([]).files("open") == [] and Postings([]).known(["open"]) == []


def test_of_two_names_with_one_number_the_text_decides() -> None:
    assert number_of(ALIKE[0]) == number_of(ALIKE[1])
    lexicon = program({"a.c": f"int {ALIKE[0]}(void)\n{{\n}}\n"}).lexicon
    assert lexicon.defined("functions", ALIKE[0]) == ("a.c",)
    assert lexicon.defined("functions", ALIKE[1]) == ()
    assert lexicon.files_with(ALIKE[1]) == ("a.c",)  # a file too many, which is searched in vain


INCLUDES = {
    "vm.c": ("vm.h",),
    "far.c": ("middle.h",),
    "middle.h": ("vm.h",),
    "other.c": ("other.h",),
    "alone.c": (),
    "either.c": ("vm.h", "x/vm.h"),
}


@pytest.mark.parametrize(
    ("path", "sees"),
    [
        ("vm.c", True),
        ("far.c", True),
        ("either.c", True),
        ("other.c", False),
        ("alone.c", True),  # others include it, or it would declare nothing
        ("some.h", True),
    ],
)
def test_what_sees_a_declaration(path: str, sees: bool) -> None:
    sight = Sight(lambda one: INCLUDES.get(one, ()), ["vm.h"])
    assert (path in sight) == sees
    assert (path in sight) == sees  # asked again


def test_a_global_is_named_where_its_declaration_is_seen() -> None:
    lexicon = program(
        {
            "vm.h": "extern int vm_fd;\n",
            "vm.c": '#include "vm.h"\nint vm_fd = -1;\n',
            "use.c": '#include "vm.h"\nint use(void) { return vm_fd; }\n',
            "own.c": '#include "own.h"\nint own(int vm_fd) { return vm_fd; }\n',
            "own.h": "int own(int);\n",
        }
    ).lexicon
    seeing = lexicon.sight("variables", "vm_fd")
    assert [path for path in lexicon.paths if path in seeing and path.endswith(".c")] == ["use.c", "vm.c"]


def test_an_include_may_name_each_of_the_nearest() -> None:
    lexicon = program(
        {
            "hw/boot.c": '#include "cpu.h"\n',
            "target/arm/cpu.h": "int arm;\n",
            "target/ppc/cpu.h": "int ppc;\n",
            "target/arm/boot.c": '#include "cpu.h"\n',
        }
    ).lexicon
    assert lexicon.may_include("hw/boot.c") == ("target/arm/cpu.h", "target/ppc/cpu.h")
    assert lexicon.may_include("target/arm/boot.c") == ("target/arm/cpu.h",)


RECORDS = {
    "vm.h": """
typedef struct Machine_ Machine;
struct Machine_ { int fd; };
struct vm { int fd; };
struct vcpu {
    struct vm *vm; /* struct other *machine; */
    const Machine *machine, *next;
    struct { struct vm *inner; } in;
    int fd;
};
struct twice { struct vm *one; };
""",
    "other.h": "struct twice { struct vcpu *one; };\nstruct undeclared;\n",
}


@pytest.mark.parametrize(
    ("record", "steps", "leads"),
    [
        ("vcpu", ["vm", "fd"], "vm"),
        ("vcpu", ["machine", "fd"], "Machine_"),
        ("vcpu", ["fd"], "vcpu"),
        ("vcpu", ["in", "inner", "fd"], ""),
        ("vcpu", ["inner", "fd"], "vm"),
        ("vcpu", ["fd", "x"], ""),  # int has no members
        ("twice", ["one", "fd"], ""),  # two records of one name differ
        ("undeclared", ["one", "fd"], ""),
        ("", ["vm", "fd"], ""),
    ],
)
def test_what_a_member_leads_to(record: str, steps: list[str], leads: str) -> None:
    assert Members(program(RECORDS)).record(record, steps) == leads


def touched(text: str) -> list[str]:
    function = program({"a.c": text}).function(FunctionKey("a.c", "f"))
    assert function is not None
    found = (str(instr) for instr in touching_others(function, "vm", "fd"))
    return [one for one in found if "keep" in one]


VM = "struct vm { int fd; };\nint keep(int);\nint make(void);\n"


def test_what_a_function_put_there_itself_is_no_others() -> None:
    made = "    vm->fd = make();\n"
    kept = "    keep(vm->fd);\n"
    assert not touched(f"{VM}void f(struct vm *vm)\n{{\n{made}{kept}}}\n")
    assert touched(f"{VM}void f(struct vm *vm)\n{{\n{kept}{made}}}\n")
    assert touched(f"{VM}void f(struct vm *vm, int x)\n{{\n    if (x)\n    {made}{kept}}}\n")
    assert touched(f"{VM}void f(struct vm *vm, struct vm *old)\n{{\n{made}    keep(old->fd);\n}}\n")


def test_a_member_called_like_a_function_is_no_mention_of_it() -> None:
    joined = program(
        {
            "test.c": "int suspend(void)\n{\n    return 0;\n}\nint main(void) { return suspend(); }\n",
            "drv.h": "struct ops { int (*suspend)(void); };\n",
            "drv.c": '#include "drv.h"\nint drv(void);\nstruct ops ops = { .suspend = drv };\n'
            "int run(struct ops *o) { return o->suspend(); }\n"
            "int set(int suspend) { return suspend; }\n",
        }
    )
    callers, values = CallGraph(joined, default_models()).named_by(FunctionKey("test.c", "suspend"))
    assert callers == {FunctionKey("test.c", "main")}
    assert not any(key.path == "drv.c" for key in values)


def test_a_function_is_a_value_where_a_declaration_shows_it() -> None:
    joined = program(
        {
            "run.h": "int run(void);\n",
            "run.c": '#include "run.h"\nint run(void)\n{\n    return 0;\n}\n',
            "use.c": '#include "run.h"\nint (*later)(void);\nint use(void) { later = run; return 0; }\n',
        }
    )
    _callers, values = CallGraph(joined, default_models()).named_by(FunctionKey("run.c", "run"))
    assert FunctionKey("use.c", "use") in values
