"""The arguments of a call by keyword, and those left out, in the positions of the API's signature.

In: a call and the parameters of its API. Out: the call with an operand in each position.
"""

from collections.abc import Iterable

import msgspec

from vmfdlint.ir import Call, Field, Opaque, Operand, Place


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of an API. ``default`` is what a call that leaves it out passes: Opaque where no constant
    says it. ``rest``: takes every further argument. ``named``: is given by its name alone."""

    name: str
    default: Operand = Opaque()
    rest: bool = False
    named: bool = False


def placed(call: Call, signature: tuple[Parameter, ...]) -> Call:
    """The call with its arguments in the positions of the signature, which fills in what is left out.

    Elements of a sequence (``*``) and members of a mapping (``**``) that the call takes its arguments from
    are read out of it. A keyword that is none of the parameters' is left out, and so is an argument without a
    name where only parameters with one are left: the rest of a command line.
    """
    count = len(call.args) - len(call.keywords)
    plain = next((index for index, parameter in enumerate(signature) if parameter.named), count)
    args = list(call.args[: min(count, plain)])
    named = dict(zip(call.keywords, call.args[count:], strict=True))
    for index, parameter in enumerate(signature):
        if index < len(args) or parameter.rest:
            continue
        args.append(_given(parameter, index - count, named))
    return msgspec.structs.replace(call, args=tuple(args), keywords=())


def _given(parameter: Parameter, number: int, named: dict[str, Operand]) -> Operand:
    """What a call passes in a parameter that is not among its plain arguments, the ``number``-th of those."""
    for name in (parameter.name, f"%{parameter.name}"):
        if name in named:
            return named[name]
    for name, step in (("*", f"[{number}]"), ("**", f"[{parameter.name}]")):
        if isinstance(whole := named.get(name), Place):
            return whole.step(Field(step, deref=True))
    return Opaque() if {"*", "**"} & named.keys() else parameter.default


def is_placed(call: Call, signature: Iterable[Parameter]) -> bool:
    """Whether every parameter has its argument."""
    return not call.keywords and len(call.args) >= sum(not one.rest for one in signature)
