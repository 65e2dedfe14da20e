"""Answers the calls about trainings, which advance while they are watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.v1 import adapters_pb2, jobs_pb2, trainings_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page
from tests.support.fake_gateway.subjects import check_consent

STEPS = 20
ADAPTER = adapters_pb2.Adapter(
    sha256="ab" * 32, key="a/adapter.safetensors", foundation_digest="cd" * 32, rank=4, trigger="sks", size_bytes=9
)


class FakeTrainings(FakeState):
    """Trainings by name."""

    async def CreateTraining(
        self, request: trainings_pb2.CreateTrainingRequest, context: Any
    ) -> trainings_pb2.CreateTrainingResponse:
        self.enter("CreateTraining", request)
        photos = find(self.photos, request.parent, "SUBJECT_NOT_FOUND")
        if self.requires_consent:
            check_consent(self.subjects[request.parent])
        if request.photos:
            photos = [photo for photo in photos if photo.name in request.photos]
        if len(photos) < 6:
            raise FailedPreconditionError("TOO_FEW_PHOTOS", f"upload {6 - len(photos)} more photos first")
        name = f"{request.parent}/trainings/t{len(self.trainings)}"
        training = trainings_pb2.Training(
            name=name,
            state=jobs_pb2.JOB_STATE_PENDING,
            options=request.options,
            photo_count=len(photos),
            queue_position=1,
            **labelled(request),
        )
        training.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, name)
            training = self.trainings.setdefault(name, training)
        return trainings_pb2.CreateTrainingResponse(training=training)

    async def GetTraining(
        self, request: trainings_pb2.GetTrainingRequest, context: Any
    ) -> trainings_pb2.GetTrainingResponse:
        self.enter("GetTraining", request)
        return trainings_pb2.GetTrainingResponse(training=find(self.trainings, request.name, "TRAINING_NOT_FOUND"))

    async def ListTrainings(
        self, request: trainings_pb2.ListTrainingsRequest, context: Any
    ) -> trainings_pb2.ListTrainingsResponse:
        self.enter("ListTrainings", request)
        mine = [each for name, each in self.trainings.items() if name.startswith(f"{request.parent}/")]
        items, token = page(mine[::-1], request)
        return trainings_pb2.ListTrainingsResponse(trainings=items, next_page_token=token)

    async def WatchTraining(
        self, request: trainings_pb2.WatchTrainingRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        self.enter("WatchTraining", request)
        training = find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        cut = self.cut_after.pop(0) if self.cut_after else None
        while True:
            if cut == 0:
                raise UnavailableError("GATEWAY_STOPPING", "the gateway is stopping")
            cut = cut - 1 if cut is not None else None
            yield trainings_pb2.WatchTrainingResponse(training=training)
            while self.hold_watches:
                self.held.set()
                await asyncio.sleep(0.02)
            if training.state not in (jobs_pb2.JOB_STATE_PENDING, jobs_pb2.JOB_STATE_RUNNING):
                return
            self._advance_training(training)

    def _advance_training(self, training: trainings_pb2.Training) -> None:
        if self.training_failure is not None and training.step >= STEPS // 2:
            training.state = jobs_pb2.JOB_STATE_FAILED
            training.failure.CopyFrom(self.training_failure)
        elif training.step >= STEPS:
            training.state = jobs_pb2.JOB_STATE_SUCCEEDED
            training.adapter.CopyFrom(ADAPTER)
            training.end_time.GetCurrentTime()
            training.ClearField("eta")
            training.ClearField("progress")
            self.subjects[training.name.partition("/trainings/")[0]].adapter.CopyFrom(ADAPTER)
        else:
            training.state = jobs_pb2.JOB_STATE_RUNNING
            training.step, training.total_steps, training.queue_position = training.step + 5, STEPS, 0
            training.attempt = 1
            training.loss = 1.0 / (1 + training.step)
            training.eta.FromMilliseconds(100 * (STEPS - training.step))
            now = training.progress
            now.phase, now.done, now.total = trainings_pb2.TRAINING_PHASE_TRAINING, training.step, STEPS
            now.phase_eta.CopyFrom(training.eta)
            training.curve.add(step=training.step, loss=training.loss)

    async def CancelTraining(
        self, request: trainings_pb2.CancelTrainingRequest, context: Any
    ) -> trainings_pb2.CancelTrainingResponse:
        self.enter("CancelTraining", request)
        training = find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        if self.cancels_at_once and training.state in (jobs_pb2.JOB_STATE_PENDING, jobs_pb2.JOB_STATE_RUNNING):
            training.state = jobs_pb2.JOB_STATE_CANCELLED
        return trainings_pb2.CancelTrainingResponse(training=training)

    async def DownloadTrainingFile(
        self, request: trainings_pb2.DownloadTrainingFileRequest, context: Any
    ) -> AsyncIterator[trainings_pb2.DownloadTrainingFileResponse]:
        self.enter("DownloadTrainingFile", request)
        find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        content = trainings_pb2.TrainingFile.Name(request.file).encode()
        size_bytes = len(content) + self.missing_bytes
        yield trainings_pb2.DownloadTrainingFileResponse(size_bytes=size_bytes, chunk=content[:5])
        yield trainings_pb2.DownloadTrainingFileResponse(chunk=content[5:])
