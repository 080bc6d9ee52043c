"""The pre-pass: what the grammar could not read parses, offsets stay, clean text is left alone."""

import pytest

from vmfdlint.frontends.c.even import attributes_of, cleanup_of, even
from vmfdlint.frontends.c.parse import tree_of


def body(text: str) -> str:
    return "int f(void)\n{\n    int n = 0;\n    " + text + "\n}\n"


def evened(text: str) -> str:
    data = text.encode()
    result = even(data)
    assert len(result) == len(data)
    assert [i for i, b in enumerate(result) if b == 10] == [i for i, b in enumerate(data) if b == 10]
    return result.decode()


def sexp(text: str) -> str:
    return str(tree_of(text.encode()).root_node)


BROKEN = [
    body("void *p = va_arg(ap, void *);"),
    body("struct T *p = g_new0(struct T, n);"),
    body("struct T *p = container_of(q, struct T, member.list[0]);"),
    body("n = va_arg(ap, int);"),
    body("n = UNKNOWN_MACRO(q, struct T);"),
    body("g_autofree char *s = NULL;"),
    body("g_autoptr(GError) err = NULL;"),
    body("QLIST_FOREACH(cpu, &list, node) {\n        g();\n    }\n    n = 1;"),
    body("list_for_each_entry(pos, &list, node)\n        g();\n    n = 1;"),
    body("WITH_RCU_READ_LOCK_GUARD() {\n        g();\n    }"),
    body("g_assert_cmpint(n, ==, 3);"),
    body("switch (n) {\n    case 1 ... 5:\n        break;\n    }"),
    body('asm volatile("push " REG(a) "\\n" : "=r"(n) :: "memory");'),
    body("g(1,\n#ifdef A\n      2,\n#endif\n      3);"),
    body("g(1,\n#ifdef A\n      2);\n#else\n      3);\n#endif"),
    body("if (n) {\n    }\n#ifdef A\n    else if (m) {\n        h();\n    }\n#endif\n    else {\n    }"),
    body("#ifdef A\n    if (n) {\n#else\n    if (m) {\n#endif\n        g();\n    }"),
    "#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{\n}\n",
    "static int a[] = {\n    1,\n#ifdef A\n    2,\n#else\n    3,\n#endif\n};\n",
    "__weak int f(void __user *p)\n{\n    return 0;\n}\n",
    "static void NORETURN die(const char *s)\n{\n}\n",
    "static void ODD_WORD g(void)\n{\n}\n",
    "type_init(register_it)\n\nstatic int x;\n",
    "struct s {\n    QTAILQ_HEAD(, T) list;\n    DECLARE_BITMAP(bits, 64);\n};\n",
]


@pytest.mark.parametrize("text", BROKEN)
def test_unreadable_code_becomes_readable(text: str) -> None:
    assert not tree_of(evened(text).encode()).root_node.has_error, evened(text)


CLEAN = [
    body("for (;;) {\n        g(a, b, (struct T *)p, sizeof(struct T));\n    }"),
    body("if (g(n) && h((int)n)) {\n        while (g(n)) {\n        }\n    }"),
    body("#ifdef A\n    g();\n#else\n    h();\n#endif"),
    body("g_list_foreach(list, fn, NULL);"),
    body('asm volatile("nop" : "=r"(n) : "r"(n) : "memory");').replace('"nop"', '""'),
    "int g(struct T *, int, void *);\nvoid (*fp)(struct T *, int);\n",
    "static void my_foreach(int a)\n{\n}\n",
    'core_init(kvm__init);\nDEFINE_SIMPLE_ATTRIBUTE(fops, get, set, "%llu\\n");\n',
    "static int a[] = {\n    [0 ... 5] = 1,\n};\nint v(const char *s, ...);\n",
    "struct s {\n    int a;\n#ifdef A\n    int b;\n#endif\n};\n",
]


@pytest.mark.parametrize("text", CLEAN)
def test_clean_code_is_untouched(text: str) -> None:
    assert evened(text) == text


def test_loops_are_loops_and_calls_are_calls() -> None:
    loop = sexp(evened(body("QLIST_FOREACH(cpu, &list, node) {\n        g();\n    }")))
    assert "while_statement" in loop
    assert "while_statement" not in sexp(evened(body("g_list_foreach(list, fn, NULL);")))
    assert "while_statement" not in sexp(evened(body("WITH_LOCK(x) {\n        g();\n    }")))


