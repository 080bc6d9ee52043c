"""fixtures/truth.toml: each measured mechanism of the kernel has a fixture program that behaves alike.

The measurements themselves are not part of the project: ``pytest --truth=FILE`` gives the JSON list of them,
entries with ``id`` and ``analyzer.conclusion``, and the table is then held against it.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from literate import FIXTURES, Program, read
from test_rules import CATALOGUE

TABLE: dict[str, dict[str, str]] = tomllib.loads((FIXTURES / "truth.toml").read_text(encoding="utf-8"))
BLOCKS: dict[str, Program] = {
    program.name: program for path in sorted(FIXTURES.rglob("VMFD*.md")) for program in read(path)
}
_SECTIONS = {"flag": "Flagged", "do not flag": "Clean"}
"""Where the block of a mechanism stands that pins, or does not; a known gap says the same of itself."""


@pytest.fixture
def labels(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The measurements by id; skips where they are not given."""
    path = request.config.getoption("--truth")
    if path is None:
        pytest.skip("no --truth=FILE: the measurements are not part of the project")
    return {entry["id"]: entry for entry in json.loads(Path(path).read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_entry_says_one_thing(name: str) -> None:
    entry = TABLE[name]
    assert len(entry) == 1, "a block, or none with the reason, or the rule it waits for"
    ((word, value),) = entry.items()
    assert word in ("block", "none", "waits") and value.strip()
    if word == "block":
        assert value in BLOCKS, f"no program of that name in fixtures/{value.partition(':')[0]}-*.md"
    if word == "waits":
        assert value in CATALOGUE, f"{value} is no rule"


def test_nothing_waits_for_a_fixture_that_is_there() -> None:
    present = {program.stem[:7] for program in BLOCKS.values()}
    waiting = sorted(name for name, entry in TABLE.items() if entry.get("waits") in present)
    assert not waiting, f"fixtures that these waited for are there, name a block: {', '.join(waiting)}"


def test_every_measurement_is_in_the_table(labels: dict[str, dict[str, Any]]) -> None:
    assert sorted(labels) == sorted(TABLE)


def test_a_block_stands_where_the_measurement_says(labels: dict[str, dict[str, Any]]) -> None:
    wrong = []
    for name, entry in TABLE.items():
        section = _SECTIONS.get(labels[name]["analyzer"]["conclusion"]) if name in labels else None
        if section and "block" in entry and BLOCKS[entry["block"]].section not in (section, "Known gaps"):
            wrong.append(f"{name}: {entry['block']} is not under {section}")
    assert not wrong, "\n".join(wrong)
