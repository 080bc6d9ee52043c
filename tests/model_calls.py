"""What the tests of the models share: the shipped rows, a few operands, and how a call is asked."""

from vmfdlint.ir import Const, Operand, Place, Root
from vmfdlint.models import Create, Effect, Resolved, default_models, resolve

MODELS = default_models()
FD = Place(Root.LOCAL, "fd")
UNKNOWN = Place(Root.LOCAL, "x")


def call(name: str, *args: Operand) -> Resolved:
    """A call that some row must speak of."""
    found = resolve(MODELS, name, args)
    assert found is not None
    return found


def effect_types(name: str, *args: Operand) -> list[type[Effect]]:
    return [type(each) for each in call(name, *args).effects]


def created(name: str, *args: Operand) -> list[Create]:
    return [each for each in call(name, *args).effects if isinstance(each, Create)]


def named(*names: str) -> Const:
    """A constant of a header that is not read: names only."""
    return Const(None, names)