def test_types_stay_readable() -> None:
    assert "GError* err" in evened(body("g_autoptr(GError) err = NULL;")).replace("   ", "")
    assert "g_new0(struct_T, n)" in evened(body("p = g_new0(struct T, n);"))
    assert "struct Head" in evened("struct s {\n    QTAILQ_HEAD(Head, T) list;\n};\n")


def test_a_comparison_as_arguments_is_a_comparison() -> None:
    assert "g_assert_cmpint(fd  >=  0)" in evened(body("g_assert_cmpint(fd, >=, 0);"))


def test_comments_are_blank_and_strings_stay() -> None:
    text = evened('int a; /* open\n("x" */ char *s = "/* no */ // no"; // tail\n#define X "//" /* c */ 1\n')
    assert '"/* no */ // no"' in text and '#define X "//"' in text
    assert "tail" not in text and "open" not in text


@pytest.mark.parametrize(
    ("text", "stays", "goes"),
    [
        ("#if 0\ndead();\n#else\nlive();\n#endif\n", "live", "dead"),
        ("#ifdef _WIN32\ndead();\n#else\nlive();\n#endif\n", "live", "dead"),
        ("#ifndef CONFIG_WIN32\nlive();\n#else\ndead();\n#endif\n", "live", "dead"),
        ("#if defined(F_DUPFD_CLOEXEC)\nlive();\n#else\ndead();\n#endif\n", "live", "dead"),
        (
            "#if defined(__linux__) && !defined(__APPLE__)\nlive();\n#elif X\ndead();\n#endif\n",
            "live",
            "dead",
        ),
        ("#if 0\ndead();\n#elif defined(UNKNOWN)\nlive();\n#endif\n", "#if   defined(UNKNOWN)", "dead"),
        ("#if 0\n#if X\ndead();\n#endif\n#define dead2\n#endif\nlive();\n", "live", "dead"),
    ],
)
def test_known_conditions(text: str, stays: str, goes: str) -> None:
    assert stays in evened(text) and goes not in evened(text)


def test_unknown_conditions_stay() -> None:
    text = "#if UNKNOWN > 3\na();\n#elif defined(OTHER)\nb();\n#else\nc();\n#endif\n"
    assert evened(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("static void NORETURN die(const char *s, ...)", ("noreturn", "static", "variadic")),
        ("void die(void) __attribute__((noreturn))", ("noreturn",)),
        ("static void __attribute__ ((constructor)) __init__x(void)", ("constructor", "static")),
        ("__weak int f(void)", ("weak",)),
        ("static __always_inline int f(void)", ("inline", "static")),
        ("int f(int static_fd) /* noreturn */", ()),
    ],
)
def test_attributes_of(text: str, words: tuple[str, ...]) -> None:
    source = ("int before; static int other(void) { }\n" + text + "\n{\n}\n").encode()
    start = source.index(text.encode())
    assert attributes_of(source, start, start + len(text)) == words


def test_attributes_before_the_node_count() -> None:
    source = b"static int a;\nNORETURN\nvoid die(void)\n{\n}\n"
    assert attributes_of(source, source.index(b"void die"), source.rindex(b"{")) == ("noreturn",)


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("g_autofree char *s = f();", "g_free"),
        ("__attribute__((cleanup(close_fd))) int fd = open(p);", "close_fd"),
        ("int fd __attribute__((__cleanup__(close_fd))) = -1;", "close_fd"),
        ("_cleanup_(freep) char *s;", "freep"),
        ("_cleanup_close_ int fd = -1;", "close"),
        ("g_autofd int fd = -1;", "close"),
        ("g_autoptr(GError) err = NULL;", "g_error_free"),
        ("g_autoptr(Odd) odd = NULL;", "glib_autoptr_cleanup_Odd"),
        ("int fd = g_autofree;", None),
        ("int fd = cleanup(x);", None),
    ],
)
def test_cleanup_of(text: str, function: str | None) -> None:
    source = ("{ int before; " + text + " }").encode()
    start = source.index(text.encode())
    assert cleanup_of(source, start, start + len(text)) == function
    inner = source.index(b"=") - 4 if b"=" in source else start
    assert cleanup_of(source, max(start, inner), start + len(text)) == function


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\xff", b"#if", b"#endif\n#else\n", b"#if X\n(", b'"', b"'", b"/*", b"\\"]
    + [b"((((" * 4000, b"{#if A\n" * 500]
    + [text[:cut].encode() for text in BROKEN for cut in (7, 23, 41)],
)
def test_any_bytes(data: bytes) -> None:
    assert len(even(data)) == len(data)
