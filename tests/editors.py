"""A client of the language server: plain JSON-RPC with the real process, over pipes."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
PATIENCE = 60.0
"""Seconds to wait for what has to come."""
Json = dict[str, Any]


class Editor:
    """An editor with some workspace folders."""

    def __init__(self, *folders: Path, capabilities: Json | None = None) -> None:
        self.messages: list[Json] = []
        self._ids = 0
        self._versions: dict[Path, int] = {}
        self._incoming: queue.Queue[Json | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vmfdlint", "server", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        threading.Thread(target=self._read, daemon=True).start()
        roots = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        self.begun = self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": roots[0]["uri"] if roots else None,
                "workspaceFolders": roots,
                "capabilities": capabilities or {},
            },
        )
        self.tell("initialized", {})

    def ask(self, method: str, params: Json | None) -> Any:
        """A request and its result."""
        self._ids += 1
        number = self._ids
        self._send({"id": number, "method": method, "params": params})
        answer = self._wait(lambda one: one.get("id") == number and "method" not in one)
        assert "error" not in answer, answer
        return answer["result"]

    def tell(self, method: str, params: Json | None) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def show(self, path: Path, text: str | None = None) -> None:
        """Opens a document, and waits for nothing."""
        self._versions[path] = 1
        language = "python" if path.suffix == ".py" else "c"
        text = path.read_text(encoding="utf-8") if text is None else text
        item = {"uri": path.as_uri(), "languageId": language, "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})

    def open(self, path: Path, text: str | None = None) -> list[Json]:
        """Opens a document; its diagnostics."""
        self.show(path, text)
        return self.diagnostics(path)

    def change(self, path: Path, text: str) -> None:
        """Types; nothing is saved."""
        self._versions[path] += 1
        document = {"uri": path.as_uri(), "version": self._versions[path]}
        params = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.tell("textDocument/didChange", params)

    def save(self, path: Path, text: str | None = None) -> list[Json]:
        """Saves a document, as it is or with a new text; its diagnostics."""
        if text is not None:
            self.change(path, text)
            path.write_text(text, encoding="utf-8")
        self.tell("textDocument/didSave", self.named(path))
        return self.diagnostics(path)

    def close(self, path: Path) -> list[Json]:
        """Closes a document; its diagnostics."""
        self.tell("textDocument/didClose", self.named(path))
        return self.diagnostics(path)

    def diagnostics(self, path: Path) -> list[Json]:
        """The next diagnostics that come for a document."""
        wanted = "textDocument/publishDiagnostics"
        uri = path.as_uri()
        params = self._wait(lambda one: one.get("method") == wanted and one["params"]["uri"] == uri)["params"]
        assert params.get("version", self._versions[path]) == self._versions[path]
        found: list[Json] = params["diagnostics"]
        return found

    def answer(self, method: str) -> Json:
        """The next request of the server of a kind, answered with nothing."""
        request = self._wait(lambda one: one.get("method") == method and "id" in one)
        self._send({"id": request["id"], "result": None})
        params: Json = request["params"]
        return params

    def heard(self, method: str) -> Json:
        """The next notification of a kind."""
        params: Json = self._wait(lambda one: one.get("method") == method)["params"]
        return params

    def hover(self, path: Path, line: int, character: int) -> Json | None:
        """What is told of a place."""
        place = {"line": line, "character": character}
        found: Json | None = self.ask("textDocument/hover", {**self.named(path), "position": place})
        return found

    def actions(self, path: Path, at: Json, only: list[str] | None = None) -> list[Json]:
        """What can be done about a range."""
        context = {"diagnostics": [], **({"only": only} if only is not None else {})}
        params = {**self.named(path), "range": at, "context": context}
        found: list[Json] = self.ask("textDocument/codeAction", params) or []
        return found

    def fixes(self, path: Path, at: Json) -> list[Json]:
        """The same, once it is more than a comment: fixes are tried out while the editor goes on."""
        end = time.monotonic() + PATIENCE
        while len(found := self.actions(path, at)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def leave(self) -> int:
        """Takes its leave, as the protocol wants it; the server's exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait(PATIENCE)

    @staticmethod
    def named(path: Path) -> Json:
        """What names a document."""
        return {"textDocument": {"uri": path.as_uri()}}

    def _wait(self, wanted: Callable[[Json], bool]) -> Json:
        for number, one in enumerate(self.messages):
            if wanted(one):
                return self.messages.pop(number)
        while True:
            came = self._incoming.get(timeout=PATIENCE)
            assert came is not None, "the server is gone"
            if wanted(came):
                return came
            self.messages.append(came)

    def _send(self, message: Json) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            size = int(header.partition(b":")[2])
            while stream.readline().strip():
                pass
            self._incoming.put(json.loads(stream.read(size)))
        self._incoming.put(None)


def edited(text: str, edits: list[Json]) -> str:
    """A text with edits whose positions count UTF-16."""
    units = text.encode("utf-16-le")
    lines = [0]
    for line in text.split("\n"):
        lines.append(lines[-1] + len((line + "\n").encode("utf-16-le")))

    def offset(at: Json) -> int:
        return lines[at["line"]] + 2 * int(at["character"])

    for edit in sorted(edits, key=lambda one: -offset(one["range"]["start"])):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        units = units[:start] + edit["newText"].encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le")
