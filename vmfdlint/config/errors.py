"""A setting that cannot be used."""

from vmfdlint.base import Problem, ProblemKind


class ConfigError(ValueError):
    """Says what is wrong with a setting and what to write instead; ends the run with exit code 2.

    ``path`` and ``line`` (from 1; 0 unknown) name the configuration file; empty for the command line.
    """

    def __init__(self, text: str, path: str = "", line: int = 0) -> None:
        self.text = text
        self.path = path
        self.line = line
        place = f"{path}:{line}: " if line else f"{path}: " if path else ""
        super().__init__(place + text)

    def problem(self) -> Problem:
        """The same as a Problem."""
        return Problem(ProblemKind.CONFIG, str(self))
