"""Tasks over the cores. In: a pure top-level function and frozen items. Out: results in their order.

Whatever the executor, the number of workers or the order they finish in, the results are the same. Knows no
room.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from vmfdlint.run.dispatch import Chunk, Dispatch
from vmfdlint.run.executors import Backend, Prepare, open_executor
from vmfdlint.run.tasks import Crash, Done, run_chunk

Item = TypeVar("Item")
Value = TypeVar("Value")

FEW = 8
"""Below this many items a process costs more than it saves."""
_CHUNKS_PER_WORKER = 8


class Workers(msgspec.Struct, frozen=True):
    """Who does the tasks: so many processes (``jobs`` 0: one per usable CPU), or the executor at an address.
    ``executor`` empty means processes of this machine."""

    jobs: int = 0
    executor: str = ""


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def reach(workers: Workers) -> None:
    """Finds out before the work whether its executor can be had. Raises ExecutorError."""
    if workers.executor:
        open_executor(workers.executor, workers.jobs or usable_cpus(), Prepare())


class Pool:
    """Workers that are found once and used by several maps; with one job all is done in this process.

    ``prepare``, a top-level function, runs once in every worker before any task, with ``prepare_with`` as its
    arguments; without workers it runs once here. ``tell`` hears where the work goes when an executor is gone.
    Raises ExecutorError where the address of an executor does not answer.
    """

    def __init__(
        self,
        workers: Workers | int = 0,
        prepare: Callable[..., None] | None = None,
        prepare_with: tuple[object, ...] = (),
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._asked = Workers(workers) if isinstance(workers, int) else workers
        self._prepare = Prepare(prepare, prepare_with)
        self._here = open_executor("serial", 1, self._prepare)
        self._tell = tell
        jobs = self._asked.jobs or usable_cpus()
        self._backend = self._here
        if self._asked.executor or jobs > 1:
            self._backend = open_executor(self._asked.executor or "processes", jobs, self._prepare)
        self.jobs = self._backend.workers

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After Ctrl-C nobody wants the tasks that have not begun.
        self._backend.stop(wait=kind is None)

    def map(
        self,
        function: Callable[[Item], Value],
        items: Sequence[Item],
        name: Callable[[Item], str] = str,
        watch: Callable[[int], None] = lambda _done: None,
    ) -> "list[Done[Value] | Crash]":
        """``function`` over ``items``, one result for each in the same order. Never raises for a task.

        A task that raises is a Crash. So is one whose worker dies each time; the others run on. ``watch``
        hears now and then how many items are done.
        """
        names = [name(item) for item in items]
        if self._backend.here or len(items) < FEW:
            return self._one_by_one(function, items, names, watch)
        size = max(1, -(-len(items) // (self.jobs * _CHUNKS_PER_WORKER)))
        chunks = (
            Chunk(start, items[start : start + size], names[start : start + size])
            for start in range(0, len(items), size)
        )
        done: dict[int, list[Done[Value] | Crash]] = {}
        count = 0
        for chunk, results in self._dispatch(function, len(items), 0).run(chunks):
            done[chunk.start] = results
            count += len(results)
            watch(count)
        return [result for _, results in sorted(done.items(), key=lambda one: one[0]) for result in results]

    def stream(
        self,
        function: Callable[[Item], Value],
        items: Iterable[Item],
        name: Callable[[Item], str],
        weight: Callable[[Item], int],
        limit: int,
    ) -> "Iterator[tuple[Item, Done[Value] | Crash]]":
        """Long tasks: each item with its result as it is done, in any order.

        Items are taken from ``items`` only when a worker is free, and while the weights of those that run
        come to no more than ``limit``.
        """
        if self._backend.here:
            for item in items:
                yield item, self._here.submit(run_chunk, function, [item], [name(item)]).result()[0]
            return
        chunks = (Chunk(at, [item], [name(item)], weight(item)) for at, item in enumerate(items))
        for chunk, results in self._dispatch(function, self.jobs, limit).run(chunks):
            yield chunk.items[0], results[0]

    def _dispatch(self, function: Callable[[Any], Any], width: int, limit: int) -> Dispatch:
        return Dispatch(self._backend, function, width, limit, self._instead)

    def _one_by_one(
        self,
        function: Callable[[Item], Value],
        items: Sequence[Item],
        names: Sequence[str],
        watch: Callable[[int], None],
    ) -> "list[Done[Value] | Crash]":
        results: list[Done[Value] | Crash] = []
        for item, name in zip(items, names, strict=True):
            results += self._here.submit(run_chunk, function, [item], [name]).result()
            watch(len(results))
        return results

    def _instead(self, why: str) -> Backend:
        """Another backend for what one that is gone did not do: processes, or, if these are, this process."""
        self._backend.stop(wait=False)
        self._tell(f"{why}: the rest is done here")
        jobs = self._asked.jobs or usable_cpus()
        again = self._asked.executor not in ("", "processes") and jobs > 1
        self._backend = open_executor("processes", jobs, self._prepare) if again else self._here
        self._asked = Workers(jobs)
        return self._backend


def map_tasks(
    function: Callable[[Item], Value],
    items: Sequence[Item],
    jobs: int = 0,
    name: Callable[[Item], str] = str,
) -> "list[Done[Value] | Crash]":
    """:meth:`Pool.map` with worker processes of its own."""
    with Pool(jobs) as pool:
        return pool.map(function, items, name)
