"""Other tools on the same files, with the rules of bench/peers: their command lines, and what they found.

bench/peers/README.md says what each of them can say of the rules of vmfdlint, and what not.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from tools.memory import Measured

RULES = Path(__file__).parent.parent / "bench" / "peers"


class Peer(msgspec.Struct, frozen=True):
    """``line`` makes the command line that checks the current directory with so many processes; ``count``
    says how many findings it came to, ``right`` which exit codes mean that it is done."""

    name: str
    program: str
    line: Callable[[str, int], list[str]]
    count: Callable[[Measured], int]
    right: tuple[int, ...] = (0,)


def _semgrep(program: str, jobs: int) -> list[str]:
    return [
        program, "scan", "--config", str(RULES / "semgrep.yaml"), "--metrics", "off",
        "--disable-version-check", "--no-git-ignore", "--quiet", "--json", "--max-target-bytes", "0",
        "--jobs", str(jobs), ".",
    ]  # fmt: skip


def _cppcheck(program: str, jobs: int) -> list[str]:
    return [
        program, "-q", "--rule-file=" + str(RULES / "cppcheck.xml"), "--template={file}:{line}: {id}",
        "--max-configs=1", "-j", str(jobs), ".",
    ]  # fmt: skip


def _coccinelle(program: str, jobs: int) -> list[str]:
    return [
        program, "--sp-file", str(RULES / "coccinelle.cocci"), "--very-quiet", "--no-includes", "--jobs",
        str(jobs), "--timeout", "30", "--dir", ".",
    ]  # fmt: skip


class _Semgrep(msgspec.Struct):
    results: list[msgspec.Raw]


PEERS = (
    Peer("semgrep", "semgrep", _semgrep,
         lambda ran: len(msgspec.json.decode(ran.output, type=_Semgrep).results)),
    Peer("coccinelle", "spatch", _coccinelle,
         lambda ran: len(re.findall(rb"^-(?!--)", ran.output, re.MULTILINE))),
    Peer("cppcheck", "cppcheck", _cppcheck,
         lambda ran: len(set(re.findall(rb"^.*: vmfd\d+$", ran.errors, re.MULTILINE)))),
)  # fmt: skip


def installed(semgrep: str | None = None) -> dict[str, tuple[Peer, str]]:
    """By name, those that are there, with their programs. ``semgrep`` is the program where the path does not
    lead to it."""
    found: dict[str, tuple[Peer, str]] = {}
    for peer in PEERS:
        program = semgrep if peer.name == "semgrep" and semgrep else shutil.which(peer.program)
        if program:
            found[peer.name] = peer, program
    return found
