"""One modelled call as transfer functions see it."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from vmfdlint.base import Span
from vmfdlint.ir import Operand
from vmfdlint.link import Site
from vmfdlint.summary import Flow, Sharing

Observe: TypeAlias = Callable[..., None]


class Invocation(msgspec.Struct, frozen=True):
    """One call being executed: its arguments with constants put in. ``repeated``: it can give several
    results, one after the other, in one run of its function."""

    site: Site
    at: Span
    api: str
    args: tuple[Operand, ...]
    flow: Flow
    repeated: bool
    sharing: Sharing
    raises: bool = False
    """Whether a failure gives an exception instead of a result."""
