"""Paths -> sources. Walks directories in a fixed order, follows no symbolic link to a directory, never fails.

In: paths as the user wrote them. Out: SourceTexts sorted by path, the root their paths are relative to, and a
Problem for everything that was named or found and could not be read. Knows no language but by suffix, and by
the first line of a script whose name has none.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from vmfdlint.base import LIMITS, Problem, ProblemKind, SourceText, interpreter
from vmfdlint.discover.compile_db import build_targets
from vmfdlint.discover.ignore import Layer, above, gitignore, ignored, layer

C_SUFFIXES = (".c", ".h", ".c.inc", ".h.inc")
PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")
PYTHON_INTERPRETERS = ("python", "pythonw", "platform-python", "pypy", "uv")
CPP_SUFFIXES = (".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx")
_BINARY_PROBE = 8192
_SHEBANG_BYTES = 128
_PLAIN_OPEN = getattr(os, "O_BINARY", 0)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What to take: files with one of ``suffixes``, and files without a dot in their name that one of
    ``interpreters`` runs by their first line. ``exclude`` holds .gitignore patterns anchored at
    ``exclude_base`` (default: the root).

    A file named by the user is taken whatever its suffix and whatever excludes it, unless ``force_exclude``.
    """

    suffixes: tuple[str, ...] = (*C_SUFFIXES, *PYTHON_SUFFIXES)
    interpreters: tuple[str, ...] = PYTHON_INTERPRETERS
    exclude: tuple[str, ...] = ()
    exclude_base: str = ""
    force_exclude: bool = False
    respect_gitignore: bool = True


class Discovery(msgspec.Struct, frozen=True):
    """What there is to check. ``files`` are sorted by path, relative to ``root``, an absolute directory.

    ``root`` is the current directory where every path lies in it, else the directory all paths lie in.
    ``cpp_files`` counts C++ files seen; they are not read. ``left_out`` counts the files with a wanted suffix
    and the whole directories that .gitignore or ``exclude`` left out. ``targets`` says what a file is built
    into, where a compilation database in the tree does.
    """

    files: tuple[SourceText, ...]
    root: Path
    cpp_files: int = 0
    left_out: int = 0
    problems: tuple[Problem, ...] = ()
    targets: Mapping[str, tuple[str, ...]] = {}


def discover(paths: Sequence[str], search: Search | None = None) -> Discovery:
    """Reads every source below ``paths``. What cannot be read is a Problem, the rest goes on."""
    search = search or Search()
    here = Path.cwd()
    named = sorted({os.path.normpath(here / path) for path in paths})
    root = _root(named, here)
    walk = _Walk(search, root.as_posix())
    for path in named:
        walk.take(path)
    walk.take_links()
    files = walk.read()
    directories = [path for path in named if os.path.isdir(path)]  # noqa: PTH112 - Path raises where it may not look
    targets, unread = build_targets(directories, walk.shown)
    problems = sorted((*walk.problems, *unread), key=lambda problem: (problem.path, problem.text))
    return Discovery(files, root, len(walk.cpp), walk.left_out, tuple(problems), targets)


def _root(named: Sequence[str], here: Path) -> Path:
    if all(Path(path).is_relative_to(here) for path in named):
        return here
    try:
        common = Path(os.path.commonpath(named))
    except ValueError:  # on different drives
        return Path(here.anchor)
    return common if os.path.isdir(common) else common.parent  # noqa: PTH112


