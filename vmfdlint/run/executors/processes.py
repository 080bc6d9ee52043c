"""Worker processes of this machine, started when they are first needed: ``--executor processes``."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Any

from vmfdlint.run.executors.contract import ExecutorError, Prepare, failed

SCHEMES = ("processes",)


def start_method() -> str:
    """How processes begin: not as a fork of this one, which may have threads."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


class Processes:
    """A pool of worker processes. One that dies takes the pool with it; the next call starts another."""

    here = False
    # A process that something outside killed is as good as an innocent one: together is faster than alone.
    rounds = 1

    def __init__(self, jobs: int, prepare: Prepare) -> None:
        self.workers = jobs
        self._prepare = prepare
        self._executor: ProcessPoolExecutor | None = None
        self._proven = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Raises ExecutorError where the system gives no processes."""
        if self._executor is None:
            self._executor = self._started()
        try:
            return self._executor.submit(function, *arguments)
        except BrokenProcessPool as error:
            return failed(error)

    def lost(self, error: BaseException) -> bool:
        """Whether a process died; calls that waited for it are cancelled or broken."""
        return isinstance(error, BrokenProcessPool | CancelledError)

    def gone(self) -> str:
        """Processes can be started again."""
        return ""

    def restart(self) -> None:
        """The broken pool is put away."""
        self.stop(wait=True)

    def stop(self, wait: bool) -> None:
        """Without ``wait`` running tasks are ended: they may be long, and nobody wants what they make."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        running = [] if wait else list((getattr(executor, "_processes", None) or {}).values())
        executor.shutdown(wait=wait, cancel_futures=True)
        for process in running:
            process.terminate()

    def _started(self) -> ProcessPoolExecutor:
        try:
            executor = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context(start_method()),
                initializer=_start_worker,
                initargs=(self._prepare,),
            )
            error = None if self._proven else executor.submit(_alive).exception()
        except (OSError, ImportError) as refused:  # no semaphores or no processes, as in some sandboxes
            raise ExecutorError(f"no worker processes to be had: {refused}") from refused
        if error is not None:
            executor.shutdown(wait=True, cancel_futures=True)
            raise ExecutorError(f"no worker processes to be had: {error}")
        self._proven = True
        return executor


def opened(address: str, jobs: int, prepare: Prepare) -> Processes:
    """No process is started yet."""
    return Processes(jobs, prepare)


def _start_worker(prepare: Prepare) -> None:
    # Ctrl-C goes to every process of the terminal; only the driver answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_follow, daemon=True).start()
    prepare()


def _follow() -> None:
    """Ends the worker when the driver is gone: one that was killed says nothing, and nobody would take what
    the worker makes."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


def _alive() -> bool:
    """A task that cannot fail: asks whether worker processes can be had at all."""
    return True
