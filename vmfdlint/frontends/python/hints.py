"""Which files name what a program needs to touch a VM: a search in bytes, before anything is parsed.

In: texts and the numbers of ioctl requests, from the models. Out: whether a file holds one. Almost every
file holds none, so what counts is how fast a file is passed over. A search for one text runs at some 3 GB/s,
and so does a regular expression that begins with two fixed letters; any other at a twentieth of that. What is
looked for is therefore grouped by how it begins, and what must not stand before it is checked behind that.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """``strong``: texts of files that can make or open a holder; ``weak``: texts of files that have to do
    with one. ``requests``: the ioctls that make a holder, by name (``KVM_CREATE_VM``): a file is strong that
    holds the name, with or without its first word, or the number: in hexadecimal with any size of argument,
    in decimal, or as the type of requests in ``_IO(type, ...)``. ``uses`` and ``used``: the names and numbers
    of the ioctls that only a holder takes, wherever it came from: such a file is strong where it names ioctl.
    """

    strong: tuple[bytes, ...] = ()
    weak: tuple[bytes, ...] = ()
    requests: Mapping[str, int] = {}
    uses: frozenset[str] = frozenset()
    used: frozenset[int] = frozenset()


class Search:
    """Hints, made ready to be looked for."""

    def __init__(self, hints: Hints) -> None:
        tails = {(name.partition("_")[2] or name).encode() for name in hints.requests}
        values = set(hints.requests.values())
        numbers = {b"%d" % number for value in values for number in _spellings(value)}
        self._strong = hints.strong
        self._weak = hints.weak
        self._exact = [
            *_grouped(tails, lambda tail: tail.find(b"_") + 1 or len(tail), rb"[A-Za-z0-9]", rb"\w"),
            *_grouped(numbers, lambda _number: 2, rb"[\w.]", rb"[\w.]"),
        ]
        self._uses = list(
            _grouped(
                (name.encode() for name in hints.uses), lambda name: name.find(b"_") + 1, rb"\w", rb"\w"
            )
        )
        self._low = {value & 0xFFFF for value in values}
        self._used = self._low | {value & 0xFFFF for value in hints.used}
        self._types = [_Type(kind) for kind in sorted({value >> 8 & 0xFF for value in values})]

    def strong(self, data: bytes) -> bool:
        """Whether a file can make or open a holder, or gets one and works with it."""
        if any(text in data for text in self._strong):
            return True
        if any(pattern.search(data) for pattern in self._exact):
            return True
        users = b"ioctl" in data
        if users and any(pattern.search(data) for pattern in self._uses):
            return True
        low = self._used if users else self._low
        return any(kind.named(data, low) for kind in self._types)

    def weak(self, data: bytes) -> bool:
        """Whether a file has to do with one."""
        return any(text in data for text in self._weak)


class _Type:
    """The numbers of requests of one type, the second byte of each: 0xAE is KVM's."""

    def __init__(self, kind: int) -> None:
        digits = b"".join(b"[%c%c]" % (d, d ^ 0x20) if d > 0x39 else b"%c" % d for d in b"%02x" % kind)
        number = rb"(?:0[xX]%b|%d)(?!\w)" % (digits, kind)
        self._hexadecimal = re.compile(rb"0[xX][0-9a-fA-F_]{0,5}?%b_?[0-9a-fA-F]{0,2}(?!\w)" % digits)
        self._decimal = re.compile(rb"%d\s*(?:,|<<)" % kind)
        # _IO(0xAE, 1), 0xAE << 8, MAGIC = 0xAE
        self._computed = re.compile(
            rb"(?i:\b_?io\w*)\(\s*%b|(?<![\w.])%b\s*<<\s*8|=\s*0[xX]%b\s*(?:[#;\r\n]|$)"
            % (number, number, digits)
        )

    def named(self, data: bytes, low: set[int]) -> bool:
        """Whether a file holds a number whose lower 16 bits are one of ``low``, or computes a request."""
        if self._hexadecimal.search(data):
            found = (number.replace(b"_", b"") for number in self._hexadecimal.findall(data))
            if any(int(number, 16) & 0xFFFF in low for number in found):
                return True
        elif not self._decimal.search(data):
            return False
        return self._computed.search(data) is not None


def _spellings(value: int) -> Iterable[int]:
    """A request's number as it may stand in decimal: with the size, without, and as a signed 32-bit number,
    which is what Python 2 on a 32-bit machine takes. The sign is left out."""
    yield value & 0xFFFF
    yield value
    yield abs(value - (1 << 32)) if value >> 31 else value


def _grouped(
    texts: Iterable[bytes], length: Callable[[bytes], int], before: bytes, after: bytes
) -> Iterator[re.Pattern[bytes]]:
    """Patterns that find any of ``texts`` where neither ``before`` nor ``after`` stands beside it. Those that
    share their first ``length(text)`` letters are one pattern."""
    groups: dict[bytes, list[bytes]] = {}
    for text in sorted(texts):
        groups.setdefault(text[: length(text)], []).append(text[length(text) :])
    for head, tails in groups.items():
        ends = b"|".join(map(re.escape, tails))
        yield re.compile(rb"%b(?<!%b%b)(?:%b)(?!%b)" % (head, before, head, ends, after))
