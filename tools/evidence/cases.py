"""fixtures/programs/evidence/cases.toml -> what is run for which rule, and what of it shows the hazard."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from tools.trees import Unreadable

PROGRAMS = Path(__file__).parent.parent.parent / "fixtures" / "programs" / "evidence"

Need = Literal["", "debugfs", "debugfs root", "namespace", "cgroup", "sev"]
"""debugfs, mounted for the program alone; the same for a program that changes its root; a mount namespace for
one that mounts it itself; a memory cgroup and a second one to go to; a processor with SEV."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines of the kernel that say what a rule says, and why they have to."""

    rule: str
    why: str
    lines: tuple[str, ...]
    truth: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that does what ``rule`` flags, and its clean ``twin``: names of files beside this one.

    ``shows`` says by what the hazard is seen (:mod:`tools.evidence.shown`), ``flagged`` and ``clean`` which
    measurements the two repeat. ``needs`` is what must be prepared around the run. ``only`` says why the
    play of /dev/kvm cannot show it, where it cannot, ``known`` and ``known_clean`` why vmfdlint is wrong
    about ``program`` or ``twin``, where it is. ``also`` are other rules that may be found in both.
    """

    rule: str
    program: str
    twin: str
    shows: str
    flagged: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    needs: Need = ""
    only: str = ""
    known: str = ""
    known_clean: str = ""
    also: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        """Of both programs."""
        return "Python" if self.program.endswith(".py") else "C"


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    case: tuple[Case, ...]
    source: tuple[Source, ...]


def read_cases(path: Path = PROGRAMS / "cases.toml") -> Sheet:
    """The cases in ``path``. Raises Unreadable."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Sheet)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Unreadable(f"{path}: {error}") from error
