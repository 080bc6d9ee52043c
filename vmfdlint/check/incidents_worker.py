"""Incidents of worker processes: forked while holders are open, and waiting for work with copies of them."""

from collections.abc import Iterator, Sequence

from vmfdlint.check.incident import Incident, best, created, named, objects_of
from vmfdlint.check.incidents_process import grouped
from vmfdlint.solve import Happening, Observation


def workers(observations: Sequence[Observation]) -> Iterator[Incident]:
    """One incident a call that forks a worker with a holder open."""
    for site, seen_list in sorted(grouped(observations, Happening.WORKER).items()):
        evidence = best(seen_list)
        held = objects_of([seen.fact for seen in seen_list])
        yield Incident(
            "worker forked",
            site,
            evidence.at,
            evidence,
            held,
            {"kind": held[0].kind.value},
            {"api": evidence.detail, "holders": named(held)},
            created(held),
        )
