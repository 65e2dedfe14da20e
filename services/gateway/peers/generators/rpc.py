"""Calls generators over gRPC (`interfaces.Generator`): each request where it is best, and past those that refuse it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots.errors import HeadshotsError, UnavailableError
from headshots.routing.fleet import Answer, Fleet, State
from headshots.routing.ranking import Candidate
from headshots.rpc.channel import NO_RETRIES, error_from_rpc
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.signing import Signer
from headshots.schema import MAIN_POOL
from headshots.telemetry.calls import calling, untraced
from headshots.threads import in_thread
from headshots.v1 import generator_pb2, generator_pb2_grpc
from services.gateway.peers import convert, granting
from services.gateway.peers.addresses import replica_addresses
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.generators.attempts import REFUSED, Attempts, Heard, blaming
from services.gateway.peers.generators.watching import Access, ReplicaWatcher
from services.gateway.peers.metrics import PoolMetrics, RoutingMetrics
from services.gateway.peers.models import GenerationCheck, GenerationRequest, GeneratorDescription
from services.gateway.peers.rpc import CALL_SECONDS, translated_errors

_LOG = logging.getLogger(__name__)
_HEALTH, _DESCRIBE = health_pb2.HealthCheckRequest(), generator_pb2.DescribeGeneratorRequest()


class RpcGenerator:
    """The generators behind one name. `run` keeps track of them.

    While the name has one address, or it is not known yet how many, calls take the name's own channel: it tries again
    by itself and takes turns. With several each has a channel that does neither.
    """

    def __init__(
        self,
        channel: InternalChannel,
        signer: Signer,
        metrics: RoutingMetrics | None = None,
        *,
        poll_seconds: float = 2.0,
        answer_seconds: float = 2.0,
        patience_seconds: float = 5.0,
    ) -> None:
        """`poll_seconds`: between two looks at the replicas; `answer_seconds`: within which each has to answer then.

        `patience_seconds`: a replica that has not taken a request within so long is passed over, where another is left;
        the last is waited for, as its queue is where the request would have to begin again.
        """
        self._channel, self._signer = channel, signer
        self._metrics = metrics or PoolMetrics(None).routing(MAIN_POOL)
        self._fleet = Fleet()
        access = Access(
            lambda: replica_addresses(channel.address),
            signer.alias,
            lambda address: channel.replica(address, NO_RETRIES),
            self._ask,
        )
        self._watcher = ReplicaWatcher(
            self._fleet, access, self._metrics, poll_seconds=poll_seconds, answer_seconds=answer_seconds
        )
        self._patience_seconds = patience_seconds
        self._level = logging.WARNING

    @property
    def ready(self) -> int | None:
        """How many replicas take requests; None where there is one at most, which nobody asks."""
        if not self._fleet.has_choice:
            return None
        return sum(state is State.READY for state in self._fleet.states().values())

    async def run(self) -> None:
        """Keeps track of the replicas until it is cancelled."""
        await self._watcher.run()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """See `interfaces.Generator`. Who refuses the request before its first event is passed over."""
        if not self._fleet.has_choice:
            async with contextlib.aclosing(self._events(self._channel, request)) as events:
                async for event in events:
                    yield event
            return
        sha256 = request.adapter.sha256 if request.adapter is not None else None
        attempts = self._attempts(sha256, f"{request.seed} {request.prompt}")
        for candidate in attempts:
            with self._sending(candidate.alias, sha256) as (channel, heard):
                async with contextlib.aclosing(self._events(channel, request)) as events:
                    try:
                        event = await self._first(events, None if attempts.is_last else self._patience_seconds)
                    except REFUSED as error:
                        heard.is_over = True
                        attempts.refused(candidate, error)
                        continue
                    self._took(candidate, sha256)
                    heard.note(event)
                    yield event
                    async for event in events:
                        heard.note(event)
                        yield event
                    return
        raise attempts.refusal

    async def describe(self) -> GeneratorDescription:
        """See `interfaces.Generator`."""
        try:
            found = convert.description(await self._call("DescribeGenerator", _DESCRIBE, granting.describing(), ""))
        except HeadshotsError:
            # Asked on and on until one comes (`pools.watching`), the log has it once.
            self._level = logging.DEBUG
            raise
        self._level = logging.WARNING
        return found

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        """See `interfaces.Generator`. Any replica can tell, so that the least loaded does."""
        message = generator_pb2.CheckGenerationRequest(request=convert.generation_request(request))
        grant = granting.checking(request)
        return convert.generation_check(await self._call("CheckGeneration", message, grant, request.prompt))

    async def evict(self, adapter_sha256: str) -> Eviction:
        """See `interfaces.Generator`. Calls every replica, as each has its own caches."""
        try:
            addresses = await in_thread(replica_addresses, self._channel.address)
        except OSError as error:
            _LOG.warning("cannot resolve the generators' address %s: %s", self._channel.address, error)
            raise UnavailableError("GENERATOR_UNREACHABLE", "no generator can be found; it is tried again") from error
        answers = await asyncio.gather(*(self._is_evicted_at(address, adapter_sha256) for address in addresses))
        aliases = [self._signer.alias(address) for address in addresses]
        confirmed = {alias for alias, answer in zip(aliases, answers, strict=True) if answer}
        return Eviction(frozenset(confirmed), frozenset(aliases) - confirmed)

    async def _is_evicted_at(self, address: str, adapter_sha256: str) -> bool:
        message = generator_pb2.EvictAdapterRequest(sha256=adapter_sha256)
        tied = calling(_full_name("EvictAdapter"), self._signer.metadata(granting.evicting(adapter_sha256)))
        replica = self._channel.replica(address)
        try:
            async with replica.held() as channel:
                with translated_errors("generator"), tied as metadata:
                    await _generator(channel).EvictAdapter(message, timeout=CALL_SECONDS, metadata=metadata)
        except HeadshotsError as error:
            alias = self._signer.alias(address)
            _LOG.warning(
                "generator %s keeps adapter %s until it reads the tombstones: %s", alias, adapter_sha256[:12], error
            )
            return False
        finally:
            await replica.close()
        return True

    async def _call(self, method: str, message: Message, grant: Grant, key: str) -> Any:
        """A call that streams nothing, of the least loaded replica; `key` spreads it over several of these."""
        if not self._fleet.has_choice:
            return await self._call_at(self._channel, method, message, grant, CALL_SECONDS)
        attempts = self._attempts(None, key)
        for candidate in attempts:
            seconds = CALL_SECONDS if attempts.is_last else min(CALL_SECONDS, self._patience_seconds)
            try:
                return await self._call_at(self._watcher.channel(candidate.alias), method, message, grant, seconds)
            except REFUSED as error:
                attempts.refused(candidate, error)
        raise attempts.refusal

    async def _call_at(self, held: InternalChannel, method: str, message: Message, grant: Grant, seconds: float) -> Any:
        tied = calling(_full_name(method), self._signer.metadata(grant))
        async with held.held() as channel:
            with translated_errors("generator", level=self._level), tied as metadata:
                return await getattr(_generator(channel), method)(message, timeout=seconds, metadata=metadata)

    def _attempts(self, sha256: str | None, key: str) -> Attempts:
        return Attempts(self._fleet, self._metrics, self._fleet.ranked(sha256, key))

    async def _events(self, held: InternalChannel, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        message, grant = convert.generation_request(request), granting.generating(request)
        tied = calling(_full_name("Generate"), self._signer.metadata(grant))
        async with held.held() as channel:
            with translated_errors("generator"), tied as metadata:
                call = _generator(channel).Generate(message, metadata=metadata)
                try:
                    async for response in call:
                        yield convert.generation_event(response)
                finally:
                    call.cancel()

    async def _first(self, events: AsyncGenerator[GenerationEvent, None], seconds: float | None) -> GenerationEvent:
        """The first event, which a generator sends as soon as it has taken a request."""
        try:
            async with asyncio.timeout(seconds):
                return await anext(events)
        except StopAsyncIteration:
            raise UnavailableError("GENERATOR_CUT", "the generator ended its stream without an image") from None
        except TimeoutError:
            raise UnavailableError("GENERATOR_LATE", f"no generator took the request within {seconds} s") from None

    @contextlib.contextmanager
    def _sending(self, alias: str, sha256: str | None) -> Iterator[tuple[InternalChannel, Heard]]:
        """Counts a request as in flight at a replica while the block runs."""
        with self._fleet.sending(alias, sha256), blaming(self._fleet, alias, self._patience_seconds) as heard:
            yield self._watcher.channel(alias), heard

    def _took(self, candidate: Candidate, sha256: str | None) -> None:
        self._metrics.routed(None if sha256 is None else candidate.tier)
        if sha256 is not None:
            self._fleet.took(candidate.alias, sha256)

    async def _ask(self, replica: InternalChannel, seconds: float) -> Answer:
        """What a replica says of itself; not translated, as the watcher's log may name addresses."""
        metadata = untraced(self._signer.metadata(granting.describing()))
        async with replica.held() as channel:
            try:
                health = await health_pb2_grpc.HealthStub(channel).Check(_HEALTH, timeout=seconds)
                described = await _generator(channel).DescribeGenerator(_DESCRIBE, timeout=seconds, metadata=metadata)
                return convert.answer(described, is_serving=health.status == health_pb2.HealthCheckResponse.SERVING)
            except grpc.aio.AioRpcError as error:
                raise error_from_rpc(error) from error


def _full_name(method: str) -> str:
    return f"{generator_pb2.DESCRIPTOR.services_by_name['GeneratorService'].full_name}/{method}"


def _generator(channel: grpc.aio.Channel) -> Any:
    return generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]
