"""What git could not do."""


class VcsError(Exception):
    """Says what was wanted of git and what it answered."""
