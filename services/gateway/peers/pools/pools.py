"""Sends what needs a foundation to the pool that runs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from sqlalchemy.engine import Engine

from headshots.errors import FailedPreconditionError, HeadshotsError, NotFoundError, UnavailableError
from headshots.threads import in_read_thread
from services.gateway.api.names import foundation_name
from services.gateway.peers.describer import Describer
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import UNRESOLVED, Eviction, together
from services.gateway.peers.interfaces import Generator, Trainer
from services.gateway.peers.models import GenerationCheck, GenerationRequest, GeneratorDescription
from services.gateway.peers.pools import rows
from services.gateway.peers.pools.models import Served, TrainingPlace
from services.gateway.peers.pools.openness import ALL, NOTHING, Openness, openness
from services.gateway.peers.rpc import unreachable

_SERVING_SECONDS = 2.0
"""How old an answer may be that tells whether a foundation is served now."""


class Generators(Generator, Protocol):
    """The generators of a pool."""

    @property
    def ready(self) -> int | None:
        """How many take requests; None where there is one at most, which nobody asks."""
        ...

    async def run(self) -> None:
        """Keeps track of them until it is cancelled."""
        ...


class Pool:
    """Trainers and generators of one foundation."""

    def __init__(self, name: str, trainer: Trainer, generator: Generators) -> None:
        self.name, self.trainer, self.generator = name, trainer, generator
        self.describer = Describer(generator)

    @property
    def digest(self) -> str:
        """Of its foundation, as its generators told last; empty where they never did."""
        return self.describer.known.foundation_digest if self.describer.known is not None else ""

    @property
    def ready(self) -> int:
        """Generators that take requests, as far as is known."""
        if not self.describer.answers:
            return 0
        told = self.generator.ready
        return 1 if told is None else told


class Pools:
    """All pools of a gateway, the first one first. Itself an `interfaces.Generator`: the right pool's is called."""

    def __init__(self, pools: Sequence[Pool], default: str, database: Engine) -> None:
        """`default` is the name of the pool that work goes to which needs no certain foundation."""
        (self._default,) = (pool for pool in pools if pool.name == default)
        # Of several that run the same foundation the default one comes first.
        self._pools = (self._default, *(pool for pool in pools if pool is not self._default))
        self._database = database

    @property
    def each(self) -> Sequence[Pool]:
        """All of them, the default one first."""
        return self._pools

    def trainer(self, name: str, digest: str = "") -> Trainer:
        """The trainers of a pool; where it has another name by now, of the one that runs the foundation.

        Raises:
            UnavailableError: POOL_UNKNOWN.
        """
        named = [pool for pool in self._pools if pool.name == name]
        for pool in named or [pool for pool in self._pools if digest and pool.digest == digest]:
            return pool.trainer
        known = ", ".join(sorted(pool.name for pool in self._pools))
        message = f"the pool {name!r} is none of this gateway's ({known}); HEADSHOTS_GATEWAY_POOLS has to name it again"
        raise UnavailableError("POOL_UNKNOWN", message)

    async def describe(self, digest: str = "") -> GeneratorDescription:
        """What generators of the foundation with this digest run; empty: of the default one.

        Raises:
            UnavailableError: GENERATOR_UNREACHABLE, it is not known who runs it.
            FailedPreconditionError: FOUNDATION_NOT_SERVED, all pools tell that they run others.
        """
        return await (await self._pool(digest)).describer.describe()

    async def describe_if_reachable(self, digest: str = "") -> GeneratorDescription | None:
        """The same; None where it is not known who runs it. Raises FOUNDATION_NOT_SERVED alone."""
        try:
            return await self.describe(digest)
        except UnavailableError:
            return None

    async def training_place(self, digest: str = "") -> TrainingPlace:
        """Where a training is done on the foundation with this digest, which a caller names; empty: the default one.

        Raises:
            NotFoundError: FOUNDATION_NOT_FOUND, all pools tell that they run others.
            UnavailableError: GENERATOR_UNREACHABLE, it is not known who runs it.
        """
        if not digest:
            return TrainingPlace(self._default.name, await self.describe_if_reachable())
        try:
            pool = await self._pool(digest)
        except FailedPreconditionError as error:
            name = foundation_name(digest)
            message = f"no generator runs {name}; ListFoundations shows those that are run"
            raise NotFoundError("FOUNDATION_NOT_FOUND", message, metadata={"name": name}) from error
        return TrainingPlace(pool.name, await pool.describer.describe())

    async def served(self) -> list[Served]:
        """Every foundation that is known, by digest.

        Raises:
            UnavailableError: GENERATOR_UNREACHABLE, none is known.
        """
        asked = (pool.describer.describe(fresh_seconds=_SERVING_SECONDS) for pool in self._pools)
        described = await asyncio.gather(*asked, return_exceptions=True)
        found: dict[str, Served] = {}
        for pool, one in zip(self._pools, described, strict=True):
            if isinstance(one, UnavailableError):
                continue
            if isinstance(one, BaseException):
                raise one
            other = found.get(one.foundation_digest)
            ready = pool.ready + (other.ready if other is not None else 0)
            first = other.description if other is not None else one
            is_default = pool is self._default or (other is not None and other.is_default)
            found[one.foundation_digest] = Served(first, is_default, ready)
        if not found:
            raise unreachable("generator")
        return [found[digest] for digest in sorted(found)]

    @property
    def digests(self) -> Sequence[str]:
        """Of all foundations that are known, the default one first."""
        return [digest for digest in dict.fromkeys(pool.digest for pool in self._pools) if digest]

    def openness(self, running: Mapping[str, int], at_once: int) -> Openness:
        """Of which foundations another shot may be begun, where so many run of each, and each may have `at_once`."""
        if len(self._pools) == 1:
            return ALL if sum(running.values()) < at_once else NOTHING
        answers: dict[str, bool] = {}
        for pool in self._pools:
            if pool.digest:
                answers[pool.digest] = answers.get(pool.digest, False) or pool.describer.answers
        return openness(answers, running, at_once)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """See `interfaces.Generator`; of an adapter's own foundation. Raises as `describe`, too."""
        pool = await self._pool(request.adapter.foundation_digest if request.adapter is not None else "")
        try:
            async with contextlib.aclosing(pool.generator.generate(request)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event
        except UnavailableError as error:
            if error.reason == "GENERATOR_UNREACHABLE":
                # The pool's watcher asks from now on until one answers.
                pool.describer.lost()
            raise

    async def check(self, request: GenerationRequest, digest: str = "") -> GenerationCheck:
        """See `interfaces.Generator`; of the foundation with this digest, empty: the default one. Raises as `describe`,
        too."""
        return await (await self._pool(digest)).generator.check(request)

    async def evict(self, adapter_sha256: str) -> Eviction:
        """See `interfaces.Generator`. Calls every pool's: what went to a wrong one is forgotten there, too."""
        if len(self._pools) == 1:
            return await self._default.generator.evict(adapter_sha256)
        return together(await asyncio.gather(*(_evict(pool, adapter_sha256) for pool in self._pools)))

    async def _pool(self, digest: str) -> Pool:
        """Who runs a foundation; rather a pool that answers. Empty: the default pool. Raises as `describe`."""
        if not digest:
            return self._default
        running = [pool for pool in self._pools if pool.digest == digest]
        for pool in sorted(running, key=lambda each: not each.describer.answers):
            # It may run another one by now.
            if (await pool.describer.describe()).foundation_digest == digest:
                return pool
        await asyncio.gather(*(pool.describer.refresh() for pool in self._pools), return_exceptions=True)
        for pool in self._pools:
            if pool.digest == digest:
                return pool
        raise await self._not_served(digest)

    async def _not_served(self, digest: str) -> HeadshotsError:
        """Why nobody is known to run a foundation, as all pools were just asked."""
        name = foundation_name(digest)
        if silent := [pool.name for pool in self._pools if not pool.describer.answers]:
            if len(self._pools) == 1:
                return unreachable("generator")
            which = f"no generator that answers runs {name}, and of pool {', '.join(silent)} none answers"
            message = f"{which}; it is tried again"
            return UnavailableError("GENERATOR_UNREACHABLE", message)
        names = [pool.name for pool in self._pools]
        if await in_read_thread(rows.runs_elsewhere, self._database, digest, names):
            message = f"{name} is run by a pool that this gateway does not know yet; it is tried again"
            return UnavailableError("GENERATOR_UNREACHABLE", message)
        return FailedPreconditionError(
            "FOUNDATION_NOT_SERVED",
            f"no generator runs {name} any more, which the adapter was trained on; train the subject again, or name a "
            "training of its that was made on one of ListFoundations",
            metadata={"name": name},
        )


async def _evict(pool: Pool, adapter_sha256: str) -> Eviction:
    try:
        return await pool.generator.evict(adapter_sha256)
    except HeadshotsError:
        # It was logged where it happened; whoever waits for confirmations hears that somebody was not asked.
        return Eviction(silent=frozenset({UNRESOLVED}))
