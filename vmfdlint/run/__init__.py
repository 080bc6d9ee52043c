"""How work is spread over the cores. In: tasks. Out: their results in order. Knows no room."""

from vmfdlint.run.apart import Apart
from vmfdlint.run.executors import ExecutorError
from vmfdlint.run.pool import FEW, Pool, Workers, map_tasks, reach, usable_cpus
from vmfdlint.run.tasks import Crash, Done, run_one

__all__ = [
    "FEW",
    "Apart",
    "Crash",
    "Done",
    "ExecutorError",
    "Pool",
    "Workers",
    "map_tasks",
    "reach",
    "run_one",
    "usable_cpus",
]
