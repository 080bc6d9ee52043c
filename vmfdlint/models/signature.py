"""The signature of a row -> the parameters of its API."""

import ast

from vmfdlint.ir import Const, Opaque, Operand, Text
from vmfdlint.models.arguments import Parameter
from vmfdlint.models.parse import Constants, RowError


def parse_signature(text: str, constants: Constants) -> tuple[Parameter, ...]:
    """``args, bufsize=-1, stdin=None, *rest`` -> its parameters; those behind a bare ``*`` go by name.
    Raises RowError.

    A default is a number, a text, ``None``, ``True``, ``False`` or the name of a constant; any other one is
    taken for not known.
    """
    try:
        tree = ast.parse(f"lambda {text}: 0", mode="eval").body
    except SyntaxError as error:
        raise RowError(f"'{text}' is no signature: {error.msg}", text) from error
    assert isinstance(tree, ast.Lambda)
    given = tree.args
    if given.vararg is not None and given.kwonlyargs:
        raise RowError(f"'{text}': nothing can stand behind *{given.vararg.arg}", text)
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    defaults += [*given.defaults, *given.kw_defaults]
    found = [
        Parameter(one.arg, _default(value, constants), named=one in given.kwonlyargs)
        for one, value in zip([*plain, *given.kwonlyargs], defaults, strict=True)
    ]
    if given.vararg is not None:
        found.append(Parameter(given.vararg.arg, rest=True))
    return tuple(found)


def _default(value: ast.expr | None, constants: Constants) -> Operand:
    if isinstance(value, ast.Name):
        number = constants.get(value.id)
        return Const(number, (value.id,)) if isinstance(number, int) else Opaque()
    try:
        known = ast.literal_eval(value) if value is not None else ...
    except ValueError:
        return Opaque()
    if known is None:
        return Const(0, ("None",))
    if isinstance(known, int):
        return Const(int(known))
    return Text(known) if isinstance(known, str) else Opaque()
