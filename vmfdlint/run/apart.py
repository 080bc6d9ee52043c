"""A task in a process of its own, which sends what it has as soon as it has it. Knows no room.

For a driver that goes on living: what the task built is gone with its process, and so is a task that nobody
waits for any more. Nothing of the driver is passed on; a task whose driver is gone ends when it next sends.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar, cast

from vmfdlint.run.executors.processes import start_method
from vmfdlint.run.tasks import Crash, Done, run_one

Item = TypeVar("Item")
Value = TypeVar("Value")

_DIED = "the process of the analysis ended abruptly (killed, or out of memory)"


class Apart(Generic[Value]):
    """The values that ``function(item)`` yields in another process; ``function`` is a top-level one.

    ``modules`` are imported once for all such processes, where the system can. ``stop`` may be called from
    any thread.
    """

    def __init__(
        self,
        function: Callable[[Item], Iterator[Value]],
        item: Item,
        name: str,
        modules: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._stopped = False
        self._closing = threading.Lock()
        method = start_method()
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(list(modules))
        self._receiving, self._sending = context.Pipe(duplex=False)
        # Nothing goes through it: its end at the task says that this one is closed, or gone with its process.
        self._watched, self._lifeline = context.Pipe(duplex=False)
        make: Callable[..., BaseProcess] = cast(Any, context).Process  # no stub says that there is one
        self._process = make(target=_send_all, args=(function, item, name, self._sending, self._watched))

    def __iter__(self) -> "Iterator[Done[Value] | Crash]":
        """Starts the task and waits for its values; a task that raises or dies ends with a Crash."""
        try:
            self._process.start()
        except OSError as error:  # no processes to be had
            yield Crash(self._name, f"no process for the analysis: {error.strerror}")
            return
        self._sending.close()
        self._watched.close()
        try:
            while (result := self._receiving.recv()) is not None:
                yield result
        except (EOFError, ConnectionResetError):
            if not self._stopped:
                yield Crash(self._name, _DIED)
        finally:
            self._receiving.close()
            self._let_go()
            self._process.join()

    def stop(self) -> None:
        """Ends the task and the processes it started; what it has not sent is lost."""
        self._stopped = True
        self._let_go()

    def _let_go(self) -> None:
        with self._closing:  # closed by two at once, a number would be closed that is another's by then
            self._lifeline.close()


def _send_all(
    function: Callable[[Item], Iterator[Value]],
    item: Item,
    name: str,
    sending: "Connection[Done[Value] | Crash | None, None]",
    watched: "Connection[None, None]",
) -> None:
    """The task's process."""
    gc.disable()  # what it builds lives until it ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by the driver
    if hasattr(os, "setsid"):
        os.setsid()
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()
    values = function(item)
    while True:
        result = run_one(_next, values, name)
        if isinstance(result, Crash):
            sending.send(result)
            break
        if not result.value:
            break
        sending.send(Done(result.value[0]))
    sending.send(None)


def _end_with(watched: "Connection[None, None]") -> None:
    """Ends this process when the driver gives it up or is gone itself."""
    watched.poll(None)
    if hasattr(os, "killpg"):
        # Its worker processes would wait for tasks for ever: they have to go with it.
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _next(values: Iterator[Value]) -> tuple[Value, ...]:
    """The next value, or none."""
    return next(((value,) for value in values), ())
