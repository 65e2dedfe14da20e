"""Opens channels to trainers and generators, translates their errors, and calls trainers (`interfaces.Trainer`)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from headshots.errors import HeadshotsError, PermissionDeniedError, UnauthenticatedError, UnavailableError
from headshots.rpc.channel import error_from_rpc, service_config
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.internal.signing import Signer
from headshots.telemetry.calls import calling
from headshots.v1 import generator_pb2, trainer_pb2, trainer_pb2_grpc
from services.gateway.peers import convert, granting
from services.gateway.peers.models import TrainingJob, TrainingRequest

CALL_SECONDS = 10.0
"""Within which a call that streams nothing is answered."""
# Reasons of errors whose messages come from gRPC itself.
_GRPC_REASONS = {"SERVER_UNREACHABLE", "CALL_CANCELLED", "MESSAGE_TOO_LARGE", "RPC_FAILED"}
_LOG = logging.getLogger(__name__)
_GENERATOR = generator_pb2.DESCRIPTOR.services_by_name["GeneratorService"].full_name
_OPTIONS: Mapping[str, str | int] = {
    # By default gRPC waits up to two minutes before it reconnects; a peer that restarts is back in seconds, and people
    # wait for one that comes up from zero.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 500,
    # Who asks what runs there, or whether it could be painted, goes on without an answer, and shall not wait for it.
    "grpc.service_config": service_config(once=[(_GENERATOR, "DescribeGenerator"), (_GENERATOR, "CheckGeneration")]),
}


def open_peer(address: str, settings: InternalSettings) -> InternalChannel:
    """A channel to a trainer or a generator.

    Raises:
        InvalidArgumentError: CERTIFICATE_INVALID.
    """
    return InternalChannel(address, settings.certificates(server=False), _OPTIONS)


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
        tied = calling(_full_name("WatchTrainingJob"), self._signer.metadata(grant))
        async with self._channel.held() as channel:
            with translated_errors("trainer"), tied as metadata:
                call = _trainer(channel).WatchTrainingJob(message, metadata=metadata)
                try:
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
        tied = calling(_full_name(method), self._signer.metadata(grant))
        async with self._channel.held() as channel:
            with translated_errors("trainer"), tied as metadata:
                return await getattr(_trainer(channel), method)(message, timeout=CALL_SECONDS, metadata=metadata)


def _full_name(method: str) -> str:
    return f"{trainer_pb2.DESCRIPTOR.services_by_name['TrainerService'].full_name}/{method}"


def _trainer(channel: grpc.aio.Channel) -> Any:
    return trainer_pb2_grpc.TrainerServiceStub(channel)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def translated_errors(peer: str, *, level: int = logging.WARNING) -> Iterator[None]:
    """Raises what a call of a peer, `trainer` or `generator`, fails with as a HeadshotsError for our callers.

    `level`: of the line in the log that tells why it could not be reached.
    """
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _without_grpc_message(error_from_rpc(error), peer, level) from error


def _without_grpc_message(error: HeadshotsError, peer: str, level: int) -> HeadshotsError:
    """The error for our callers. Messages of gRPC itself name addresses, so they go to the log instead.

    A refused grant is a deployment whose services do not share a secret or the time: work waits until they do.
    """
    if isinstance(error, UnauthenticatedError | PermissionDeniedError):
        _LOG.error("a %s refuses this gateway's grants: %s", peer, error)
        return unreachable(peer)
    if error.reason not in _GRPC_REASONS:
        return error
    _LOG.log(level, "a %s: %s", peer, error)
    if isinstance(error, UnavailableError):
        return unreachable(peer)
    return type(error)(f"{peer.upper()}_CALL_FAILED", f"a call to the {peer} failed; the gateway's log says how")


def unreachable(peer: str) -> UnavailableError:
    """The error of a call that no `trainer` or `generator` answered."""
    return UnavailableError(f"{peer.upper()}_UNREACHABLE", f"no {peer} can be reached; it is tried again")
