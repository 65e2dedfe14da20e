"""Implements the Protocols of `interfaces`: calls trainers and generators over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio

from headshots.errors import HeadshotsError, UnavailableError
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.threads import in_thread
from headshots.v1 import generator_pb2, generator_pb2_grpc, trainer_pb2, trainer_pb2_grpc
from services.gateway.peers import convert
from services.gateway.peers.addresses import replica_addresses
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


def open_peer(address: str) -> grpc.aio.Channel:
    """A channel to a trainer or a generator."""
    return open_channel(address, options=_RECONNECT)


class RpcTrainer:
    """`interfaces.Trainer` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = trainer_pb2_grpc.TrainerServiceStub(channel)  # type: ignore[no-untyped-call]

    async def start(self, request: TrainingRequest) -> TrainingJob:
        """See `interfaces.Trainer`."""
        with _translated_errors("trainer"):
            answer = await self._stub.StartTraining(convert.training_request(request), timeout=_CALL_SECONDS)
            return convert.training_job(answer.job)

    async def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        """See `interfaces.Trainer`."""
        call = self._stub.WatchTrainingJob(trainer_pb2.WatchTrainingJobRequest(job_id=job_id))
        try:
            with _translated_errors("trainer"):
                async for response in call:
                    yield convert.training_job(response.job)
        finally:
            call.cancel()

    async def cancel(self, job_id: str) -> TrainingJob:
        """See `interfaces.Trainer`."""
        message = trainer_pb2.CancelTrainingJobRequest(job_id=job_id)
        with _translated_errors("trainer"):
            return convert.training_job((await self._stub.CancelTrainingJob(message, timeout=_CALL_SECONDS)).job)


class RpcGenerator:
    """`interfaces.Generator` over gRPC; the channel balances calls over the replicas of `address` (round robin)."""

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._address = address
        self._stub: Any = generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See `interfaces.Generator`."""
        call = self._stub.Generate(convert.generation_request(request))
        try:
            with _translated_errors("generator"):
                async for response in call:
                    yield convert.generation_event(response)
        finally:
            call.cancel()

    async def describe(self) -> GeneratorDescription:
        """See `interfaces.Generator`."""
        with _translated_errors("generator"):
            answer = await self._stub.DescribeGenerator(generator_pb2.DescribeGeneratorRequest(), timeout=_CALL_SECONDS)
        return convert.description(answer)

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        """See `interfaces.Generator`."""
        message = generator_pb2.CheckGenerationRequest(request=convert.generation_request(request))
        with _translated_errors("generator"):
            return convert.generation_check(await self._stub.CheckGeneration(message, timeout=_CALL_SECONDS))

    async def evict(self, adapter_sha256: str) -> None:
        """See `interfaces.Generator`. Calls every replica, as each has its own caches."""
        try:
            addresses = await in_thread(replica_addresses, self._address)
        except OSError as error:
            _LOG.warning("cannot resolve the generators' address %s: %s", self._address, error)
            raise UnavailableError("GENERATOR_UNREACHABLE", "no generator can be found; it is tried again") from error
        calls = (_evict_at(address, adapter_sha256) for address in addresses)
        for failure in await asyncio.gather(*calls, return_exceptions=True):
            if failure is not None:
                raise failure


async def _evict_at(address: str, adapter_sha256: str) -> None:
    async with open_peer(address) as channel:
        stub: Any = generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]
        with _translated_errors("generator"):
            await stub.EvictAdapter(generator_pb2.EvictAdapterRequest(sha256=adapter_sha256), timeout=_CALL_SECONDS)


@contextlib.contextmanager
def _translated_errors(peer: str) -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _without_grpc_message(error_from_rpc(error), peer) from error


def _without_grpc_message(error: HeadshotsError, peer: str) -> HeadshotsError:
    """The error for our callers. Messages of gRPC itself name addresses, so they go to the log instead."""
    if error.reason not in _GRPC_REASONS:
        return error
    _LOG.warning("a %s: %s", peer, error)
    if isinstance(error, UnavailableError):
        return UnavailableError(f"{peer.upper()}_UNREACHABLE", f"no {peer} can be reached; it is tried again")
    return type(error)(f"{peer.upper()}_CALL_FAILED", f"a call to the {peer} failed; the gateway's log says how")
