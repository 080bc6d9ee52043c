"""Rule selectors -> rule ids. In: what --select and --ignore hold, and the known rules. Out: a set of ids."""

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from vmfdlint.config.errors import ConfigError

EVERYTHING = "ALL"
# A rule's own id or name is closer to it than any prefix can be.
_EXACT = 1000


def resolve_rules(
    select: Sequence[str],
    ignore: Sequence[str],
    known: Sequence[tuple[str, str]],
    origins: tuple[str, str] = ("--select", "--ignore"),
    optional: Collection[str] = (),
) -> frozenset[str]:
    """The ids that are on. ``known`` holds (id, name) of every rule, ``optional`` ids that ALL does not mean.

    For one rule the most specific selector decides (``--ignore VMFD1 --select VMFD101`` leaves VMFD101 on);
    where both are equally specific, ignore wins. Raises ConfigError for a selector that matches no rule; it
    names the origin of the selectors.
    """
    for option, selectors in zip(origins, (select, ignore), strict=True):
        for selector in selectors:
            everything = selector.strip().upper() == EVERYTHING
            if not everything and not any(_weight(selector, rule, name) for rule, name in known):
                raise ConfigError(_unknown(selector, option, known))
    return frozenset(
        rule
        for rule, name in known
        if _strongest(select, rule, name) > max(_strongest(ignore, rule, name), rule in optional)
    )


def _strongest(selectors: Iterable[str], rule: str, name: str) -> int:
    return max((_weight(selector, rule, name) for selector in selectors), default=0)


def _weight(selector: str, rule: str, name: str) -> int:
    """How closely ``selector`` names the rule: 0 not at all."""
    wanted = selector.strip()
    if wanted.lower() == name or wanted.upper() == rule:
        return _EXACT
    if wanted.upper() == EVERYTHING:
        return 1
    # "V" alone would be ALL under another name, and is more likely a typing slip.
    if len(wanted) >= 4 and rule.startswith(wanted.upper()):
        return len(wanted)
    return 0


def _unknown(selector: str, option: str, known: Sequence[tuple[str, str]]) -> str:
    by_word = {word.lower(): word for pair in known for word in pair}
    close = get_close_matches(selector.strip().lower(), by_word, n=1, cutoff=0.5)
    near = close and not re.fullmatch(r"vmfd\d+", selector.strip().lower())
    hint = f"did you mean {by_word[close[0]]}?" if near else "`vmfdlint rule --all` lists them"
    return f"unknown rule {selector!r}{' in ' + option if option else ''}: {hint}"
