"""Differential testing: generated programs are run, and vmfdlint is held to what was seen of them."""
