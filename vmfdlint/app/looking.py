"""A look in a process of its own: it can be given up, and takes what it built along."""

from collections.abc import Iterator

from vmfdlint.app.editor import Look, Seen, looks
from vmfdlint.run import Apart, Crash

_WALK = "vmfdlint.app"


class Looking:
    """One look. Iterating over it waits for what is seen; ``stop`` may be called from any thread."""

    def __init__(self, asked: Look) -> None:
        self.asked = asked
        self._task = Apart(looks, asked, asked.place, modules=(_WALK,))

    def __iter__(self) -> Iterator[Seen]:
        for result in self._task:
            if isinstance(result, Crash):
                yield Seen(errors=(f"vmfdlint crashed in {result.item}: {result.text}; please report this",))
            else:
                yield result.value

    def stop(self) -> None:
        """Gives it up."""
        self._task.stop()
