"""Which files have a name in a set: one set of names a file, as one sorted array. In: packed sets, in the
order of the files. Out: numbers of files."""

from collections.abc import Iterable

import numpy

from vmfdlint.base import number_of


class Postings:
    """Numbers of names and of files, 8 bytes a pair."""

    def __init__(self, sets: Iterable[bytes]) -> None:
        """``sets`` as ``base.packed`` makes them, one a file."""
        pairs = [
            (numpy.frombuffer(names, dtype="<u4").astype(numpy.uint64) << numpy.uint64(32))
            | numpy.uint64(file)
            for file, names in enumerate(sets)
            if names
        ]
        self._pairs = numpy.concatenate(pairs) if pairs else numpy.empty(0, dtype=numpy.uint64)
        self._pairs.sort(kind="stable")  # the runs are sorted already, of which this order makes use

    def files(self, name: str) -> list[int]:
        """The files with a name, ascending; with a small chance, one more."""
        number = number_of(name)
        ends = numpy.array((number << 32, (number + 1) << 32), dtype=numpy.uint64)
        low, high = numpy.searchsorted(self._pairs, ends)
        found: list[int] = (self._pairs[low:high] & numpy.uint64(0xFFFFFFFF)).tolist()
        return found
