"""Compiler builtins that move values. In: their arguments. Out: the loads and stores they are.

They are part of the language as compilers read it, and what atomic accessors (``qatomic_read``) expand to.
"""

from tree_sitter import Node

from vmfdlint.frontends.c.lower_cond import Conditions
from vmfdlint.frontends.c.state import UNKNOWN, Typed
from vmfdlint.ir import Opaque

_EXCHANGES = frozenset({"__atomic_exchange_n", "__sync_lock_test_and_set"})


class Builtins(Conditions):
    """The layer of atomic loads and stores."""

    def builtin(self, name: str, inner: list[Node], node: Node) -> Typed | None:
        """The value of a builtin's call; None where the name is none of these."""
        if name == "__atomic_load_n" and inner:
            return self.pointee(inner[0])
        if name == "__atomic_load" and len(inner) > 1:
            self._move(inner[1], self.pointee(inner[0]), node)
        elif name == "__atomic_store_n" and len(inner) > 1:
            self._move(inner[0], self.value(inner[1]), node)
        elif name == "__atomic_store" and len(inner) > 1:
            self._move(inner[0], self.pointee(inner[1]), node)
        elif name in _EXCHANGES and len(inner) > 1:
            before = self.pointee(inner[0])
            kept = self.temp(before.type)
            self.assign(kept, before.operand, node)
            self._move(inner[0], self.value(inner[1]), node)
            return Typed(kept, before.type)
        else:
            return None
        return Typed(Opaque("void"), UNKNOWN)

    def _move(self, pointer: Node, value: Typed, node: Node) -> None:
        self.assign(self.settled(self.pointee(pointer), pointer), value.operand, node)
