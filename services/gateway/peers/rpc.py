"""The trainer and the generator over gRPC: protobuf on one side, the dataclasses of `peers` on the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.json_format import MessageToDict

from headshots.errors import HeadshotsError, InternalError, UnavailableError
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.threads import in_thread
from headshots.v1 import generator_pb2, generator_pb2_grpc, resources_pb2, trainer_pb2, trainer_pb2_grpc
from services.gateway.galleries.remix import Remix
from services.gateway.models import Adapter, Failure, TrainingJob, TrainingRequest
from services.gateway.peers.interfaces import (
    GenerationEvent,
    GenerationRequest,
    GeneratorDescription,
    ImageDone,
    StepDone,
    Waiting,
)
from services.gateway.peers.replicas import replica_addresses

STATES = {
    resources_pb2.JOB_STATE_PENDING: PENDING,
    resources_pb2.JOB_STATE_RUNNING: RUNNING,
    resources_pb2.JOB_STATE_SUCCEEDED: SUCCEEDED,
    resources_pb2.JOB_STATE_FAILED: FAILED,
    resources_pb2.JOB_STATE_CANCELLED: CANCELLED,
}
_CALL_SECONDS = 10.0
# Reasons whose messages hold what gRPC itself had to say.
_WORDS_OF_GRPC = {"SERVER_UNREACHABLE", "CALL_CANCELLED", "MESSAGE_TOO_LARGE", "RPC_FAILED"}
_LOG = logging.getLogger(__name__)
# gRPC would wait up to two minutes before it tries a lost peer again; a peer that restarts is back in seconds.
_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 200, "grpc.max_reconnect_backoff_ms": 2000}


def open_peer(address: str) -> grpc.aio.Channel:
    """A channel to a trainer or a generator."""
    return open_channel(address, options=_RECONNECT)


class RpcTrainer:
    """`peers.Trainer` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = trainer_pb2_grpc.TrainerServiceStub(channel)  # type: ignore[no-untyped-call]

    async def start(self, request: TrainingRequest) -> TrainingJob:
        """See `peers.Trainer`."""
        message = trainer_pb2.StartTrainingRequest(
            job_id=request.job_id,
            tenant=request.tenant,
            photos=[trainer_pb2.PhotoRef(key=key, sha256=sha256) for key, sha256 in request.photos],
            output_prefix=request.output_prefix,
            class_noun=request.class_noun,
            options=_options(request),
            priority=cast(resources_pb2.Priority, request.priority),
        )
        with _errors("trainer"):
            return _job((await self._stub.StartTraining(message, timeout=_CALL_SECONDS)).job)

    async def watch(self, job_id: str) -> AsyncIterator[TrainingJob]:
        """See `peers.Trainer`."""
        call = self._stub.WatchTrainingJob(trainer_pb2.WatchTrainingJobRequest(job_id=job_id))
        try:
            with _errors("trainer"):
                async for response in call:
                    yield _job(response.job)
        finally:
            call.cancel()

    async def cancel(self, job_id: str) -> TrainingJob:
        """See `peers.Trainer`."""
        message = trainer_pb2.CancelTrainingJobRequest(job_id=job_id)
        with _errors("trainer"):
            return _job((await self._stub.CancelTrainingJob(message, timeout=_CALL_SECONDS)).job)