class _Walk:
    """The state of one discovery."""

    def __init__(self, search: Search, root: str) -> None:
        self.search = search
        self.prefix = root.rstrip("/") + "/"
        self.found: dict[str, str] = {}  # real path -> path as reached
        self.links: list[str] = []
        self.cpp: set[str] = set()
        self.left_out = 0
        self.problems: list[Problem] = []
        self.excludes: tuple[Layer, ...] = ()
        try:
            built = layer(search.exclude_base or root, search.exclude)
            self.excludes = () if built is None else (built,)
        except ValueError as error:
            self.problem(f"--exclude: {error}: write it as a .gitignore pattern", "", ProblemKind.CONFIG)

    def problem(self, text: str, path: str, kind: ProblemKind = ProblemKind.IO) -> None:
        self.problems.append(Problem(kind, text, self.shown(path)))

    def shown(self, path: str) -> str:
        """A path relative to the root with ``/`` between its parts; one outside stays absolute."""
        path = path.replace(os.sep, "/").removeprefix(self.prefix)
        # A name that is not UTF-8 could not be written into a report.
        return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")

    def take(self, path: str) -> None:
        """One path the user named."""
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            self.problem("does not exist: check the path", path)
            return
        except OSError as error:
            self.problem(f"cannot be read ({error.strerror}): check the path and its permissions", path)
            return
        if stat.S_ISDIR(status.st_mode):
            if not (self.search.force_exclude and ignored(self.excludes, path + "/")):
                layers = above(Path(path)) if self.search.respect_gitignore else ()
                self.directory(path, layers)
        elif not stat.S_ISREG(status.st_mode):
            self.problem("is not a regular file: name a file or a directory", path)
        elif path.lower().endswith(CPP_SUFFIXES):
            self.cpp.add(path)
            self.problem("is C++, which is not analysed yet: name C or Python sources", path)
        elif not (self.search.force_exclude and self.unwanted(path)):
            self.found.setdefault(os.path.realpath(path), path)

    def unwanted(self, path: str) -> bool:
        """Whether a named file would not have been found by walking to it."""
        layers: tuple[Layer, ...] = ()
        if self.search.respect_gitignore:
            own = gitignore(Path(path).parent.as_posix())
            layers = (*above(Path(path).parent), *((own,) if own else ()))
        above_it = [f"{parent.as_posix()}/" for parent in Path(path).parents]
        return ignored(layers, path) or any(ignored(self.excludes, p) for p in (path, *above_it))

    def directory(self, top: str, layers: tuple[Layer, ...]) -> None:
        """Everything below a directory, without recursion: a tree may be deeper than Python's stack."""
        top = top.rstrip("/")
        real = os.path.realpath(top)
        open_directories = [(top, layers)]
        while open_directories:
            path, layers = open_directories.pop()
            try:
                with os.scandir(path or "/") as entries:
                    listing = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.problem(f"directory cannot be read ({error.strerror}): check its permissions", path)
                continue
            if self.search.respect_gitignore and any(entry.name == ".gitignore" for entry in listing):
                own = gitignore(path)
                layers = (*layers, own) if own is not None else layers
            # Below the top no link is followed, so what is real of the top is real of all.
            reals = real + path[len(top) :]
            below = list(self.entries(path, reals, listing, (*layers, *self.excludes)))
            open_directories.extend((name, layers) for name in reversed(below))

    def entries(
        self, path: str, real: str, listing: Sequence[os.DirEntry[str]], layers: Sequence[Layer]
    ) -> Iterator[str]:
        """Takes the files of one directory and yields the directories to walk next.

        ``path`` and ``real`` are the directory as reached and without links.
        """
        for entry in listing:
            if entry.name.startswith("."):
                continue
            full = f"{path}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if ignored(layers, full + "/"):
                    self.left_out += 1
                else:
                    yield full
                continue
            suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - ten times faster than Path
            if suffix == ".inc":
                suffix = entry.name[-6:].lower()
            if "." not in entry.name:
                if not self.script(entry, full, layers):
                    continue
            elif suffix not in self.search.suffixes and suffix not in CPP_SUFFIXES:
                continue
            if ignored(layers, full):
                self.left_out += 1
            elif suffix in CPP_SUFFIXES:
                self.cpp.add(full)
            elif entry.is_symlink():
                self.links.append(full)
            elif entry.is_file():
                self.found.setdefault(f"{real}/{entry.name}", full)

    def script(self, entry: os.DirEntry[str], path: str, layers: Sequence[Layer]) -> bool:
        """Whether a file without a suffix is to be read. One that is left out is neither opened nor counted.
        """
        if not self.search.interpreters or not entry.is_file() or ignored(layers, path):
            return False
        try:
            descriptor = os.open(path, os.O_RDONLY | _PLAIN_OPEN)  # a third of the time of open()
        except OSError:
            return False  # nothing says that it is a script
        try:
            head = os.read(descriptor, _SHEBANG_BYTES)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return interpreter(head) in self.search.interpreters

    def take_links(self) -> None:
        """Links to files, after the walk: one whose target was found already would define all twice."""
        for link in self.links:
            target = os.path.realpath(link)
            if os.path.isfile(target):  # noqa: PTH113
                self.found.setdefault(target, link)

    def read(self) -> tuple[SourceText, ...]:
        """The bytes of what was found, sorted by path."""
        sources = (self.source(path) for path in sorted(self.found.values(), key=self.shown))
        return tuple(source for source in sources if source is not None)

    def source(self, path: str) -> SourceText | None:
        limit = LIMITS.file_bytes
        try:
            with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - unbuffered: one read a file
                size = os.fstat(stream.fileno()).st_size
                if size > limit:
                    text = f"is {size / 1e6:.0f} MB, more than the limit of {limit / 1e6:.0f} MB: exclude it"
                    self.problem(f"{text} with --exclude, or split it", path)
                    return None
                data = stream.readall()
        except OSError as error:
            self.problem(f"cannot be read ({error.strerror}): check its permissions, or --exclude it", path)
            return None
        if b"\0" in data[:_BINARY_PROBE]:
            self.problem("is not a text file (it holds NUL bytes): --exclude it, or save it as UTF-8", path)
            return None
        return SourceText(self.shown(path), data)
