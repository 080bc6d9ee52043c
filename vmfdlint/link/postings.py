"""Which files have a name in a set: one set of names a file, as one sorted array. In: packed sets, in the
order of the files. Out: numbers of files."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy

from vmfdlint.base import number_of

_FILE = 0xFFFFFFFF


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
        every = numpy.concatenate(pairs) if pairs else numpy.empty(0, dtype=numpy.uint64)
        every.sort(kind="stable")  # the runs are sorted already, of which this order makes use
        self._pairs = every
        self._view = every.data

    def files(self, name: str) -> list[int]:
        """The files with a name, ascending; with a small chance, one more."""
        number = number_of(name)
        low = bisect_left(self._view, number << 32)
        high = bisect_left(self._view, (number + 1) << 32, low)
        return [pair & _FILE for pair in self._view[low:high]]

    def known(self, names: Sequence[str]) -> list[str]:
        """Those of many names that some file has; faster than one by one."""
        numbers = numpy.fromiter(map(number_of, names), dtype=numpy.uint64, count=len(names))
        low = numpy.searchsorted(self._pairs, numbers << numpy.uint64(32))
        high = numpy.searchsorted(self._pairs, (numbers + numpy.uint64(1)) << numpy.uint64(32))
        return [names[index] for index in numpy.flatnonzero(high > low).tolist()]
