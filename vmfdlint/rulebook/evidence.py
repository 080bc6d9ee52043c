"""rules/evidence/*.json -> what was measured of each rule."""

from pathlib import Path

import msgspec

from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Evidence


def load_evidence(directory: Path | None = None) -> dict[str, Evidence]:
    """By rule id; a rule without a file has none. Raises ValueError for a file that is not well-formed."""
    base = directory or rules_directory() / "evidence"
    found = {}
    for path in sorted(base.glob("VMFD*.json")):
        try:
            found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Evidence)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}: {error}") from error
    return found
