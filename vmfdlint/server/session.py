"""One client: its documents, its messages, what it is told and when."""

import logging
from typing import BinaryIO

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from vmfdlint import __version__
from vmfdlint.app import Look, Seen
from vmfdlint.server.actions import actions, wants_fixes
from vmfdlint.server.diagnostics import SOURCE, diagnostics
from vmfdlint.server.documents import Document, Known, data_of, folders, path_of, place_of
from vmfdlint.server.hover import hover
from vmfdlint.server.progress import Progress
from vmfdlint.server.runs import Runs

_SETTINGS = ("vmfdlint.toml", ".vmfdlint.toml", "pyproject.toml", "compile_commands.json", ".gitignore")


class Session(LanguageServer):
    """What is known of one client."""

    def __init__(self) -> None:
        # In full, not in parts: pygls ends lines at form feeds too, which old C files are full of, and would
        # put a part into the wrong place.
        super().__init__(SOURCE, __version__, types.TextDocumentSyncKind.Full)
        self.runs = Runs(self.look, self.hear, Progress(self))
        self.known: dict[str, Known] = {}
        self.told: dict[str, tuple[str, ...]] = {}
        self.ended = False

    def document(self, uri: str) -> Document | None:
        """An open document that is a file."""
        found, path = self._open.get(uri), path_of(uri)
        if found is None or path is None:
            return None
        return Document(found, path, str(self.workspace.position_encoding))

    @property
    def _open(self) -> dict[str, TextDocument]:
        """The open documents by the addresses that the client gave them; pygls keeps them by unescaped
        ones."""
        return {found.uri: found for found in self.workspace.text_documents.values()}

    def ask(self, uri: str) -> None:
        """Wants the program of a document analysed."""
        found = self._open.get(uri)
        place = self._place(found) if found is not None else None
        if place is not None:
            self.runs.ask(place)

    def ask_all(self) -> None:
        """Wants the programs of all open documents analysed."""
        for uri in self._open:
            self.ask(uri)

    def look(self, place: str) -> Look:
        """What is analysed in a place now."""
        found = self._open.items()
        return Look(place, {path: data_of(one) for uri, one in found if (path := path_of(uri))})

    def hear(self, look: Look, seen: Seen) -> None:
        """Publishes what was seen in the documents of a place, and says what could not be done, once."""
        if seen.errors != self.told.get(look.place, ()):
            self.told[look.place] = seen.errors
            for text in seen.errors:
                shown = types.ShowMessageParams(types.MessageType.Error, f"vmfdlint: {text}")
                self.window_show_message(shown)
        for text in seen.notes:
            self.window_log_message(types.LogMessageParams(types.MessageType.Info, text))
        if not seen.complete:
            return
        for uri, found in self._open.items():
            document = self.document(uri)
            if document is None or self._place(found) != look.place or document.path not in look.texts:
                continue
            remarks = seen.remarks.get(document.path)
            if remarks is not None:
                self.known[uri] = known = Known(look.texts[document.path], remarks, seen.sources)
                self.publish(uri, diagnostics(document, known), document.version)
            elif self.known.pop(uri, None) is not None:  # left out now
                self.publish(uri, [])

    def publish(self, uri: str, found: list[types.Diagnostic], version: int | None = None) -> None:
        """Shows diagnostics in the place of those that the client has."""
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def watch_settings(self) -> None:
        """Asks the client to tell of files that change what is found and are not open as documents."""
        workspace = self.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [types.FileSystemWatcher(f"**/{name}") for name in _SETTINGS]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        self.client_register_capability(
            types.RegistrationParams([types.Registration("settings", method, options)])
        )

    def _place(self, found: TextDocument) -> str | None:
        path = path_of(found.uri)
        return place_of(path, found.language_id, folders(self.workspace)) if path else None


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> int:
    """Talks to one client until it leaves; 0 where it took its leave, else 1, as the protocol has it."""
    logging.basicConfig(level=logging.ERROR)
    session = _session()
    session.start_io(incoming, outgoing)
    return 0 if session.ended else 1


def _session() -> Session:
    session = Session()
    feature = session.feature

    @feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        session.watch_settings()

    @feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        session.ask(params.text_document.uri)

    @feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.ask(params.text_document.uri)

    @feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        if session.known.pop(params.text_document.uri, None) is not None:
            session.publish(params.text_document.uri, [])

    @feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed(_params: types.DidChangeWatchedFilesParams) -> None:
        session.ask_all()

    @feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def moved(_params: types.DidChangeWorkspaceFoldersParams) -> None:
        session.ask_all()

    @feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        document = session.document(params.text_document.uri)
        if document is None:
            return None
        texts = session.client_capabilities.text_document
        forms = texts.hover.content_format if texts and texts.hover else None
        return hover(document, session.known.get(document.uri), params.position, forms)

    @feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    def asked(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = session.document(params.text_document.uri)
        known = session.known.get(params.text_document.uri)
        if document is None or known is None or not wants_fixes(params.context.only):
            return []
        workspace = session.client_capabilities.workspace
        edits = workspace.workspace_edit if workspace else None
        versioned = bool(edits and edits.document_changes)
        return actions(document, known, params.range, params.context.diagnostics, versioned)

    @feature(types.SHUTDOWN)
    def leaving(_params: None) -> None:
        session.ended = True
        session.runs.stop()

    return session
