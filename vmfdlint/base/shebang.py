"""The first line of a script: which program runs it."""

import re

_ENV = re.compile(r"-\S*|\w+=\S*")
"""What may stand between ``env`` and the program: options (``-S``, ``-i``) and variables."""

_VERSION = re.compile(r"[\d.]+$")


def interpreter(head: bytes) -> str:
    """The program in a ``#!`` line without directory and version: ``#!/usr/bin/env -S python3`` is python.

    ``head`` is the start of a file; 128 bytes are enough, longer lines are cut off by Linux too (execve(2)).
    Returns "" where there is none.
    """
    if not head.startswith(b"#!"):
        return ""
    words = head[2:256].partition(b"\n")[0].decode("utf-8", "replace").split()
    if words and words[0].rpartition("/")[2] == "env":
        words = words[1:]
        while words and _ENV.fullmatch(words[0]):
            words = words[1:]
    return _VERSION.sub("", words[0].rpartition("/")[2]) if words else ""
