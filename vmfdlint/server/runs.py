"""When is analysed: one program at a time, in a process of its own, once nobody asked for a while."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from vmfdlint.app import Look, Looking, Seen
from vmfdlint.server.progress import Progress

QUIET = 0.2
"""Seconds without a question before an analysis begins: an editor opens and saves many files at once."""

Told: TypeAlias = Callable[[Look, Seen], None]


class Runs:
    """Analyses that were asked for. ``look`` says what is to be analysed in a place when its turn comes,
    ``tell`` hears what was seen, in the thread of the event loop."""

    def __init__(self, look: Callable[[str], Look], tell: Told, progress: Progress) -> None:
        self._look = look
        self._tell = tell
        self._progress = progress
        self._wanted: dict[str, None] = {}
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None
        self._current: Looking | None = None
        self._shown = False

    def ask(self, place: str) -> None:
        """Wants a place analysed, from now on."""
        loop = asyncio.get_running_loop()
        self._wanted[place] = None
        self._due = loop.time() + QUIET
        if self._current is not None and self._current.asked.place == place and self._shown:
            # What is still tried out are fixes for a text that is no more.
            self._current.stop()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())

    def stop(self) -> None:
        """Ends what is running, and begins nothing more."""
        self._wanted.clear()
        if self._current is not None:
            self._current.stop()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted:
            while (left := self._due - loop.time()) > 0:
                await asyncio.sleep(left)
            place = next(iter(self._wanted), None)
            if place is None:
                break
            del self._wanted[place]
            looking = Looking(self._look(place))
            self._current, self._shown = looking, False
            self._progress.begin(place)
            try:
                await asyncio.to_thread(self._listen, looking, loop)
            finally:
                # Where the server ends, the thread must not wait for the analysis.
                looking.stop()
                self._current = None
                self._progress.end()

    def _listen(self, looking: Looking, loop: asyncio.AbstractEventLoop) -> None:
        for seen in looking:
            loop.call_soon_threadsafe(self._hear, looking.asked, seen)

    def _hear(self, look: Look, seen: Seen) -> None:
        self._shown = True
        self._tell(look, seen)
