"""One task after the other, in this process: ``--executor serial``."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from vmfdlint.run.executors.contract import Prepare

SCHEMES = ("serial",)


class Serial:
    """Does a call when it is submitted."""

    here = True
    workers = 1
    rounds = 0

    def __init__(self, prepare: Prepare) -> None:
        self._prepare: Prepare | None = prepare

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """The call is done when this returns; what it raises is raised here."""
        prepare, self._prepare = self._prepare, None
        if prepare is not None:
            prepare()
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future

    def lost(self, error: BaseException) -> bool:
        """There is no worker to lose."""
        return False

    def gone(self) -> str:
        """This process is always there."""
        return ""

    def restart(self) -> None:
        """There is nothing to restart."""

    def stop(self, wait: bool) -> None:
        """There is nothing to stop."""


def opened(address: str, jobs: int, prepare: Prepare) -> Serial:
    """Never fails."""
    return Serial(prepare)
