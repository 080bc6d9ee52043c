"""The C programs and the play of /dev/kvm, compiled with the system's C compiler into a directory."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.trees import Unreadable

PLAY = Path(__file__).parent / "play.c"
_FLAGS = ("-O0", "-pipe", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread")


def compiler() -> str:
    """The system's C compiler: $CC, or cc, or gcc. Raises Unreadable where there is none."""
    for name in (os.environ.get("CC", ""), "cc", "gcc"):
        if name and (found := shutil.which(name)):
            return found
    raise Unreadable("no C compiler: install one (cc), the programs are built on the machine that runs them")


def build(sources: Iterable[Path], directory: Path) -> dict[Path, Path]:
    """C sources -> their programs in ``directory``, named like them. Raises Unreadable with what cc says."""
    sources = tuple(sources)
    cc = compiler()

    def one(source: Path) -> Path:
        target = directory / source.stem
        shared = ("-shared", "-fPIC") if source == PLAY else ()
        last = ("-ldl",) if source == PLAY else ("-lutil",)
        line = [cc, *_FLAGS, *shared, "-o", str(target), str(source), *last]
        ran = subprocess.run(line, capture_output=True, text=True)
        if ran.returncode:
            raise Unreadable(f"{source.name}: does not compile: {ran.stderr.strip()}")
        return target

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(sources, pool.map(one, sources), strict=True))