class RpcGenerator:
    """`peers.Generator` over gRPC: the channel takes turns over the replicas of `address`."""

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._address = address
        self._stub: Any = generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See `peers.Generator`."""
        adapter = request.adapter
        call = self._stub.Generate(
            generator_pb2.GenerateRequest(
                tenant=request.tenant,
                adapter=resources_pb2.Adapter(
                    sha256=adapter.sha256,
                    key=adapter.key,
                    foundation_digest=adapter.foundation_digest,
                    rank=adapter.rank,
                    trigger=adapter.trigger,
                    size_bytes=adapter.size_bytes,
                    kohya_key=adapter.kohya_key,
                    manifest_key=adapter.manifest_key,
                ),
                prompt=request.prompt,
                seed=request.seed,
                format=cast(resources_pb2.ImageFormat, request.image_format),
                quality=request.quality,
                image_count=1,
                preview_every=request.preview_every,
                output_prefix=request.output_prefix,
                priority=cast(resources_pb2.Priority, request.priority),
                source=_source(request.remix),
            )
        )
        try:
            with _errors("generator"):
                async for response in call:
                    yield _event(response)
        finally:
            call.cancel()

    async def describe(self) -> GeneratorDescription:
        """See `peers.Generator`."""
        with _errors("generator"):
            answer = await self._stub.DescribeGenerator(generator_pb2.DescribeGeneratorRequest(), timeout=_CALL_SECONDS)
        return GeneratorDescription(
            foundation_digest=answer.foundation_digest,
            max_rank=answer.max_rank,
            prompt_template=answer.prompt_template,
            trigger=answer.trigger,
            native_side_px=min(answer.native_width_px, answer.native_height_px),
        )

    async def evict(self, adapter_sha256: str) -> None:
        """See `peers.Generator`. Every address that the name has now is asked by itself: each caches on its own."""
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
        with _errors("generator"):
            await stub.EvictAdapter(generator_pb2.EvictAdapterRequest(sha256=adapter_sha256), timeout=_CALL_SECONDS)


@contextlib.contextmanager
def _errors(peer: str) -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _public(error_from_rpc(error), peer) from error


def _public(error: HeadshotsError, peer: str) -> HeadshotsError:
    """What our callers may read of it: words that come from gRPC itself name addresses, and go to the log instead."""
    if error.reason not in _WORDS_OF_GRPC:
        return error
    _LOG.warning("a %s: %s", peer, error)
    if isinstance(error, UnavailableError):
        return UnavailableError(f"{peer.upper()}_UNREACHABLE", f"no {peer} can be reached; it is tried again")
    return type(error)(f"{peer.upper()}_CALL_FAILED", f"a call to the {peer} failed; the gateway's log says how")


def _options(request: TrainingRequest) -> resources_pb2.TrainingOptions:
    options = request.options
    return resources_pb2.TrainingOptions(
        steps=options.steps,
        rank=options.rank,
        learning_rate=options.learning_rate,
        batch_rows=options.batch_rows,
        seed=options.seed,
    )


def _source(remix: Remix | None) -> generator_pb2.Source | None:
    if remix is None:
        return None
    stored = generator_pb2.StoredPicture(key=remix.key, sha256=remix.sha256)
    return generator_pb2.Source(picture=generator_pb2.Picture(stored=stored), repaint=remix.repaint)


def _job(message: trainer_pb2.TrainingJob) -> TrainingJob:
    return TrainingJob(
        state=STATES[message.state],
        step=message.step,
        total_steps=message.total_steps,
        loss=message.loss,
        eta_seconds=message.eta.ToTimedelta().total_seconds() if message.HasField("eta") else None,
        queue_place=message.queue_place,
        attempt=message.attempt,
        adapter=_adapter(message.adapter) if message.HasField("adapter") else None,
        failure=(Failure(message.failure.reason, message.failure.message) if message.HasField("failure") else None),
        started_at=message.start_time.ToNanoseconds() / 1e9 if message.HasField("start_time") else None,
        ended_at=message.end_time.ToNanoseconds() / 1e9 if message.HasField("end_time") else None,
        curve=tuple((point.step, point.loss) for point in message.curve),
        revision=message.revision,
        likeness=message.likeness if message.HasField("likeness") else None,
        scores=MessageToDict(message.scores) if message.HasField("scores") else None,
    )


def _adapter(message: resources_pb2.Adapter) -> Adapter:
    return Adapter(
        sha256=message.sha256,
        key=message.key,
        foundation_digest=message.foundation_digest,
        rank=message.rank,
        trigger=message.trigger,
        size_bytes=message.size_bytes,
        kohya_key=message.kohya_key,
        manifest_key=message.manifest_key,
    )


def _event(message: generator_pb2.GenerateResponse) -> GenerationEvent:
    kind = message.WhichOneof("event")
    if kind == "step":
        return StepDone(message.step.step, message.step.total_steps, message.step.preview)
    if kind == "image":
        image = message.image
        if not image.key:
            raise InternalError("GENERATOR_PROTOCOL", "the generator sent an image by value, asked by reference")
        return ImageDone(
            key=image.key,
            sha256=image.sha256,
            size_bytes=image.size_bytes,
            content_type=image.content_type,
            width_px=image.width_px,
            height_px=image.height_px,
        )
    return Waiting()
