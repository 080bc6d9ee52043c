"""The door of the room: from seeds to observations.

Seeds are the functions that name a constant the models call interesting (a request that creates a holder, the
path of a device); everything else is reached from them on demand.
"""

from collections.abc import Callable
from functools import cached_property

import msgspec

from vmfdlint.base import SourceText
from vmfdlint.ir import Address, Call, FunctionKey, Place
from vmfdlint.link import FILE, CallGraph, Program, Told, text_question
from vmfdlint.models import Models
from vmfdlint.solve.followup import follow_up
from vmfdlint.solve.fork_hooks import ForkHooks
from vmfdlint.solve.interest import Interest
from vmfdlint.solve.observe import Happening, Observation
from vmfdlint.solve.receivers import Receivers
from vmfdlint.solve.startup import start_main
from vmfdlint.solve.survival import Survival
from vmfdlint.solve.tabulate import Tabulation
from vmfdlint.summary import Behaviour, Relevance

Aliases = Callable[[SourceText, frozenset[str]], frozenset[str]]
"""Names a file gives to constants: the macros whose bodies mention one of the names."""


_BUILDERS = 3
"""How many functions a text goes up through from the one that builds it."""


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """A function that references pass. ``sources`` are the seeds that they come out of; for one that comes
    out of none, the function that made it of another: a mapping of a vCPU. ``callers`` gave it some."""

    sources: tuple[FunctionKey, ...]
    callers: tuple[FunctionKey, ...]


