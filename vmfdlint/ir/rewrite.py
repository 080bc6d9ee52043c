"""Values of the IR with parts of them replaced. In: a value, and what stands in the place of which part."""

from collections.abc import Callable
from typing import Any

import msgspec


def rewritten(value: Any, replaced: Callable[[Any], Any]) -> Any:
    """A value of the IR, a part of one or a tuple of such, with what ``replaced`` gives in the place of each
    part; for None a part stays, and those in it are asked about."""
    found = replaced(value)
    if found is not None:
        return found
    if isinstance(value, tuple):
        return tuple(rewritten(item, replaced) for item in value)
    if isinstance(value, msgspec.Struct):
        parts = {field: rewritten(getattr(value, field), replaced) for field in value.__struct_fields__}
        return msgspec.structs.replace(value, **parts)
    return value
