"""The pre-pass: rewrites what the C grammar cannot read, byte for byte, so that every offset stays true."""


def even(data: bytes) -> bytes:
    """The same bytes with unreadable constructs replaced: equal length, equal line ends. Never fails."""
    return data


def attributes_of(source: bytes, start: int, end: int) -> tuple[str, ...]:
    """Attribute words of a function header, read from the original bytes ``source[start:end]``.

    Returns a sorted tuple out of ``constructor``, ``inline``, ``noreturn``, ``static``, ``variadic``, ``weak``.
    """
    raise NotImplementedError


def cleanup_of(source: bytes, start: int, end: int) -> str | None:
    """The function that runs when the local declared in the original bytes ``source[start:end]`` leaves scope."""
    raise NotImplementedError
