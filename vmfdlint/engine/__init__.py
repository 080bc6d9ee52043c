"""Sources to a solved program. In: sources, models. Out: a solver that ran, or the word that one would find
what was found before. Called by the app; knows the rooms up to solve.
"""

from vmfdlint.engine.again import Again
from vmfdlint.engine.read import Target
from vmfdlint.engine.solve import Solved, load_program, solve

__all__ = ["Again", "Solved", "Target", "load_program", "solve"]
