"""The workers of a Dask cluster: ``--executor dask://HOST:PORT``, the address of its scheduler.

Tasks carry their bytes: nothing is read from the disks of the workers but vmfdlint itself, which has to be
installed there (and where the scheduler runs, which looks into tasks) in the same version.

Sources: https://distributed.dask.org/en/stable/api.html (Client, get_executor), resilience.html there (a task
of a dead worker goes to another; KilledWorker after ``distributed.scheduler.allowed-failures``).
"""

import atexit
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import cache
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any
from uuid import uuid4

import msgspec

from vmfdlint import __version__
from vmfdlint.run.executors.contract import ExecutorError, Prepare, failed

SCHEMES = ("dask", "tcp")
ANSWER = 10.0
"""Seconds in which a scheduler has to answer, and a worker to be there."""
PATIENCE = 15.0
"""Seconds without a scheduler or without any worker, after which nobody waits for them any longer."""


class Call(msgspec.Struct, frozen=True):
    """What a worker is to do. In a value of our own, for Dask looks into tuples and lists for tasks of its
    own. ``key`` names the pool that ``prepare`` is for."""

    key: str
    prepare: Prepare
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Cluster:
    """A connection to a scheduler. Made once a process: commands open their executor more than once."""

    def __init__(self, address: str) -> None:
        self.address = address
        try:
            distributed = import_module("distributed")
        except ImportError as error:
            raise ExecutorError(
                f"{address} needs Dask, which is not installed: pip install 'vmfdlint[dask]'"
            ) from error
        _hush()
        # A broken connection is an OSError there.
        self._errors = (CancelledError, distributed.CancelledError, distributed.KilledWorker, OSError)
        where = "tcp://" + address.partition("://")[2]
        try:
            self.client = _client(distributed, where)
        except (OSError, ValueError, AssertionError) as error:
            words = " ".join(str(error).split())
            raise ExecutorError(
                f"{address} does not answer: is a Dask scheduler running there? ({words})"
            ) from error
        atexit.register(self.client.close)
        try:
            self._greet(distributed)
        except ExecutorError:
            atexit.unregister(self.client.close)
            self.client.close()
            raise
        _hush()

    def _greet(self, distributed: Any) -> None:
        """Asks the workers for their version."""
        try:
            self.client.wait_for_workers(1, timeout=ANSWER)
        except (OSError, distributed.TimeoutError) as error:
            raise ExecutorError(f"{self.address} has no workers: start one, as in `dask worker`") from error
        answers = self.client.run(_version, on_error="return")
        for worker, answer in sorted(answers.items()):
            if isinstance(answer, BaseException):
                words = " ".join(str(answer).split()) or type(answer).__name__
                raise ExecutorError(
                    f"the worker {worker} of {self.address} cannot run vmfdlint ({words}):"
                    f" install vmfdlint {__version__} there"
                )
            if answer != __version__:
                raise ExecutorError(
                    f"the worker {worker} of {self.address} has vmfdlint {answer}, and this is {__version__}:"
                    " install the same version there"
                )

    @property
    def workers(self) -> int:
        """How many worker processes there are: threads of one take turns."""
        try:
            return len(self.client.nthreads())
        except OSError:
            return 0

    def lost(self, error: BaseException) -> bool:
        """Whether an error says that workers or the scheduler went away."""
        return isinstance(error, self._errors)


class Dask:
    """Calls to a cluster. Its scheduler gives those of a dead worker to another by itself."""

    here = False
    rounds = 0

    def __init__(self, cluster: Cluster, prepare: Prepare) -> None:
        self.workers = max(1, cluster.workers)
        self._cluster = cluster
        self._prepare = prepare
        self._key = uuid4().hex
        self._executor = cluster.client.get_executor(pure=False)
        self._ill: float | None = None  # since when nobody is there

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """The arguments travel with the call."""
        if self._cluster.client.status == "closed":
            return failed(CancelledError())
        call = Call(self._key, self._prepare, function, arguments)
        future: Future[Any] = self._executor.submit(_on_worker, call)
        return future

    def lost(self, error: BaseException) -> bool:
        """Whether workers or the scheduler went away."""
        return self._cluster.lost(error)

    def gone(self) -> str:
        """The scheduler does not answer, or has had no worker, for a while."""
        client = self._cluster.client
        if client.status == "running" and self._cluster.workers:
            self._ill = None
            return ""
        if self._ill is None:
            self._ill = monotonic()
        if client.status != "closed" and monotonic() - self._ill < PATIENCE:
            return ""
        return f"{self._cluster.address} has no worker left" if client.status == "running" else (
            f"{self._cluster.address} does not answer any more"
        )

    def restart(self) -> None:
        """The cluster looks after its workers."""

    def stop(self, wait: bool) -> None:
        """Tasks that have not begun are cancelled; the connection stays for the next."""
        if self._cluster.client.status == "running":
            self._executor.shutdown(wait=False)


@cache
def _cluster(address: str) -> Cluster:
    return Cluster(address)


def opened(address: str, jobs: int, prepare: Prepare) -> Dask:
    """Connects. The cluster has as many workers as it has, whatever ``jobs`` is."""
    cluster = _cluster(address)
    if cluster.client.status == "closed":
        _cluster.cache_clear()
        cluster = _cluster(address)
    return Dask(cluster, prepare)


_turn = Lock()
_prepared: set[str] = set()


def _on_worker(call: Call) -> Any:
    """A call in a worker. A worker may have several threads: nothing here was written for them, and Python
    would gain nothing by it."""
    with _turn:
        if call.key not in _prepared:
            call.prepare()
            _prepared.add(call.key)
        return call.function(*call.arguments)


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=ANSWER, set_as_default=False)
    except AssertionError:
        # Its greeting is lost where the scheduler has another message for all clients in just that moment.
        return distributed.Client(address, timeout=ANSWER, set_as_default=False)


def _version() -> str:
    return __version__


def _hush() -> None:
    """What Dask logs of lost workers is no error of a run that loses nothing."""
    for name in list(logging.Logger.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    config = import_module("dask").config
    config.set({"distributed.admin.large-graph-warning-threshold": "4GB"})
