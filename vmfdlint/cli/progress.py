"""What is being done, on one line of the error stream that is written over; nothing where nobody looks."""

import os
import sys
from threading import Event, Thread
from time import monotonic

PATIENCE = 1.0
"""Seconds that a run may take without a word."""
EVERY = 0.2
"""Seconds between two looks at what is to be shown."""


class Progress:
    """Called with what is being done, it shows that and the time since it was made. ``shown``: the error
    stream is a terminal, and the user does not want quiet."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._started = monotonic()
        self._text = ""
        self._written = ""
        self._over = Event()
        self._thread: Thread | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, text: str) -> None:
        self._text = text
        if self._shown and self._thread is None:
            # A thread: where one step takes long, the time must go on.
            self._over.clear()
            self._thread = Thread(target=self._show, daemon=True)
            self._thread.start()

    def clear(self) -> None:
        """Takes the line away. A later call shows another."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._over.set()
            thread.join()
            if self._written:
                self._write("")

    def _show(self) -> None:
        pause = max(0.0, PATIENCE - (monotonic() - self._started))
        while not self._over.wait(pause):
            pause = EVERY
            line = f"{self._text}, {duration(monotonic() - self._started)}"
            if line != self._written:
                self._write(line)

    def _write(self, line: str) -> None:
        self._written = line
        # A line that is wrapped could not be taken away.
        sys.stderr.write(f"\r\x1b[K{line[: _columns() - 1]}")
        sys.stderr.flush()


def duration(seconds: float) -> str:
    """``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
