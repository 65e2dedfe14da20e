"""Calls the gateway about trainings, and waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import trainings as convert
from headshots.client.convert.labels import wire_labelling
from headshots.client.convert.values import TERMINAL_STATES, wire_priority
from headshots.client.models.foundations import FoundationRef
from headshots.client.models.jobs import Priority, Training, TrainingFile, TrainingOptions, TrainingRef
from headshots.client.models.labels import Labelling
from headshots.client.models.photos import PhotoRef
from headshots.client.models.subjects import SubjectRef
from headshots.client.names import Kind, resource_name, several
from headshots.errors import UnavailableError
from headshots.v1 import trainings_pb2


class TrainingCalls(Connection):
    """Selfies to adapters."""

    async def create_training(
        self,
        subject: SubjectRef,
        options: TrainingOptions | None = None,
        *,
        priority: Priority = Priority.STANDARD,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
        photos: Iterable[PhotoRef] = (),
        foundation: FoundationRef = "",
    ) -> Training:
        """Queue a training on the subject's photos.

        Args:
            subject: whose photos; at least 6 of them.
            options: what to override of the foundation's recipe.
            priority: who is served first; HIGH is a right that the operator grants a tenant.
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same training; default a new one.
            validate_only: check everything and answer the training as it would be, without making it.
            photos: those of the subject's photos to learn from, such as an inspection found usable; default all.
            foundation: which one to train on, of `list_foundations`; default that of the installation.

        Raises:
            NotFoundError: the subject has no such photo, or no generator runs the foundation.
            FailedPreconditionError: too few photos, or another training runs. InvalidArgumentError: RANK_TOO_LARGE.
            PermissionDeniedError: no right to high priority. AlreadyExistsError: REQUEST_ID_REUSED, for another order.
        """
        request = trainings_pb2.CreateTrainingRequest(
            parent=resource_name(subject, Kind.SUBJECT),
            options=convert.training_options(options or TrainingOptions()),
            priority=wire_priority(priority),
            request_id=request_id or new_request_id(),
            validate_only=validate_only,
            photos=[resource_name(photo, Kind.PHOTO) for photo in several(photos, "photos")],
            foundation=resource_name(foundation, Kind.FOUNDATION) if foundation else "",
            **wire_labelling(labelling),
        )
        return convert.training((await self._unary("CreateTraining", request)).training)

    async def get_training(self, training: TrainingRef) -> Training:
        """One training as it stands.

        Raises:
            NotFoundError: no such training in this tenant.
        """
        request = trainings_pb2.GetTrainingRequest(name=resource_name(training, Kind.TRAINING))
        return convert.training((await self._unary("GetTraining", request)).training)

    async def list_trainings(
        self, subject: SubjectRef, *, labelling: Labelling | None = None, page_size: int = 0
    ) -> AsyncIterator[Training]:
        """All trainings of a subject, newest first.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = trainings_pb2.ListTrainingsRequest(
            parent=resource_name(subject, Kind.SUBJECT), page_size=page_size, **wire_labelling(labelling)
        )
        async for item in self._pages("ListTrainings", request, "trainings"):
            yield convert.training(item)

    async def watch_training(self, training: TrainingRef, *, after_event: int | None = None) -> AsyncIterator[Training]:
        """The training now and on every change, until it is terminal. A gateway that goes away meanwhile is waited for,
        and the watch goes on after the last event seen: each comes once, in order of `event_number`.

        Args:
            training: which.
            after_event: go on after this event, 0 for every event from the creation; default the present first. After
                the last event of a training that is over there is nothing to yield.

        Raises:
            UnavailableError: no gateway answered for `reconnect_seconds`.
            InvalidArgumentError: no event has had the number `after_event`.
            NotFoundError: no such training in this tenant.
        """
        request = trainings_pb2.WatchTrainingRequest(
            name=resource_name(training, Kind.TRAINING), after_event=after_event
        )
        async for message in self._watch(
            "WatchTraining",
            request,
            lambda message: message.training.state in TERMINAL_STATES,
            lambda message: message.training.event_number,
        ):
            yield convert.training(message.training)

    async def wait_training(
        self, training: TrainingRef, *, on_progress: Callable[[Training], None] | None = None
    ) -> Training:
        """The training once it has succeeded; `on_progress` is called with each change.

        Raises:
            JobFailedError: it failed; `reason` and `message` say why.
            CancelledByCallerError: it was cancelled.
            NotFoundError: no such training in this tenant.
        """
        latest: Training | None = None
        async for latest in self.watch_training(training):
            if on_progress is not None:
                on_progress(latest)
        assert latest is not None, "a watch ends with a terminal message"
        latest.raise_for_state()
        return latest

    async def train(
        self,
        subject: SubjectRef,
        options: TrainingOptions | None = None,
        *,
        photos: Iterable[PhotoRef] = (),
        foundation: FoundationRef = "",
        labelling: Labelling | None = None,
        on_progress: Callable[[Training], None] | None = None,
    ) -> Training:
        """Queue a training and wait for its adapter; raises what `create_training` and `wait_training` raise."""
        training = await self.create_training(
            subject, options, photos=photos, foundation=foundation, labelling=labelling
        )
        return await self.wait_training(training, on_progress=on_progress)

    async def cancel_training(self, training: TrainingRef) -> Training:
        """Ask a training to stop; answers at once. A terminal one is left as it is.

        Raises:
            NotFoundError: no such training in this tenant.
        """
        request = trainings_pb2.CancelTrainingRequest(name=resource_name(training, Kind.TRAINING))
        return convert.training((await self._unary("CancelTraining", request)).training)

    async def download_training(self, training: TrainingRef, file: TrainingFile = TrainingFile.ADAPTER) -> bytes:
        """A file of a training that has succeeded.

        Raises:
            FailedPreconditionError: the training has not succeeded.
            NotFoundError: no such training in this tenant, or it left no such file.
            UnavailableError: DOWNLOAD_CUT: the stream ended early; download it again.
        """
        request = trainings_pb2.DownloadTrainingFileRequest(
            name=resource_name(training, Kind.TRAINING), file=f"TRAINING_FILE_{file.name}"
        )
        content, size_bytes = bytearray(), 0
        async for message in self._stream("DownloadTrainingFile", request):
            size_bytes = size_bytes or message.size_bytes
            content += message.chunk
        if len(content) != size_bytes:
            raise UnavailableError(
                "DOWNLOAD_CUT", f"{len(content)} of {size_bytes} bytes of {file} arrived; download it again"
            )
        return bytes(content)
