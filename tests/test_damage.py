"""How much of a function was read, in the source as it stands and after the pre-pass; and its text."""

from c_index import program

from vmfdlint.ir import FunctionKey


def test_what_the_pre_pass_mends_is_no_damage_left() -> None:
    text = "static int __init start(struct vm __user *vm)\n{\n    return vm->fd;\n}\n"
    found = program({"a.c": text}).damage([FunctionKey("a.c", "start")])
    assert found.size == len(text) - 1
    assert found.raw > 0 and found.left == 0


def test_what_nobody_can_read_is() -> None:
    text = "int good(void)\n{\n    return 1;\n}\n\nint bad(int vm)\n{\n    vm = = 3 @ 4;\n    return vm;\n}\n"
    joined = program({"a.c": text})
    bad, good = joined.damage([FunctionKey("a.c", "bad")]), joined.damage([FunctionKey("a.c", "good")])
    assert 0 < bad.left < bad.size and bad.raw > 0
    assert (good.raw, good.left) == (0, 0)
    whole = joined.damage([FunctionKey("a.c", "bad"), FunctionKey("a.c", "good"), FunctionKey("a.c", "none")])
    assert whole.left == bad.left and whole.size == bad.size + good.size


def test_a_text_where_nothing_opens_a_function_has_none() -> None:
    body = "\n{\n    return 1;\n}\n"
    joined = program({"a.c": "int (f)(void)" + body, "b.c": "int f(void)" + body})
    assert joined.text(FunctionKey("a.c", "f")) == b""
    assert joined.text(FunctionKey("b.c", "f")).startswith(b"int f(void)")
