"""What a call does as a whole: does it come back, what can it come to, what becomes of a parameter.

In: a program and models. Out: the bodies of its functions, and the questions on them by subject.
"""

from vmfdlint.link import Program
from vmfdlint.models import Models
from vmfdlint.summary.bodies import Bodies
from vmfdlint.summary.effects_below import EffectsBelow
from vmfdlint.summary.endings import Endings
from vmfdlint.summary.parameters import Parameters
from vmfdlint.summary.sharing import Sharing
from vmfdlint.summary.teardown import Teardown
from vmfdlint.summary.users import Users


class Behaviour(Bodies):
    """Memoised questions about whole functions."""

    def __init__(self, program: Program, models: Models) -> None:
        super().__init__(program, models)
        self.endings = Endings(self)
        self.below = EffectsBelow(self)
        self.parameters = Parameters(self)
        self.sharing = Sharing(self)
        self.teardown = Teardown(self)
        self.users = Users(self)
