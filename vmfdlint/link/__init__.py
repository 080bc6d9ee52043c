"""The whole program by names. In: sources, scans, models. Out: definitions, callers, edges, on demand.

Knows no descriptor, no state and no rule.
"""

from vmfdlint.link.callbacks import callback_args
from vmfdlint.link.callgraph import CallGraph
from vmfdlint.link.edges import Edge, EdgeKind, Site, Slot, slot_of
from vmfdlint.link.kept import KeptUnits
from vmfdlint.link.lexicon import Lexicon, common_directories
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.slots import Slots

__all__ = [
    "FILE",
    "CallGraph",
    "Edge",
    "EdgeKind",
    "KeptUnits",
    "Lexicon",
    "Program",
    "Site",
    "Slot",
    "Slots",
    "callback_args",
    "common_directories",
    "slot_of",
]
