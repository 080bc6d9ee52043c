"""Names of APIs as models tell them apart -> as people write them."""

import re
import tomllib
from functools import cache

from vmfdlint.base.location import rules_directory


def spoken(text: str) -> str:
    """A text for people, API names in it without what rules/spoken.toml lists."""
    return _unwritten().sub("", text)


@cache
def _unwritten() -> re.Pattern[str]:
    listed = tomllib.loads((rules_directory() / "spoken.toml").read_text(encoding="utf-8"))["unwritten"]
    return re.compile(rf"(?<![\w.?])(?:{'|'.join(map(re.escape, listed))})+(?=\w)")
