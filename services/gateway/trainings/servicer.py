"""Answers the RPCs of trainings: decode, one engine call, encode."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import trainings_pb2, trainings_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import foundation_of, ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.peers.models import PRIORITY_STANDARD
from services.gateway.trainings import convert
from services.gateway.trainings.engine import TrainingEngine


class TrainingServicer(trainings_pb2_grpc.TrainingServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: TrainingEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        trainings_pb2_grpc.add_TrainingServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [trainings_pb2.DESCRIPTOR.services_by_name["TrainingService"].full_name]

    async def CreateTraining(
        self, request: trainings_pb2.CreateTrainingRequest, context: Any
    ) -> trainings_pb2.CreateTrainingResponse:
        """Queues a training."""
        (subject_id,) = ids(request.parent)
        training = await self._engine.create(
            current_tenant(),
            subject_id,
            convert.training_options(request.options),
            priority=int(request.priority) or PRIORITY_STANDARD,
            key=idempotency_key(request),
            validate_only=request.validate_only,
            photos=list(request.photos),
            foundation=foundation_of(request.foundation),
            labelling=Labelling.of_request(request),
        )
        return trainings_pb2.CreateTrainingResponse(training=convert.training(training))

    async def GetTraining(
        self, request: trainings_pb2.GetTrainingRequest, context: Any
    ) -> trainings_pb2.GetTrainingResponse:
        """One training."""
        training = await self._engine.get(current_tenant(), *ids(request.name))
        return trainings_pb2.GetTrainingResponse(training=convert.training(training))

    async def ListTrainings(
        self, request: trainings_pb2.ListTrainingsRequest, context: Any
    ) -> trainings_pb2.ListTrainingsResponse:
        """A page of trainings."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.page(
            current_tenant(),
            subject_id,
            Labelling.of_request(request),
            request.page_size or DEFAULT_PAGE,
            request.page_token,
        )
        return trainings_pb2.ListTrainingsResponse(trainings=map(convert.training, page), next_page_token=token)

    async def WatchTraining(
        self, request: trainings_pb2.WatchTrainingRequest, context: Any
    ) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        """The training, event by event."""
        after = request.after_event if request.HasField("after_event") else None
        watch = self._engine.watch(current_tenant(), *ids(request.name), after=after)
        async with contextlib.aclosing(watch) as trainings:  # type: ignore[type-var]
            async for training in trainings:
                yield trainings_pb2.WatchTrainingResponse(training=convert.training(training))

    async def CancelTraining(
        self, request: trainings_pb2.CancelTrainingRequest, context: Any
    ) -> trainings_pb2.CancelTrainingResponse:
        """Asks a training to stop."""
        training = await self._engine.cancel(current_tenant(), *ids(request.name))
        return trainings_pb2.CancelTrainingResponse(training=convert.training(training))

    async def DownloadTrainingFile(
        self, request: trainings_pb2.DownloadTrainingFileRequest, context: Any
    ) -> AsyncIterator[trainings_pb2.DownloadTrainingFileResponse]:
        """A file, piece by piece."""
        kind = convert.file_kind(request.file)
        subject_id, training_id = ids(request.name)
        download = self._engine.download(current_tenant(), subject_id, training_id, kind)
        async with contextlib.aclosing(download) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield convert.file_piece(piece, kind)
