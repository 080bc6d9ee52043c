"""Which findings count. In, out: an Outcome; each step counts what it leaves out."""

from vmfdlint.gate.narrow import only
from vmfdlint.gate.steps import Given, narrowed

__all__ = ["Given", "narrowed", "only"]
