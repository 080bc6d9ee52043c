"""The whole program by names. In: sources, scans, models. Out: definitions, callers, edges, on demand.

Knows no descriptor, no state and no rule.
"""

from vmfdlint.link.callbacks import callback_args
from vmfdlint.link.callgraph import CallGraph
from vmfdlint.link.compared import Comparison
from vmfdlint.link.edges import Edge, EdgeKind, Site, Slot, slot_of
from vmfdlint.link.everything import WholeLexicon, WholeProgram
from vmfdlint.link.kept import KeptUnits
from vmfdlint.link.lexicon import KINDS, Lexicon, common_directories
from vmfdlint.link.occurrences import occurrences
from vmfdlint.link.program import FILE, Program
from vmfdlint.link.signature import Signatures
from vmfdlint.link.slots import Slots
from vmfdlint.link.told import ANSWERED_ALONE, Answer, Asked, Told, question, text_question

__all__ = [
    "ANSWERED_ALONE",
    "FILE",
    "KINDS",
    "Answer",
    "Asked",
    "CallGraph",
    "Comparison",
    "Edge",
    "EdgeKind",
    "KeptUnits",
    "Lexicon",
    "Program",
    "Signatures",
    "Site",
    "Slot",
    "Slots",
    "Told",
    "WholeLexicon",
    "WholeProgram",
    "callback_args",
    "common_directories",
    "occurrences",
    "question",
    "slot_of",
    "text_question",
]
