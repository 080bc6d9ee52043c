"""Labels against the tree they are used on: another version has the same code on other lines."""

from pathlib import Path

from tools.labels import TOLERANCE, Label
from vmfdlint.base import SourceText
from vmfdlint.frontends import c
from vmfdlint.link import Lexicon


def drifted(root: Path, labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """Labels whose file is gone, or whose line is in none of the definitions of the function they name.

    Nothing is said about a label whose function is not found in its file: that may be damage, or a macro. In
    a long function a label can drift and stay inside, so one that is returned casts doubt on all of its file.
    """
    result = []
    known: dict[str, dict[str, list[tuple[int, int]]] | None] = {}
    for label in labels:
        if label.file not in known:
            known[label.file] = _definitions(root / label.file)
        definitions = known[label.file]
        if definitions is None:
            result.append(label)
            continue
        spans = definitions.get(label.function, [])
        if spans and not any(first - TOLERANCE <= label.line <= last + TOLERANCE for first, last in spans):
            result.append(label)
    return tuple(result)


def _definitions(path: Path) -> dict[str, list[tuple[int, int]]] | None:
    """Function -> first and last lines of its definitions in a file; None where it cannot be read."""
    try:
        source = SourceText(path.name, path.read_bytes())
    except OSError:
        return None
    lexicon = Lexicon({source.path: source}, {source.path: c.scan(source.data)})
    found: dict[str, list[tuple[int, int]]] = {}
    for sketch in c.open_unit(source, lexicon).sketches:
        lines = (source.point(sketch.start)[0], source.point(sketch.end)[0])
        found.setdefault(sketch.name, []).append(lines)
    return found
