"""The editors of the languages. Who only asks whether there are any loads no front-end."""

from collections.abc import Mapping

from vmfdlint.base import SourceText
from vmfdlint.frontends.changes import Editor
from vmfdlint.frontends.languages import PYTHON, language_of


def open_editor(source: SourceText, sources: Mapping[str, SourceText]) -> Editor:
    """The editor of one file among ``sources``, by its language."""
    if language_of(source) == PYTHON:
        from vmfdlint.frontends.python import open_editor as python_editor

        return python_editor(source, sources)
    from vmfdlint.frontends.c import open_editor as c_editor

    return c_editor(source, sources)
