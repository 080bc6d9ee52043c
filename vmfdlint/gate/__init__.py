"""Which findings count: what was asked of them, each step counting what it leaves out. In, out: an Outcome."""

from vmfdlint.gate.narrow import asked_for, only, touching

__all__ = ["asked_for", "only", "touching"]