class Solver:
    """One run over one program. ``observations`` are sorted, so that they do not depend on the order of
    work."""

    def __init__(
        self, program: Program, models: Models, aliases: Aliases, other: "Solver | None" = None
    ) -> None:
        """``other`` is a solver of the same program, of which all is taken over that does not depend on the
        order of work."""
        self.program = program
        self.models = models
        self.aliases_of = aliases
        self.graph: CallGraph = other.graph if other else CallGraph(program, models)
        self.behaviour: Behaviour = other.behaviour if other else Behaviour(program, models)
        self.survival: Survival = other.survival if other else Survival(self.graph, self.behaviour, models)
        self.relevance = Relevance(self.graph, self.behaviour)
        has_main = bool(program.entries)
        self.interest = Interest(
            self.graph,
            self.behaviour,
            self.relevance,
            models,
            self.survival.leaves_a_child,
            has_main,
            self.survival.staying,
        )
        self.tabulation = self.trial()
        self.interest.released = ForkHooks(self.tabulation).release

    @property
    def starts(self) -> tuple[FunctionKey, ...]:
        """The functions to start from in this run."""
        return self.seeds

    def run(self) -> None:
        """Seeds the tabulation and works it off."""
        for key in self.starts:
            self.tabulation.seed(key)
        self.tabulation.run()
        start_main(self.tabulation, self.program, self.relevance)
        self.tabulation.run()
        follow_up(self.tabulation)
        self.tabulation.run()

    @cached_property
    def observations(self) -> tuple[Observation, ...]:
        """Everything observed, by place."""
        return tuple(
            sorted(
                self.tabulation.observations.values(),
                key=lambda seen: (seen.at, seen.site, seen.what, repr(seen.fact), seen.detail),
            )
        )

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The names that make a function a seed: the models' own and the macros that stand for them."""
        macros = frozenset(macro for _path, _holder, macro in self._literals if macro)
        values = self.models.interesting_values()
        numbers = {str(each) for value in values for each in (value, value & 0xFFFF)}
        known = self.models.interesting_names() | self.models.interesting_paths()
        tokens = frozenset(known | macros | numbers)
        fresh = tokens
        for _round in range(4):
            paths = {path for token in fresh for path in self.program.lexicon.files_with(token)}
            named = frozenset().union(*(self.aliases(path, fresh) for path in sorted(paths)))
            fresh = named - tokens
            if not fresh:
                break
            tokens |= fresh
        return tokens

    @cached_property
    def seeds(self) -> tuple[FunctionKey, ...]:
        """The functions to start from, by key."""
        found: dict[FunctionKey, None] = {}
        for token in sorted(self.tokens):
            for key in self._naming(token):
                found[key] = None
        for key in self._texts:
            found[key] = None
        slots: list[str] = []
        for key in sorted(found):
            function = self.program.function(key)
            if function is not None:
                slots.extend(self.interest.constants.record_constants(function))
        for token in sorted(set(slots)):
            for key in self.program.mentioning(token):
                if self._reads_cell(key):
                    found[key] = None
        self.interest.receivers = frozenset(Receivers(self.program, self.models).find())
        found |= dict.fromkeys(self.interest.receivers)
        return tuple(key for key in sorted(found) if key.name != FILE)

    def aliases(self, path: str, names: frozenset[str]) -> frozenset[str]:
        """The macros of a file whose bodies mention one of ``names``."""
        return frozenset(self.standing_for(path, "\n".join(sorted(names))))

    @property
    def told(self) -> Told | None:
        """See :class:`vmfdlint.link.Told`."""
        return self.program.told

    @text_question
    def standing_for(self, path: str, names: str) -> tuple[str, ...]:
        """As :meth:`aliases`, for names a line each; sorted."""
        return tuple(sorted(self.aliases_of(self.program.lexicon.source(path), frozenset(names.split("\n")))))

    @cached_property
    def _literals(self) -> tuple[tuple[str, str, str], ...]:
        """The literals that the models' text table speaks of."""
        return tuple(
            one for rule in self.models.texts for one in self.program.literals(rule.stretch, rule.pattern)
        )

    @cached_property
    def _texts(self) -> tuple[FunctionKey, ...]:
        """The functions that hold such a literal or its macro, and the callers they build a text for."""
        found = {FunctionKey(path, holder) for path, holder, macro in self._literals if not macro}
        found.update(self._saying(self.models.speaks))
        # A constant that is put together of texts stands in no literal.
        said = [token for token in sorted(self.tokens) if token.startswith("/") and self.models.speaks(token)]
        found.update(key for token in said for key in self._naming(token) if self.program.bound(key.path))
        for _path, _holder, macro in self._literals:
            found.update(self.program.mentioning(macro) if macro else ())
        builders = self.tabulation.builders
        builders.keys.update(found)
        for table in sorted(self.tabulation.records.tables()):
            found.update(key for key in self.program.mentioning(table) if key.name != FILE)
        fresh = sorted(found)
        for _round in range(_BUILDERS):
            callers = {
                edge.site.function
                for key in fresh
                if key.name != FILE and builders.hands_out(key)
                for edge in self.graph.callers(key)
            }
            fresh = sorted(callers - found)
            found.update(fresh)
            builders.keys.update(fresh)
        return tuple(sorted(found))

    def _naming(self, token: str) -> tuple[FunctionKey, ...]:
        if not token.startswith("/"):
            return self.program.mentioning(token)
        found: list[FunctionKey] = []
        for path in self.program.lexicon.files_with(token):
            if self.program.bound(path) is None:
                found += [FunctionKey(path, name) for name in self.program.matching(path, token)]
            else:  # a text put together of several, which no literal is
                found += self.program.mentioning_in(path, token)
        return (*found, *self._saying(lambda text: token in text or text == token[1:]))

    def _saying(self, wanted: Callable[[str], bool]) -> tuple[FunctionKey, ...]:
        """The functions of files that a front-end joined in which a literal stands that is wanted, or a
        constant that has such a one."""
        linkage = self.program.linkage
        found: dict[FunctionKey, None] = {}
        said: set[str] = set()
        for path in sorted(linkage.paths) if linkage is not None else ():
            for offset, text in linkage.texts(path) if linkage is not None else ():
                if wanted(text):
                    found[self.program.within(path, offset)] = None
                    said.add(text)
        for path in sorted(linkage.paths) if linkage is not None and said else ():
            for text in sorted(said):
                found.update(dict.fromkeys(self.program.mentioning_in(path, text)))
        return tuple(found)

    def _reads_cell(self, key: FunctionKey) -> bool:
        function = self.program.function(key)
        if function is None or key.name == FILE:
            return False
        for block in function.blocks:
            for instr in block.instrs:
                if isinstance(instr, Call):
                    for argument in instr.args:
                        place = argument.place if isinstance(argument, Address) else argument
                        if isinstance(place, Place) and self.interest.constants.keeps(place):
                            return True
        return False

    def look_ahead(self) -> None:
        """Has those functions read that a reference would ask about which is lost, or whose process forks,
        in a function that it comes out of: whether they wait. A change may do that, and is told of sooner."""
        for key in sorted({source for passage in self.passed.values() for source in passage.sources}):
            flow = self.behaviour.flow(key)
            for call in flow.calls if flow is not None else ():
                if self.behaviour.modelled(key, call) is None:
                    for target in self.program.targets(key, call):
                        self.behaviour.below.lingers(target)

    @cached_property
    def knows_kvm(self) -> bool:
        """Whether any file names what creates a VM, or the device, or has a path of debugfs and says kvm."""
        names = self.models.interesting_names() | self.models.interesting_paths()
        return any(self.program.lexicon.files_with(name) for name in names) or any(
            self.program.says(path, "kvm") for path in {path for path, _holder, _macro in self._literals}
        )

    @cached_property
    def descriptor_functions(self) -> frozenset[FunctionKey]:
        """The functions through which a reference flows."""
        return frozenset(self.passed)

    @cached_property
    def passed(self) -> dict[FunctionKey, Passage]:
        """The functions through which references flow."""
        seeds = frozenset(self.seeds)
        sources: dict[FunctionKey, set[FunctionKey]] = {}
        for (key, _block, _index), facts in self.tabulation.at.items():
            for made in {fact.object.first for fact in facts if fact.object is not None}:
                out_of = {site.function for site in (made.site, *made.chain)}
                sources.setdefault(key, set()).update(out_of & seeds or {made.site.function})
        callers: dict[FunctionKey, set[FunctionKey]] = {}
        contexts = self.tabulation.contexts
        for number, sent in self.tabulation.incoming.items():
            givers = {contexts[one.node.context].key for one in sent if one.node.fact.object is not None}
            callers.setdefault(contexts[number].key, set()).update(givers)
        return {
            key: Passage(tuple(sorted(found)), tuple(sorted(callers.get(key, ()))))
            for key, found in sources.items()
        }

    @cached_property
    def object_count(self) -> int:
        """How many sites were found that make a reference to a VM."""
        return len(
            {
                seen.site
                for seen in self.tabulation.observations.values()
                if seen.what is Happening.CREATE
                and seen.fact.object is not None
                and seen.fact.object.holds_vm
            }
        )

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """Paths of the files whose ``main`` a reference reaches."""
        made = {seen.site.function for seen in self.observations if seen.what is Happening.CREATE}
        reached = {*self.descriptor_functions, *made}
        found = {key.path for key in reached if self.program.is_entry(key)}
        for key in made:
            if self.program.bound(key.path) is not None:
                found |= self.relevance.mains(key)
        return tuple(sorted(found))

    def trial(self) -> Tabulation:
        """An empty tabulation over the same program, for a question beside the run."""
        return Tabulation(self.graph, self.behaviour, self.relevance, self.models, self.interest)
