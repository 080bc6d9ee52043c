"""What can be done about a finding: its fixes, and a comment that silences it."""

from collections.abc import Iterator, Sequence

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    Diagnostic,
    OptionalVersionedTextDocumentIdentifier,
    Range,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from vmfdlint.app import Change, Remark, silencing
from vmfdlint.server.documents import Document, Known, uri_of
from vmfdlint.server.texts import Text


def wants_fixes(only: Sequence[CodeActionKind | str] | None) -> bool:
    """Whether a client that asks for some kinds of action asks for fixes: a kind holds those below it."""
    kind = CodeActionKind.QuickFix.value
    return not only or any(asked in ("", kind) for asked in only)


def actions(
    document: Document, known: Known, at: Range, shown: Sequence[Diagnostic], versioned: bool
) -> list[CodeAction]:
    """The actions for what is found in a range. ``shown`` are the client's diagnostics there; ``versioned``:
    it takes edits that say which version they are for."""
    found: list[CodeAction] = []
    silenced: set[str] = set()
    for remark, span, place in document.placed(known):
        if not _meet(place, at):
            continue
        about = [one for one in shown if one.code == remark.rule and _meet(one.range, place)]
        found += _fixes(remark, document, known, about, versioned)
        if remark.about_code and remark.rule not in silenced:
            change = silencing(document.source, remark.rule, span)
            if change is not None:
                silenced.add(remark.rule)
                found.append(_action(change, document, {document.path: document.text}, about, versioned))
    return found


def _fixes(
    remark: Remark, document: Document, known: Known, about: list[Diagnostic], versioned: bool
) -> Iterator[CodeAction]:
    """The fixes, which were tried out on one text and hold for no other."""
    if document.data != known.data:
        return
    texts = {path: Text(source.data, document.encoding) for path, source in known.sources.items()}
    for fix in remark.fixes:
        action = _action(fix, document, texts, about, versioned)
        action.is_preferred = fix.safe
        if not fix.safe:
            action.title += " (may change what the program does besides)"
        yield action


def _action(
    change: Change, document: Document, texts: dict[str, Text], about: list[Diagnostic], versioned: bool
) -> CodeAction:
    edits: dict[str, list[TextEdit]] = {}
    for at, text in change.edits:
        edits.setdefault(at.path, []).append(TextEdit(texts[at.path].range(at), text))
    return CodeAction(
        title=change.title,
        kind=CodeActionKind.QuickFix,
        diagnostics=about,
        edit=_versioned(edits, document) if versioned else _plain(edits, document),
    )


def _plain(edits: dict[str, list[TextEdit]], document: Document) -> WorkspaceEdit:
    return WorkspaceEdit(changes={_uri(path, document): list(of_one) for path, of_one in edits.items()})


def _versioned(edits: dict[str, list[TextEdit]], document: Document) -> WorkspaceEdit:
    return WorkspaceEdit(
        document_changes=[
            TextDocumentEdit(
                OptionalVersionedTextDocumentIdentifier(
                    _uri(path, document), document.version if path == document.path else None
                ),
                list(of_one),
            )
            for path, of_one in edits.items()
        ]
    )


def _uri(path: str, document: Document) -> str:
    return document.uri if path == document.path else uri_of(path)


def _meet(one: Range, other: Range) -> bool:
    """Whether two ranges have a place in common; a cursor is a range without extent."""
    return (one.start.line, one.start.character) <= (other.end.line, other.end.character) and (
        other.start.line,
        other.start.character,
    ) <= (one.end.line, one.end.character)
