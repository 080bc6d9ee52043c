"""A rule as data: what it matches, what it says, why it matters."""

import msgspec

from vmfdlint.finding import Act, Level, RuleDoc


class LevelCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``level`` instead of the rule's own where every attribute has one of the values."""

    level: Level
    when: dict[str, list[str]]


class Rule(msgspec.Struct, frozen=True):
    """One rule. ``match`` maps attributes to accepted values; the key ``incident`` names the incident.

    ``judges``: what a site of that kind passes where nothing is found at it.
    """

    doc: RuleDoc
    incident: str
    match: dict[str, tuple[str, ...]]
    levels: tuple[LevelCase, ...]
    message: str
    judges: tuple[Act, ...] = ()

    def accepts(self, what: str, attributes: dict[str, str]) -> bool:
        """Whether an incident is this rule's."""
        return what == self.incident and _fits(self.match, attributes)

    def level(self, attributes: dict[str, str]) -> Level:
        """The level for an incident with these attributes."""
        for case in self.levels:
            if _fits({name: tuple(values) for name, values in case.when.items()}, attributes):
                return case.level
        return self.doc.level


def _fits(wanted: dict[str, tuple[str, ...]], attributes: dict[str, str]) -> bool:
    return all(attributes.get(name) in values for name, values in wanted.items())
