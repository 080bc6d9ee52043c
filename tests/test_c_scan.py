"""The lexical pass: names and roles, each beside what looks alike but is not."""

from array import array

import pytest

from vmfdlint.base import number_of, packed, unpacked
from vmfdlint.frontends.c.scan import scan


def has(data: bytes, word: bytes) -> bool:
    return number_of(word.decode()) in unpacked(scan(data).tokens)


def test_tokens_are_identifiers_and_paths_but_not_comments() -> None:
    data = b'/* fork */ // vfork\n#define DEV "/dev/kvm"\nint f(void) { return open(DEV, 1); }\n'
    data += b'char *s = "clone";\n'
    assert has(data, b"open") and has(data, b"/dev/kvm") and has(data, b"DEV")
    assert (
        not has(data, b"fork") and not has(data, b"vfork") and not has(data, b"clone") and not has(data, b"1")
    )


def test_tokens_are_sorted_and_distinct() -> None:
    numbers = list(array("I", scan(b"a b c a b; int d;").tokens))
    assert numbers == sorted(set(numbers)) and len(numbers) == 5


@pytest.mark.parametrize(
    "text",
    [
        "static int target(int a)\n{\n}\n",
        "static int\ntarget (int a)\n{\n}\n",
        "struct kvm *target(void) __must_check\n{\n}\n",
        "__weak void target(void)\n{\n}\n",
        "void __attribute__((noreturn)) target(const char *s, ...)\n{\n}\n",
        "void target(const char *s, ...) G_GNUC_PRINTF(1, 2)\n{\n}\n",
        "static inline uint64_t target(struct a *b) { return 0; }\n",
        "int target(a, b)\n    int a;\n    char *b;\n{\n}\n",
        "int (*target(int a))(int)\n{\n}\n",
        "type_init(x)\n\nint target(int (*f)(int))\n{\n}\n",
        "int b(void)\n{\n#ifdef A\n  if (a) {\n#else\n  if (b) {\n#endif\n  }\n}\nint target(void)\n{\n}\n",
        "int target(void)\r\n{\r\n}\r\n",
        "DECLARE_INSTANCE_CHECKER(KVMState, target,\n                         TYPE_KVM)\n",
    ],
)
def test_definitions(text: str) -> None:
    assert number_of("target") in unpacked(scan(text.encode()).functions)


@pytest.mark.parametrize(
    "text",
    [
        "int target(int a);\n",
        "int f(void)\n{\n    target(1);\n    if (target(2)) {\n    }\n    for_each(target(3)) {\n    }\n}\n",
        "int (*fp)(int) = target;\n",
        "struct s x = { .f = target(1) };\n",
        "#define target(a) do { } while (0)\n",
        "typedef int (target)(int);\n",
    ],
)
def test_not_definitions(text: str) -> None:
    assert number_of("target") not in unpacked(scan(text.encode()).functions)


def test_macros_types_and_variables() -> None:
    found = scan(
        b"#define A 1\n#  define B(x) \\\n  x\n#undef C\n"
        b"typedef struct Tag Tag;\nstruct Body { int in; struct Inner { int y; } z; };\n"
        b"typedef struct { int a; } Plain, *PlainPtr;\ntypedef int (Fn)(int);\ntypedef int (*FnPtr)(int);\n"
        b"enum Kind { RED, GREEN = F(1, 2), };\n"
        b"static int one = 1, two[4] = { 1, 2 };\nextern struct Body three;\nint (*four)(int);\n"
        b"struct Body five[] = { { 1 }, };\nint proto(int arg);\nvoid dies(void) NORETURN;\n"
    )
    assert found.macros == packed([b"A", b"B"])
    assert found.types == packed(b"Body Fn FnPtr Inner Kind Plain PlainPtr Tag".split())
    assert found.variables == packed(b"GREEN RED dies five four one three two".split())


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\xff\xfe{}}}((", b"/* open", b'"open', b"#", b"'", b"{" * 5000, b"(" * 5000, b"\\\n" * 2000],
)
def test_any_bytes(data: bytes) -> None:
    assert isinstance(scan(data).tokens, bytes)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('#include "a.h"\n#include <b/c.h>\n', ("a.h", "b/c.h")),
        ('#ifdef _WIN32\n#include "win.h"\n#else\n#include "posix.h"\n#endif\n', ("posix.h",)),
        ('#ifdef CONFIG_POSIX\n#include "posix.h"\n#else\n#include "win.h"\n#endif\n', ("posix.h",)),
        ('#ifndef _WIN32\n# include "posix.h"\n#endif\n#include "all.h"\n', ("posix.h", "all.h")),
        (
            '#ifdef __linux__\n#ifdef NOBODY_KNOWS\n#include "a.h"\n#else\n#include "b.h"\n#endif\n#endif\n',
            ("a.h", "b.h"),
        ),
        (
            '#ifdef _WIN32\n#ifdef X\n#include "a.h"\n#else\n#include "b.h"\n#endif\n'
            '#elif defined(X)\n#include "c.h"\n#endif\n',
            ("c.h",),
        ),
        ('#if defined(_WIN32) || \\\n    defined(__APPLE__)\n#include "a.h"\n#endif\n', ()),
        ('/*\n#include "a.h"\n*/\n#endif\n#include "b.h"\n', ("b.h",)),
    ],
    ids=["plain", "else", "holds", "ifndef", "unknown inside", "inside a dead one", "continued", "comment"],
)
def test_includes_are_those_of_linux(text: str, names: tuple[str, ...]) -> None:
    assert scan(text.encode()).includes == names
