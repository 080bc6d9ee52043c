"""Which findings count. In, out: an Outcome; each step counts what it leaves out."""

from vmfdlint.gate.narrow import asked_for, only, touching

__all__ = ["asked_for", "only", "touching"]
