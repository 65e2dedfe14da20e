"""Implements the Protocols of `interfaces`: calls trainers and generators over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from headshots.errors import HeadshotsError, PermissionDeniedError, UnauthenticatedError, UnavailableError
from headshots.rpc.channel import error_from_rpc
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.internal.signing import Signer
from headshots.threads import in_thread
from headshots.v1 import generator_pb2, generator_pb2_grpc, trainer_pb2, trainer_pb2_grpc
from services.gateway.peers import convert, granting
from services.gateway.peers.addresses import replica_addresses
from services.gateway.peers.evictions import Eviction
from services.gateway.peers.models import (
    GenerationCheck,
    GenerationEvent,
    GenerationRequest,
    GeneratorDescription,
    TrainingJob,
    TrainingRequest,
)

_CALL_SECONDS = 10.0
# Reasons of errors whose messages come from gRPC itself.
_GRPC_REASONS = {"SERVER_UNREACHABLE", "CALL_CANCELLED", "MESSAGE_TOO_LARGE", "RPC_FAILED"}
_LOG = logging.getLogger(__name__)
# By default gRPC waits up to two minutes before it reconnects; a peer that restarts is back in seconds.
_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 200, "grpc.max_reconnect_backoff_ms": 2000}


def open_peer(address: str, settings: InternalSettings) -> InternalChannel:
    """A channel to a trainer or a generator.

    Raises:
        InvalidArgumentError: CERTIFICATE_INVALID.
    """
    return InternalChannel(address, settings.certificates(server=False), _RECONNECT)


class RpcTrainer:
    """`interfaces.Trainer` over gRPC."""

    def __init__(self, channel: InternalChannel, signer: Signer) -> None:
        self._channel, self._signer = channel, signer

    async def start(self, request: TrainingRequest) -> TrainingJob:
        """See `interfaces.Trainer`."""
        message, grant = convert.training_request(request), granting.starting(request)
        return convert.training_job((await self._call("StartTraining", message, grant)).job)

    async def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        """See `interfaces.Trainer`."""
        grant = granting.of_job("WatchTrainingJob", job_id)
        message = trainer_pb2.WatchTrainingJobRequest(job_id=job_id)
        async with self._channel.held() as channel:
            call = _trainer(channel).WatchTrainingJob(message, metadata=self._signer.metadata(grant))
            try:
                with _translated_errors("trainer"):
                    async for response in call:
                        yield convert.training_job(response.job)
            finally:
                call.cancel()

    async def cancel(self, job_id: str) -> TrainingJob:
        """See `interfaces.Trainer`."""
        message = trainer_pb2.CancelTrainingJobRequest(job_id=job_id)
        grant = granting.of_job("CancelTrainingJob", job_id)
        return convert.training_job((await self._call("CancelTrainingJob", message, grant)).job)

    async def _call(self, method: str, message: Message, grant: Grant) -> Any:
        metadata = self._signer.metadata(grant)
        async with self._channel.held() as channel:
            with _translated_errors("trainer"):
                return await getattr(_trainer(channel), method)(message, timeout=_CALL_SECONDS, metadata=metadata)


class RpcGenerator:
    """`interfaces.Generator` over gRPC; the channel balances calls over the replicas of its name (round robin)."""

    def __init__(self, channel: InternalChannel, signer: Signer) -> None:
        self._channel, self._signer = channel, signer

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See `interfaces.Generator`."""
        message, metadata = convert.generation_request(request), self._signer.metadata(granting.generating(request))
        async with self._channel.held() as channel:
            call = _generator(channel).Generate(message, metadata=metadata)
            try:
                with _translated_errors("generator"):
                    async for response in call:
                        yield convert.generation_event(response)
            finally:
                call.cancel()

    async def describe(self) -> GeneratorDescription:
        """See `interfaces.Generator`."""
        message, metadata = generator_pb2.DescribeGeneratorRequest(), self._signer.metadata(granting.describing())
        async with self._channel.held() as channel:
            with _translated_errors("generator"):
                call = _generator(channel).DescribeGenerator(message, timeout=_CALL_SECONDS, metadata=metadata)
                return convert.description(await call)

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        """See `interfaces.Generator`."""
        message = generator_pb2.CheckGenerationRequest(request=convert.generation_request(request))
        metadata = self._signer.metadata(granting.checking(request))
        async with self._channel.held() as channel:
            with _translated_errors("generator"):
                call = _generator(channel).CheckGeneration(message, timeout=_CALL_SECONDS, metadata=metadata)
                return convert.generation_check(await call)

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
        metadata = self._signer.metadata(granting.evicting(adapter_sha256))
        replica = self._channel.replica(address)
        try:
            async with replica.held() as channel:
                with _translated_errors("generator"):
                    await _generator(channel).EvictAdapter(message, timeout=_CALL_SECONDS, metadata=metadata)
        except HeadshotsError as error:
            alias = self._signer.alias(address)
            _LOG.warning(
                "generator %s keeps adapter %s until it reads the tombstones: %s", alias, adapter_sha256[:12], error
            )
            return False
        finally:
            await replica.close()
        return True


def _trainer(channel: grpc.aio.Channel) -> Any:
    return trainer_pb2_grpc.TrainerServiceStub(channel)  # type: ignore[no-untyped-call]


def _generator(channel: grpc.aio.Channel) -> Any:
    return generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _translated_errors(peer: str) -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _without_grpc_message(error_from_rpc(error), peer) from error


def _without_grpc_message(error: HeadshotsError, peer: str) -> HeadshotsError:
    """The error for our callers. Messages of gRPC itself name addresses, so they go to the log instead.

    A refused grant is a deployment whose services do not share a secret or the time: work waits until they do.
    """
    if isinstance(error, UnauthenticatedError | PermissionDeniedError):
        _LOG.error("a %s refuses this gateway's grants: %s", peer, error)
        return _unreachable(peer)
    if error.reason not in _GRPC_REASONS:
        return error
    _LOG.warning("a %s: %s", peer, error)
    if isinstance(error, UnavailableError):
        return _unreachable(peer)
    return type(error)(f"{peer.upper()}_CALL_FAILED", f"a call to the {peer} failed; the gateway's log says how")


def _unreachable(peer: str) -> UnavailableError:
    return UnavailableError(f"{peer.upper()}_UNREACHABLE", f"no {peer} can be reached; it is tried again")
