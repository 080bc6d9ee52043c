"""Values as the bytes of a row, and back. MessagePack and no pickle: a cache that came from elsewhere runs no
code."""

from typing import Generic, TypeVar

import msgspec

Value = TypeVar("Value")

_ENCODER = msgspec.msgpack.Encoder()


class Coding(Generic[Value]):
    """Rows that hold values of one type."""

    def __init__(self, kind: type[Value]) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, value: Value) -> bytes | None:
        """The row, None for what no row can hold: a number of more than 64 bits, half a surrogate pair."""
        try:
            return _ENCODER.encode(value)
        except (OverflowError, UnicodeEncodeError):
            return None

    def decode(self, data: bytes | None) -> Value | None:
        """The value, None where the row does not hold one."""
        if data is None:
            return None
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
