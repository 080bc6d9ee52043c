"""Chunks of tasks to a backend and back. In: chunks, a backend. Out: each chunk's results, as they are done.

A chunk whose worker was lost is given again, at first together with the others, then its items one by one, so
that the item that kills its worker is known by name.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from itertools import islice
from typing import Any

import msgspec

from vmfdlint.run.executors import Backend, ExecutorError
from vmfdlint.run.tasks import Crash, Done, run_chunk

_KILLED = "the worker process ended abruptly (killed, or out of memory): exclude the file, or try -j 1"
_LOOK = 1.0
"""Seconds between two looks at whether the backend is still there."""

Results = list[Done[Any] | Crash]


class Chunk(msgspec.Struct, frozen=True, eq=False):
    """Tasks that go to a worker together. ``start`` is the place of the first among all, ``weight`` what
    they hold of the memory that :class:`Dispatch` bounds."""

    start: int
    items: Sequence[Any]
    names: Sequence[str]
    weight: int = 0


class Dispatch:
    """One pass of chunks over a backend. At most ``width`` are there at once, and their weights together are
    at most ``limit``, but that one chunk may always go.

    ``instead`` gives the backend for the rest where ``backend`` is gone; it hears why.
    """

    def __init__(
        self,
        backend: Backend,
        function: Callable[[Any], Any],
        width: int,
        limit: int,
        instead: Callable[[str], Backend],
    ) -> None:
        self._backend = backend
        self._function = function
        self._width = width
        self._limit = limit
        self._instead = instead
        self._running: dict[Future[Results], Chunk] = {}
        self._next: deque[Chunk] = deque()
        self._alone: deque[Chunk] = deque()
        self._losses: dict[int, int] = {}

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Results]]:
        """Every chunk with its results, in the order they are done."""
        while True:
            self._fill(chunks)
            if self._running:
                yield from self._finished()
            elif self._alone:
                yield self._apart(self._alone.popleft())
            else:
                return

    def _fill(self, chunks: Iterator[Chunk]) -> None:
        while len(self._running) < self._width:
            if not self._next:
                self._next.extend(islice(chunks, 1))
            if not self._next:
                return
            used = sum(chunk.weight for chunk in self._running.values())
            if self._running and used + self._next[0].weight > self._limit:
                return
            chunk = self._next.popleft()
            self._running[self._submit(chunk.items, chunk.names)] = chunk

    def _submit(self, items: Sequence[Any], names: Sequence[str]) -> "Future[Results]":
        try:
            return self._backend.submit(run_chunk, self._function, items, names)
        except ExecutorError as error:
            self._backend = self._instead(str(error))
            return self._backend.submit(run_chunk, self._function, items, names)

    def _finished(self) -> Iterator[tuple[Chunk, Results]]:
        """The chunks that are done, after a wait for the first; none now and then."""
        done, _ = wait(self._running, _LOOK, FIRST_COMPLETED)
        if not done:
            self._look()
        errors = {future: _error(future) for future in done}
        if any(error is not None and self._backend.lost(error) for error in errors.values()):
            # A pool of processes breaks as a whole: once it is put away, what it had is done as well.
            self._backend.restart()
            errors |= {future: _error(future) for future in self._running if future.done()}
        for future, error in errors.items():
            chunk = self._running.pop(future)
            if error is None:
                yield chunk, future.result()
            elif not self._backend.lost(error):
                # The task ran; its value could not be sent back.
                text = f"{type(error).__name__}: {error}"
                yield chunk, [Crash(name, text) for name in chunk.names]
            else:
                losses = self._losses[chunk.start] = self._losses.get(chunk.start, 0) + 1
                (self._next if losses <= self._backend.rounds else self._alone).append(chunk)

    def _look(self) -> None:
        """Takes another backend where this one is gone: what it had is given to that."""
        why = self._backend.gone()
        if why:
            self._next.extend(self._running.values())
            self._running.clear()
            self._backend = self._instead(why)

    def _apart(self, chunk: Chunk) -> tuple[Chunk, Results]:
        """One item at a time."""
        results: Results = []
        for item, name in zip(chunk.items, chunk.names, strict=True):
            future = self._submit([item], [name])
            while not wait([future], _LOOK).done:
                before = self._backend
                self._look()
                if self._backend is not before:
                    future = self._submit([item], [name])
            error = _error(future)
            if error is None:
                results += future.result()
            elif self._backend.lost(error):
                self._backend.restart()
                results.append(Crash(name, _KILLED))
            else:
                results.append(Crash(name, f"{type(error).__name__}: {error}"))
        return chunk, results


def _error(future: "Future[Results]") -> BaseException | None:
    """What became of a call that is done: nothing where it has results."""
    return CancelledError() if future.cancelled() else future.exception()
