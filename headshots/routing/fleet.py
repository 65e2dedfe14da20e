"""Keeps what a gateway knows of the replicas behind one name, and ranks them for a request."""

from __future__ import annotations

import contextlib
import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from headshots.routing.ranking import Candidate, Tier, ranked_by_adapter, ranked_by_load
from headshots.routing.residents import Residents, ToldAdapters

SUSPECT_ANSWERS = 3
"""Answers after which a replica that failed a request is ranked as all others again."""


class State(enum.Enum):
    """What a replica is good for."""

    READY = "ready"
    NEW = "new"
    """It has not answered yet."""
    DRAINING = "draining"
    """It takes no more requests, or none yet."""
    AWAY = "away"
    """It cannot be reached, or answered late or wrongly."""
    FOREIGN = "foreign"
    """It runs another foundation than most."""


@dataclass(frozen=True)
class Answer:
    """What a replica says of itself."""

    foundation_digest: str
    is_serving: bool
    adapters: ToldAdapters = field(default_factory=ToldAdapters)
    requests: int = 0
    """That it works on or has waiting, whoever sent them."""


@dataclass
class _Replica:
    state: State = State.NEW
    foundation_digest: str = ""
    residents: Residents = field(default_factory=Residents)
    in_flight: int = 0
    of_others: int = 0
    """Requests of other gateways, as of its last answer."""
    in_use: Counter[str] = field(default_factory=Counter)
    suspect_answers: int = 0


class Fleet:
    """The replicas, by alias. Used from one event loop.

    Most replicas decide which foundation is served; at a tie the one that was served before is. The others are left out
    until they run it too.
    """

    def __init__(self) -> None:
        self._replicas: dict[str, _Replica] = {}
        self._foundation = ""

    @property
    def has_choice(self) -> bool:
        """Whether there are several replicas."""
        return len(self._replicas) > 1

    def __contains__(self, alias: str) -> bool:
        return alias in self._replicas

    def consists_of(self, aliases: Iterable[str]) -> None:
        """These are all that there are now. What is known of those that stay is kept."""
        self._replicas = {alias: self._replicas.get(alias) or _Replica() for alias in aliases}
        self._elect()

    def answered(self, alias: str, answer: Answer) -> None:
        """A replica told of itself. Ignored where it is not there any more."""
        replica = self._replicas.get(alias)
        if replica is None:
            return
        replica.state = State.READY if answer.is_serving else State.DRAINING
        replica.foundation_digest = answer.foundation_digest
        replica.of_others = max(0, answer.requests - replica.in_flight)
        replica.residents.told(answer.adapters, list(replica.in_use))
        replica.suspect_answers = max(0, replica.suspect_answers - 1)
        self._elect()

    def is_away(self, alias: str) -> None:
        """A replica could not be reached, or answered late or wrongly: left out until it answers."""
        self._change(alias, State.AWAY)

    def is_draining(self, alias: str) -> None:
        """A replica takes no more requests: left out until it says that it serves."""
        self._change(alias, State.DRAINING)

    def failed(self, alias: str) -> None:
        """A replica failed a request that it had taken: others are tried first for its next `SUSPECT_ANSWERS`."""
        if alias in self._replicas:
            self._replicas[alias].suspect_answers = SUSPECT_ANSWERS

    def took(self, alias: str, sha256: str) -> None:
        """A replica took a request with this adapter, so that it has it from now on."""
        if alias in self._replicas:
            self._replicas[alias].residents.used(sha256)

    @contextlib.contextmanager
    def sending(self, alias: str, sha256: str | None) -> Iterator[None]:
        """Counts a request as in flight at a replica while the block runs; `sha256`: its adapter."""
        replica = self._replicas[alias]
        replica.in_flight += 1
        replica.in_use.update([sha256] if sha256 else [])
        try:
            yield
        finally:
            replica.in_flight -= 1
            if sha256:
                replica.in_use -= Counter([sha256])

    def ranked(self, sha256: str | None, key: str) -> list[Candidate]:
        """Replicas for a request with this adapter, or with none and this `key`; best first.

        Only those that are ready. Where none is, all that do not run another foundation: a network or a machine that is
        too slow for our questions would stop everything otherwise.
        """
        ready = [item for item in self._replicas.items() if self._state(item[1]) is State.READY]
        chosen = ready or [item for item in self._replicas.items() if self._state(item[1]) is not State.FOREIGN]
        found = [
            Candidate(
                alias,
                replica.in_flight + replica.of_others,
                replica.residents.tier(sha256) if sha256 else Tier.STORE,
                replica.suspect_answers > 0,
            )
            for alias, replica in chosen
        ]
        return ranked_by_adapter(sha256, found) if sha256 else ranked_by_load(key, found)

    def states(self) -> Mapping[str, State]:
        """Of every replica."""
        return {alias: self._state(replica) for alias, replica in self._replicas.items()}

    def in_flight(self, alias: str) -> int:
        """Requests of this gateway that a replica works on."""
        return self._replicas[alias].in_flight

    def _state(self, replica: _Replica) -> State:
        if replica.foundation_digest in ("", self._foundation):
            return replica.state
        return State.FOREIGN

    def _change(self, alias: str, state: State) -> None:
        if alias in self._replicas:
            self._replicas[alias].state = state

    def _elect(self) -> None:
        votes = Counter(each.foundation_digest for each in self._replicas.values() if each.state is State.READY)
        if votes:
            most = max(votes.values())
            first = min(digest for digest, count in votes.items() if count == most)
            self._foundation = self._foundation if votes[self._foundation] == most else first
