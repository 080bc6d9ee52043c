"""Arguments of a call put into the parameters of a function of the project.

In: a signature and the operands of a call. Out: an operand for each parameter, and what goes into ``*args``
and ``**kwargs``.
"""

import msgspec

from vmfdlint.frontends.python.module import Parameter, Signature
from vmfdlint.ir import Field, Operand, Place


class Placed(msgspec.Struct, frozen=True):
    """One parameter and what it gets: ``value`` where one operand stands for it; ``elements`` (step, operand)
    where a sequence or mapping is made for it; neither where nothing is given."""

    parameter: Parameter
    value: Operand | None = None
    elements: tuple[tuple[str, Operand], ...] = ()


def split(
    args: tuple[Operand, ...], keywords: tuple[str, ...]
) -> tuple[tuple[Operand, ...], tuple[tuple[str, Operand], ...]]:
    """The arguments of a call by position, and those given by name (``*`` and ``**`` too)."""
    count = len(args) - len(keywords)
    return args[:count], tuple(zip(keywords, args[count:], strict=True))


def place(
    signature: Signature,
    params: tuple[str, ...],
    plain: tuple[Operand, ...],
    named: tuple[tuple[str, Operand], ...],
) -> tuple[Placed, ...]:
    """What each parameter gets, in the order of ``params``, the names in the function's IR."""
    by_name = {parameter.name: parameter for parameter in signature.parameters}
    words = {word: operand for word, operand in named if word not in ("*", "**")}
    star = next((operand for word, operand in named if word == "*" and isinstance(operand, Place)), None)
    mapping = next((operand for word, operand in named if word == "**" and isinstance(operand, Place)), None)
    left = list(plain)
    taken = 0
    found: list[Placed] = []
    for name in params:
        parameter = by_name.get(name, Parameter(name))
        value: Operand | None = None
        elements: tuple[tuple[str, Operand], ...] = ()
        match parameter.kind:
            case "*":
                elements = tuple((f"[{index}]", operand) for index, operand in enumerate(left))
                left.clear()
                if star is not None and not elements and not taken:
                    value = star
            case "**":
                elements = tuple((f"[{word}]", operand) for word, operand in words.items())
                words.clear()
                if mapping is not None and not elements:
                    value = mapping
            case kind:
                if kind == "plain" and left:
                    value = left.pop(0)
                elif name in words:
                    value = words.pop(name)
                elif kind == "plain" and star is not None and not (parameter.optional and mapping):
                    value = star.step(Field(f"[{taken}]", "", True))
                    taken += 1
                elif mapping is not None:
                    value = mapping.step(Field(f"[{name}]", "", True))
                elif parameter.optional:
                    value = parameter.default
        found.append(Placed(parameter, value, elements))
    return tuple(found)
