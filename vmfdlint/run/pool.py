"""Tasks over the cores. In: a pure top-level function and frozen items. Out: results in their order.

Whatever the number of processes or the order they finish in, the results are the same. Knows no room.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import TypeVar

from vmfdlint.run.tasks import Crash, Done, alive, run_chunk, run_one

Item = TypeVar("Item")
Value = TypeVar("Value")

FEW = 8
"""Below this many items a process costs more than it saves."""
_CHUNKS_PER_WORKER = 8
_KILLED = "the worker process ended abruptly (killed, or out of memory): exclude the file, or try -j 1"


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool:
    """Worker processes that are started once and used by several maps; with ``jobs`` 1 none are started.

    ``jobs`` 0 means one per usable CPU. ``prepare``, a top-level function, runs once in every worker before
    any task, with ``prepare_with`` as its arguments; without workers it runs once here.
    """

    def __init__(
        self,
        jobs: int = 0,
        prepare: Callable[..., None] | None = None,
        prepare_with: tuple[object, ...] = (),
    ) -> None:
        self.jobs = jobs if jobs > 0 else usable_cpus()
        self._prepare = prepare
        self._prepare_with = prepare_with
        self._prepared_here = False
        self._executor: Executor | None = None

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After Ctrl-C nobody wants the tasks that have not begun.
        self._stop(wait=kind is None)

    def map(
        self,
        function: Callable[[Item], Value],
        items: Sequence[Item],
        name: Callable[[Item], str] = str,
    ) -> "list[Done[Value] | Crash]":
        """``function`` over ``items``, one result for each in the same order. Never raises for a task.

        A task that raises is a Crash. So is one whose worker process dies; the others run on, one by one.
        """
        names = [name(item) for item in items]
        if self.jobs == 1 or len(items) < FEW:
            return self._here(function, items, names)
        executor = self._workers(self.jobs)
        if executor is None:
            return self._here(function, items, names)
        size = max(1, -(-len(items) // (self.jobs * _CHUNKS_PER_WORKER)))
        starts = range(0, len(items), size)
        results: list[Done[Value] | Crash] = []
        futures: list[Future[list[Done[Value] | Crash]] | None] = []
        for start in starts:
            end = start + size
            try:
                futures.append(executor.submit(run_chunk, function, items[start:end], names[start:end]))
            except BrokenProcessPool:
                futures.append(None)
        for start, future in zip(starts, futures, strict=True):
            end = start + size
            error = BrokenProcessPool() if future is None else future.exception()
            if future is not None and error is None:
                results += future.result()
            elif isinstance(error, BrokenProcessPool):
                self._stop()
                results += self._apart(function, items[start:end], names[start:end])
            else:
                # The task ran; its value could not be sent back.
                text = f"{type(error).__name__}: {error}"
                results += [Crash(one, text) for one in names[start:end]]
        return results

    def _here(
        self, function: Callable[[Item], Value], items: Sequence[Item], names: Sequence[str]
    ) -> "list[Done[Value] | Crash]":
        if self._prepare is not None and not self._prepared_here:
            self._prepare(*self._prepare_with)
            self._prepared_here = True
        return run_chunk(function, items, names)

    def _apart(
        self, function: Callable[[Item], Value], items: Sequence[Item], names: Sequence[str]
    ) -> "list[Done[Value] | Crash]":
        """One item at a time in one worker, so that the item that kills it is known by name."""
        results: list[Done[Value] | Crash] = []
        for item, name in zip(items, names, strict=True):
            executor = self._workers(1)
            if executor is None:
                results += self._here(function, [item], [name])
                continue
            future = executor.submit(run_one, function, item, name)
            error = future.exception()
            if error is None:
                results.append(future.result())
            elif isinstance(error, BrokenProcessPool):
                self._stop()
                results.append(Crash(name, _KILLED))
            else:
                results.append(Crash(name, f"{type(error).__name__}: {error}"))
        return results

    def _workers(self, jobs: int) -> Executor | None:
        """The worker processes, started if need be; None where the system gives none."""
        if self._executor is None:
            method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
            try:
                executor = ProcessPoolExecutor(
                    jobs,
                    mp_context=multiprocessing.get_context(method),
                    initializer=_start_worker,
                    initargs=(self._prepare, self._prepare_with),
                )
                self._executor = executor
                if executor.submit(alive).exception() is not None:
                    self._stop()
            except (OSError, ImportError):  # no semaphores or no processes to be had, as in some sandboxes
                self._stop()
        return self._executor

    def _stop(self, wait: bool = True) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=wait, cancel_futures=True)


def map_tasks(
    function: Callable[[Item], Value],
    items: Sequence[Item],
    jobs: int = 0,
    name: Callable[[Item], str] = str,
) -> "list[Done[Value] | Crash]":
    """:meth:`Pool.map` with worker processes of its own."""
    with Pool(jobs) as pool:
        return pool.map(function, items, name)


def _start_worker(prepare: Callable[..., None] | None, prepare_with: tuple[object, ...]) -> None:
    # Ctrl-C goes to every process of the terminal; only the driver answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare is not None:
        prepare(*prepare_with)
