"""What a kind of executor is to the room: something that takes calls and says when a worker was lost."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec


class ExecutorError(ValueError):
    """An executor that cannot be had: the words say what to install, or which address does not answer."""


class Prepare(msgspec.Struct, frozen=True):
    """What each worker does before its first task: a top-level function and its arguments."""

    function: Callable[..., None] | None = None
    arguments: tuple[object, ...] = ()

    def __call__(self) -> None:
        """Does it."""
        if self.function is not None:
            self.function(*self.arguments)


class Backend(Protocol):
    """One kind of executor. A module of this folder with SCHEMES and ``opened`` is found by being here.

    ``here`` says that a call is done in this process when it is submitted, ``workers`` how many tasks
    run at once, ``rounds`` how often a call is given again together with others after its worker was lost,
    before it is tried alone.
    """

    here: bool
    workers: int
    rounds: int

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """One call. Where the workers are gone, the error is in the future. Raises ExecutorError where there
        are none to be had."""

    def lost(self, error: BaseException) -> bool:
        """Whether an error tells of a lost worker, and not of the task."""

    def gone(self) -> str:
        """Why no task will ever be done here any more; empty while there is hope. Asked while one waits."""

    def restart(self) -> None:
        """After a lost worker: makes it ready for more."""

    def stop(self, wait: bool) -> None:
        """No more tasks. Without ``wait`` those that run are given up."""


def failed(error: BaseException) -> "Future[Any]":
    """A call that could not be made."""
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
