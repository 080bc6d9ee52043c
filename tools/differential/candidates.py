"""Disagreements -> the smallest programs that show them, as text for the fixtures."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.differential.campaign import Campaign, Result, campaign
from tools.differential.observe import files_of
from tools.differential.plan import Plan
from tools.differential.reduce import reduced
from tools.differential.verdict import check

_AT_ONCE = 4


def write(results: Sequence[Result], directory: Path) -> list[Path]:
    """Reduces every program that disagrees and writes it into ``directory``. Out: the files written."""
    wrong = [one for one in results if one.verdict is not None and one.verdict.wrong]
    if not wrong:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    with campaign(wrong[0].oracle) as place, ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda one: _write(place, one, directory), wrong))


def _write(place: Campaign, one: Result, directory: Path) -> Path:
    assert one.verdict is not None
    plan = smallest(place, one.plan, one.verdict.wrong[0])
    path = directory / f"{plan.rule}-{plan.language.lower()}-{plan.seed}.md"
    path.write_text(markdown(plan, one.verdict.wrong[0]), encoding="utf-8")
    return path


def smallest(place: Campaign, plan: Plan, wrong: str) -> Plan:
    """The smallest plan that disagrees in the same way."""

    def disagrees(simpler: Plan) -> bool:
        result = place.run(simpler, check(files_of(simpler)))
        return result.verdict is not None and wrong in result.verdict.wrong

    return reduced(plan, disagrees)


def markdown(plan: Plan, wrong: str) -> str:
    """A program as a fixture has it; its title says what is wrong about it."""
    word, main = ("c", "main.c") if plan.language == "C" else ("python", "main.py")
    parts = [f"### Seed {plan.seed}, {wrong}\n"]
    for name, text in sorted(files_of(plan).items()):
        shown = "\n".join(line for line in text.splitlines() if not line.startswith("#include <"))
        parts.append(f"```{word}{'' if name == main else f' file={name}'}\n{shown.strip()}\n```\n")
    return "\n".join(parts)
