"""Goes through the replicas that a request may be sent to, and holds what went wrong against the one that it was at."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence

from headshots.errors import (
    DeadlineExceededError,
    HeadshotsError,
    InternalError,
    ResourceExhaustedError,
    UnavailableError,
)
from headshots.routing.fleet import Fleet
from headshots.routing.ranking import Candidate
from services.gateway.peers.events import GenerationEvent, ImageDone
from services.gateway.peers.metrics import RoutingMetrics
from services.gateway.peers.rpc import unreachable

REFUSED = (UnavailableError, ResourceExhaustedError, DeadlineExceededError)
"""What a replica raises that did not take a request: another one may."""
_DRAINING = ("DRAINING", "SHUTTING_DOWN")
_LATE = "GENERATOR_LATE"
_GONE = ("GENERATOR_UNREACHABLE", "GENERATOR_CUT")


class Attempts:
    """Candidates, best first. Iterate, and say of each that did not take the request that it `refused`."""

    def __init__(self, fleet: Fleet, metrics: RoutingMetrics, ranked: Sequence[Candidate]) -> None:
        self._fleet, self._metrics, self._ranked = fleet, metrics, ranked
        self.is_last = False
        """Whether there is nobody left to pass the request on to."""
        self.refusal: HeadshotsError = unreachable("generator")
        """What to tell the caller where all refused: rather that generators are full than that one is away."""

    def __iter__(self) -> Iterator[Candidate]:
        for number, candidate in enumerate(self._ranked, 1):
            self.is_last = number == len(self._ranked)
            # It may have left while others were asked.
            if candidate.alias in self._fleet:
                yield candidate

    def refused(self, candidate: Candidate, error: HeadshotsError) -> None:
        """A candidate did not take the request."""
        self._metrics.passed_over(_why(error))
        blame(self._fleet, candidate.alias, error)
        if not isinstance(self.refusal, ResourceExhaustedError):
            self.refusal = error


class Heard:
    """What came of a request: when its last event did."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self.is_over = False
        """Whether nothing is to be expected any more: the image came, or the request was refused."""

    def note(self, event: GenerationEvent) -> None:
        """An event came."""
        self._at, self.is_over = time.monotonic(), isinstance(event, ImageDone)

    @property
    def silent_seconds(self) -> float:
        """Since the last event."""
        return time.monotonic() - self._at


@contextlib.contextmanager
def blaming(fleet: Fleet, alias: str, patience_seconds: float) -> Iterator[Heard]:
    """Holds a request that fails after it was taken against its replica, so that the next attempt goes elsewhere.

    So does a caller who leaves after `patience_seconds` of silence.
    """
    heard = Heard()
    try:
        yield heard
    except HeadshotsError as error:
        blame(fleet, alias, error)
        raise
    except (GeneratorExit, asyncio.CancelledError):
        if heard.silent_seconds > patience_seconds and not heard.is_over:
            fleet.failed(alias)
        raise
    if not heard.is_over:
        fleet.failed(alias)


def blame(fleet: Fleet, alias: str, error: HeadshotsError) -> None:
    """Leaves a replica out that drains or is gone until it answers again; one that fails otherwise comes last."""
    if error.reason in _DRAINING:
        fleet.is_draining(alias)
    elif error.reason in _GONE:
        fleet.is_away(alias)
    if error.reason in (*_GONE, _LATE) or isinstance(error, InternalError | DeadlineExceededError):
        fleet.failed(alias)


def _why(error: HeadshotsError) -> str:
    if isinstance(error, ResourceExhaustedError):
        return "full"
    if error.reason == _LATE or isinstance(error, DeadlineExceededError):
        return "late"
    if error.reason == "GENERATOR_CUT":
        return "cut"
    return "draining" if error.reason in _DRAINING else "unreachable"
