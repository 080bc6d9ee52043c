"""What one function is and does, as the solver needs it. In: IR, models, the call graph. Out: memoised
answers.

Follows no descriptor itself and knows no rule.
"""

from vmfdlint.summary.behaviour import Behaviour
from vmfdlint.summary.counts import COUNT, count_of
from vmfdlint.summary.flow import Flow
from vmfdlint.summary.messages import waits_again
from vmfdlint.summary.origins import Chain, Origin, Origins, pointed
from vmfdlint.summary.paths import (
    ESCAPED,
    EXCEPTION,
    FIRST,
    KIND,
    OUTER,
    RESULT,
    VIEW,
    Path,
    behind_argument,
    cell_of,
    extended,
    from_address,
    given_path,
    inside_first,
    is_cell,
    is_global,
    is_inside,
    is_made,
    is_per_thread,
    is_temporary,
    is_vague,
    meets,
    operand_path,
    path_of,
    port_path,
    same_cell,
    show,
    starts_with,
    step_name,
    variable,
)
from vmfdlint.summary.raised import takes
from vmfdlint.summary.references import References, Taken
from vmfdlint.summary.relevance import Reach, Relevance
from vmfdlint.summary.sharing import Sharing
from vmfdlint.summary.sweeps import Handed, Sweep

__all__ = [
    "COUNT",
    "ESCAPED",
    "EXCEPTION",
    "FIRST",
    "KIND",
    "OUTER",
    "RESULT",
    "VIEW",
    "Behaviour",
    "Chain",
    "Flow",
    "Handed",
    "Origin",
    "Origins",
    "Path",
    "Reach",
    "References",
    "Relevance",
    "Sharing",
    "Sweep",
    "Taken",
    "behind_argument",
    "cell_of",
    "count_of",
    "extended",
    "from_address",
    "given_path",
    "inside_first",
    "is_cell",
    "is_global",
    "is_inside",
    "is_made",
    "is_per_thread",
    "is_temporary",
    "is_vague",
    "meets",
    "operand_path",
    "path_of",
    "pointed",
    "port_path",
    "same_cell",
    "show",
    "starts_with",
    "step_name",
    "takes",
    "variable",
    "waits_again",
]
