"""The contents of types.toml: types of the library by name. In: the file beside this one. Out: TYPES."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec


class Types(msgspec.Struct, frozen=True):
    """What is known by name; types.toml says what each table means."""

    aliases: dict[str, str]
    context_chooses: frozenset[str]
    context_keyword: str
    context_fork: str
    context_other: str
    context_known: frozenset[str]
    context_type: str
    context_names: dict[str, str]
    results: dict[str, str]
    values: dict[str, int]
    partials: dict[str, int]
    filenos: dict[str, int]
    closing_actions: frozenset[str]
    listings: dict[str, int]
    ranges: dict[str, str]
    attributes: dict[str, str]
    small: frozenset[str]
    foreign: frozenset[str]
    pair: tuple[str, str]
    plain: frozenset[str]
    enums: frozenset[str]
    records: frozenset[str]
    tuples: frozenset[str]
    caching: frozenset[str]
    structures: frozenset[str]
    fills: dict[str, str]
    memory: frozenset[str]
    paths: frozenset[str]
    runs: dict[str, str]
    starts: frozenset[str]
    once: frozenset[str]
    closing: frozenset[str]
    wrappers: dict[str, str]
    stacks: dict[str, str]
    hands: dict[str, str]
    selves: frozenset[str]
    vague: frozenset[str]
    common: frozenset[str]

    def canonical(self, name: str) -> str:
        """A dotted name under its first spelling."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            other = self.aliases.get(".".join(parts[:count]))
            if other is not None:
                return ".".join((other, *parts[count:]))
        return name

    def is_class(self, name: str) -> bool:
        """Whether an API name is a class's: it is listed, or its last part begins with a capital."""
        return name in self.small or name.rpartition(".")[2][:1].isupper()

    def contextual(self, name: str, context: str) -> str:
        """The name of what makes processes in a context."""
        return self.context_names.get(name, name).replace("{context}", context)


def _load(text: str) -> Types:
    """TOML text -> Types. A missing section is a KeyError: the file ships with the code."""
    data: dict[str, Any] = tomllib.loads(text)
    contexts, classes = data["contexts"], data["classes"]
    return Types(
        aliases=data["names"]["aliases"],
        context_chooses=frozenset(contexts["chooses"]),
        context_keyword=contexts["keyword"],
        context_fork=contexts["fork"],
        context_other=contexts["other"],
        context_known=frozenset(contexts["known"]),
        context_type=contexts["type"],
        context_names=contexts["names"],
        results=data["results"],
        values=data["values"],
        partials=data["partials"],
        filenos=data["filenos"],
        closing_actions=frozenset(data["actions"]["closing"]),
        listings=data["listings"],
        ranges=data["ranges"],
        attributes=data["attributes"],
        small=frozenset(classes["small"]),
        foreign=frozenset(classes["foreign"]),
        pair=(classes["pair"][0], classes["pair"][1]),
        plain=frozenset(classes["plain"]),
        enums=frozenset(classes["enums"]),
        records=frozenset(classes["records"]),
        tuples=frozenset(classes["tuples"]),
        caching=frozenset(classes["caching"]),
        structures=frozenset(classes["structures"]),
        fills=classes["fills"],
        memory=frozenset(classes["memory"]),
        paths=frozenset(classes["paths"]),
        runs=classes["runs"],
        starts=frozenset(classes["starts"]),
        once=frozenset(classes["once"]),
        closing=frozenset(classes["closing"]),
        wrappers=classes["wrappers"],
        stacks=classes["stacks"],
        hands=classes["hands"],
        selves=frozenset(classes["selves"]),
        vague=frozenset(classes["vague"]),
        common=frozenset(data["methods"]["common"]),
    )


TYPES = _load((Path(__file__).parent / "types.toml").read_text(encoding="utf-8"))
