"""Which of several lists a record is on: who puts it there names the list, and so does who walks it.

In: a function that stores a callback into a member, and one that calls through it. Out: whether they name
different lists. An init list and an exit list of one record would else be one.
"""

from vmfdlint.ir import Function, FunctionKey, places_named
from vmfdlint.link.edges import Slot
from vmfdlint.link.program import Program
from vmfdlint.link.slots import Slots


class Lists:
    """Memoised global variables of functions."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._slots = Slots(program)
        self._named: dict[FunctionKey, frozenset[str]] = {}

    def differ(self, storing: Function, slot: Slot, calling: FunctionKey) -> bool:
        """Whether ``calling`` walks no list of ``storing``, but that of another function in the same file
        which stores into the same member."""
        own = self._globals(storing.key)
        walked = self._globals(calling) if own else frozenset()
        if not walked or own & walked:
            return False
        path = storing.key.path
        others = (FunctionKey(path, name) for name in self._slots.assigning(path, slot.field))
        return any(walked & self._globals(other) for other in others if other != storing.key)

    def _globals(self, key: FunctionKey) -> frozenset[str]:
        """The global variables that a function names."""
        known = self._named.get(key)
        if known is None:
            function = self._program.function(key)
            instrs = function.instrs if function is not None else ()
            found = {place.name for instr in instrs for place in places_named(instr) if place.is_global}
            known = self._named[key] = frozenset(found)
        return known
