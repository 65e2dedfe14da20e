"""Keeps a gateway's `Fleet` true: finds the replicas behind a name, keeps a channel to each, asks what they have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from headshots.errors import HeadshotsError
from headshots.routing.fleet import Answer, Fleet, State
from headshots.rpc.internal.channel import InternalChannel
from headshots.threads import in_thread
from services.gateway.peers.metrics import RoutingMetrics

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Access:
    """How replicas are found and reached."""

    resolve: Callable[[], list[str]]
    """Their addresses now. Blocking; raises OSError."""
    alias: Callable[[str], str]
    """Names a replica by its address."""
    open: Callable[[str], InternalChannel]
    """A channel to an address."""
    ask: Callable[[InternalChannel, float], Awaitable[Answer]]
    """What a replica says of itself within so many seconds; raises HeadshotsErrors."""


@dataclass
class _Known:
    address: str
    channel: InternalChannel
    told: State = State.NEW
    """The state that the log has."""
    trouble: str = ""
    """Why it did not answer."""


class ReplicaWatcher:
    """Looks every `poll_seconds`; a replica that does not answer within `answer_seconds` is left out until it does.

    With one replica there is nothing to choose and nobody is asked.
    """

    def __init__(
        self, fleet: Fleet, access: Access, metrics: RoutingMetrics, *, poll_seconds: float, answer_seconds: float
    ) -> None:
        self._fleet, self._access, self._metrics = fleet, access, metrics
        self._poll_seconds, self._answer_seconds = poll_seconds, answer_seconds
        self._known: dict[str, _Known] = {}
        self._finding: asyncio.Task[None] | None = None
        self._is_resolved = True

    def channel(self, alias: str) -> InternalChannel:
        """To a replica of the fleet."""
        return self._known[alias].channel

    async def run(self) -> None:
        """Looks until it is cancelled; then the channels are closed."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:  # noqa: BLE001 - whatever it was, requests go where they would have gone before
                    _LOG.exception("looking for generators met a defect; trying again")
                await asyncio.sleep(self._poll_seconds)
        finally:
            if self._finding is not None:
                self._finding.cancel()
                await asyncio.gather(self._finding, return_exceptions=True)
            for known in self._known.values():
                await known.channel.close()

    async def _look(self) -> None:
        if self._finding is None:
            self._finding = asyncio.create_task(self._find())
        # A resolver that hangs keeps nobody from being asked.
        await asyncio.wait({self._finding}, timeout=self._answer_seconds)
        if self._finding.done():
            found, self._finding = self._finding, None
            await found
        if self._fleet.has_choice:
            await asyncio.gather(*(self._ask(alias, known) for alias, known in self._known.items()))
        self._tell()

    async def _find(self) -> None:
        try:
            addresses = await in_thread(self._access.resolve)
        except OSError as error:
            if self._is_resolved:
                _LOG.warning("cannot resolve the generators' address; those that are known stay: %s", error)
            self._is_resolved = False
            return
        self._is_resolved = True
        found = {self._access.alias(address): address for address in addresses}
        gone = [self._known.pop(alias) for alias in set(self._known) - set(found)]
        for alias, address in found.items():
            if alias not in self._known:
                self._known[alias] = _Known(address, self._access.open(address))
        self._fleet.consists_of(found)
        for known in gone:
            # It may drain, and what it works on goes on.
            await known.channel.close_unused()

    async def _ask(self, alias: str, known: _Known) -> None:
        try:
            answer = await self._access.ask(known.channel, self._answer_seconds)
        except HeadshotsError as error:
            known.trouble = str(error)
            self._fleet.is_away(alias)
        else:
            self._fleet.answered(alias, answer)

    def _tell(self) -> None:
        """Logs what has changed, once, and sets the metrics."""
        states = self._fleet.states()
        for alias, known in self._known.items():
            state = states[alias]
            if state is known.told:
                continue
            known.told = state
            if state is State.READY:
                _LOG.info("generator %s at %s is ready", alias, known.address)
            else:
                why = known.trouble if state is State.AWAY else _WHY[state]
                _LOG.warning("generator %s at %s is left out: %s", alias, known.address, why)
        if not self._fleet.has_choice:
            # Nobody was asked.
            states = {}
        self._metrics.consists_of(states, {alias: self._fleet.in_flight(alias) for alias in states})


_WHY = {
    State.DRAINING: "it takes no requests now",
    State.FOREIGN: "it runs another foundation than most; requests go there once most do",
}
