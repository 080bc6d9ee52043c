"""What is being done, where the client has a place to show it."""

from pathlib import Path

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd
from pygls.lsp.server import LanguageServer


class Progress:
    """One analysis at a time, from its begin to its end."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._number = 0
        self._running = self._shown = ""

    def begin(self, place: str) -> None:
        """An analysis of a place begins."""
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        self._number += 1
        self._running = token = f"vmfdlint/{self._number}"
        text = f"checking {Path(place).name or place}"

        def created(_answer: object) -> None:
            # The client may answer when it is done already.
            if self._running == token:
                self._shown = token
                self._server.work_done_progress.begin(token, WorkDoneProgressBegin("vmfdlint", message=text))

        self._server.work_done_progress.create(token, created)

    def end(self) -> None:
        """It is done."""
        if self._shown:
            self._server.work_done_progress.end(self._shown, WorkDoneProgressEnd())
        self._running = self._shown = ""
