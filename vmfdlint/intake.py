"""What a run is given to read: Options -> sources, and which of them it is asked about."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.config import Options
from vmfdlint.discover import C_SUFFIXES, PYTHON_SUFFIXES, Discovery, Search, discover

_SUFFIXES = (*C_SUFFIXES, *PYTHON_SUFFIXES)


def take(options: Options, stdin: bytes | None = None) -> Discovery:
    """The sources of PATHS and of the project; ``stdin`` takes the place of the file it is named after."""
    paths = named(options)
    found = discover((options.project, *paths) if options.project else paths, _search(options))
    if stdin is None or not options.stdin_filename:
        return found
    path = _relative(os.path.normpath(Path.cwd() / options.stdin_filename), found.root)
    files = [source for source in found.files if source.path != path] + [SourceText(path, stdin)]
    return msgspec.structs.replace(found, files=tuple(sorted(files, key=lambda source: source.path)))


def with_texts(found: Discovery, texts: Mapping[str, bytes]) -> tuple[Discovery, dict[str, str]]:
    """The sources with ``texts``, by absolute path, in the place of what is on disk, and as what each that is
    a source is named.

    What is left out on disk stays left out; a file that is not there yet is added.
    """
    files = {source.path: source for source in found.files}
    real_root = Path(os.path.realpath(found.root))
    names: dict[str, str] = {}
    for path, data in texts.items():
        ways = (_relative(path, found.root), _relative(os.path.realpath(path), real_root))
        name = next((way for way in ways if way in files), None)
        if name is None and not os.path.lexists(path) and path.lower().endswith(_SUFFIXES):
            name = next((way for way in ways if not Path(way).is_absolute()), None)
        if name is not None:
            files[name] = SourceText(name, data)
            names[name] = path
    ordered = tuple(source for _, source in sorted(files.items()))
    return msgspec.structs.replace(found, files=ordered), names


def asked_about(found: Discovery, options: Options) -> frozenset[str] | None:
    """The files of PATHS, as findings name them; None where no project around them is read."""
    if options.project is None:
        return None
    own = discover(named(options), _search(options))
    full = [os.path.normpath(own.root / source.path) for source in own.files]
    if options.stdin_filename and "-" in options.paths:
        full.append(os.path.normpath(Path.cwd() / options.stdin_filename))
    return frozenset(_relative(path, found.root) for path in full)


def moved(options: Options, top: Path, copy: Path) -> Options:
    """The options for a copy of the work tree at ``top``: its own directories in the place of the tree's.

    Named paths that are not there are left out: what does not exist has no findings.
    """

    def there(path: str) -> str:
        inside = Path(path).is_absolute() and Path(path).is_relative_to(top)
        return (copy / Path(path).relative_to(top)).as_posix() if inside else path

    below = copy / Path.cwd().relative_to(top)
    paths = tuple(path for path in map(there, named(options)) if (below / path).exists())
    project = there(options.project) if options.project else None
    return msgspec.structs.replace(
        options,
        paths=paths,
        project=project if project and (below / project).exists() else None,
        stdin_filename=None,
        exclude_base=there(options.exclude_base),
        per_file_base=there(options.per_file_base),
        models=tuple(str(Path.cwd() / model) for model in options.models),
        baseline=None,
        baseline_commit=None,
        diff_base=None,
    )


def named(options: Options) -> list[str]:
    """The PATHS but for the standard input."""
    return [path for path in options.paths if path != "-"]


def is_whole(options: Options) -> bool:
    """Whether nothing of the program was left out that could lead to a finding in what was named."""
    places = [options.project] if options.project else options.paths
    return all(map(os.path.isdir, places))  # Path raises where it may not look


def why_nothing(found: Discovery, options: Options) -> str:
    """Says why there is nothing to check."""
    where = ", ".join(options.paths)
    if found.left_out:
        several = f"{found.left_out:,} files or directories are"
        entries = "1 file or directory is" if found.left_out == 1 else several
        return (
            f"No C or Python sources to check in {where}: {entries} left out by .gitignore or --exclude;"
            " --no-respect-gitignore takes what .gitignore leaves out"
        )
    return f"No C or Python sources (.c, .h, .py) in {where}: name the directory that holds them"


def prefix(root: Path) -> str:
    """What makes a path relative to ``root`` openable from the current directory."""
    return "" if root == Path.cwd() else root.as_posix().rstrip("/") + "/"


def _search(options: Options) -> Search:
    return Search(
        exclude=options.exclude,
        exclude_base=options.exclude_base,
        force_exclude=options.force_exclude,
        respect_gitignore=options.respect_gitignore,
    )


def _relative(path: str, root: Path) -> str:
    """An absolute path as findings name it: relative to ``root`` where it lies in there."""
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path
