"""How work is spread over the cores. In: tasks. Out: their results in order. Knows no room."""

from vmfdlint.run.pool import FEW, Pool, map_tasks, usable_cpus
from vmfdlint.run.tasks import Crash, Done, run_one

__all__ = ["FEW", "Crash", "Done", "Pool", "map_tasks", "run_one", "usable_cpus"]
