"""Tools for those who change vmfdlint: ``python -m tools``. Not part of what is installed.

They use vmfdlint from outside, as its users do: by its command line and the doors of its rooms.
"""
