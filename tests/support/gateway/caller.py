"""Calls a gateway as a tenant does, over real gRPC."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc.aio
import numpy as np
import pytest
from PIL import Image

from headshots.client.stub import GatewayStub
from headshots.errors import HeadshotsError
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, subjects_pb2, trainings_pb2
from tests.support.consents import MESSAGE
from tests.support.waiting import PATIENCE_SECONDS

CHUNK_BYTES = 1000
_MOST_CHUNKS = 8


def selfie(number: int, format_name: str = "JPEG", size: tuple[int, int] = (72, 64)) -> bytes:
    """A photo file: another picture for each number."""
    rng = np.random.default_rng(number)
    coarse_HWC = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse_HWC).resize(size, Image.Resampling.BICUBIC).save(out, format_name)
    return out.getvalue()


class Caller:
    """A tenant's client: the generated stub with the tenant's key; it raises the errors of our tree."""

    def __init__(self, channel: grpc.aio.Channel, key: str | None) -> None:
        self.stub = GatewayStub(channel)
        self.metadata = () if key is None else (("authorization", f"Bearer {key}"),)

    async def __call__(self, method: str, request: Any) -> Any:
        """One unary call."""
        try:
            return await getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def stream(self, method: str, request: Any) -> AsyncIterator[Any]:
        """One server-streaming call."""
        call = getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE_SECONDS)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
        finally:
            call.cancel()

    async def subject(self, **fields: Any) -> str:
        """Creates a subject, which consents unless told otherwise; its name."""
        request = subjects_pb2.CreateSubjectRequest(**{"consent": MESSAGE, **fields})
        return str((await self("CreateSubject", request)).subject.name)

    async def send(self, messages: Iterable[photos_pb2.UploadPhotosRequest]) -> list[photos_pb2.Photo]:
        """One upload stream of exactly these messages."""
        try:
            answer = await self.stub.UploadPhotos(iter(messages), metadata=self.metadata, timeout=PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
        return list(answer.photos)

    async def upload(self, subject: str, *photos: bytes) -> list[photos_pb2.Photo]:
        """One well-formed upload."""
        return await self.send(upload_messages(subject, *photos))

    async def trained_subject(self, **fields: Any) -> str:
        """A subject with six photos and a finished training."""
        subject = await self.subject(**fields)
        await self.upload(subject, *map(selfie, range(6)))
        training = await self.finished_training((await self.create_training(subject)).name)
        assert training.state == jobs_pb2.JOB_STATE_SUCCEEDED
        return subject

    async def create_training(self, subject: str, **fields: Any) -> trainings_pb2.Training:
        """Creates a training."""
        request = trainings_pb2.CreateTrainingRequest(parent=subject, **fields)
        training = (await self("CreateTraining", request)).training
        assert isinstance(training, trainings_pb2.Training)
        return training

    async def get_training(self, name: str) -> trainings_pb2.Training:
        """GetTraining."""
        training = (await self("GetTraining", trainings_pb2.GetTrainingRequest(name=name))).training
        assert isinstance(training, trainings_pb2.Training)
        return training

    async def finished_training(self, name: str) -> trainings_pb2.Training:
        """The training once it has ended."""
        async for _ in self.watch_training(name):
            pass
        return await self.get_training(name)

    def watch_training(self, name: str) -> AsyncIterator[Any]:
        """WatchTraining."""
        return self.stream("WatchTraining", trainings_pb2.WatchTrainingRequest(name=name))

    async def gallery(self, subject: str, styles: Iterable[str] = ("studio-navy-suit",), **fields: Any) -> str:
        """Creates a gallery; its name."""
        request = galleries_pb2.CreateGalleryRequest(
            parent=subject, styles=[f"styles/{style}" for style in styles], **fields
        )
        return str((await self("CreateGallery", request)).gallery.name)

    async def finished_gallery(self, name: str) -> galleries_pb2.Gallery:
        """The gallery once it has ended."""
        async for _ in self.stream("WatchGallery", galleries_pb2.WatchGalleryRequest(name=name)):
            pass
        gallery = (await self("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
        assert isinstance(gallery, galleries_pb2.Gallery)
        return gallery


def upload_messages(subject: str, *photos: bytes) -> list[photos_pb2.UploadPhotosRequest]:
    """The messages of a well-formed upload: a header, then each photo in chunks."""
    messages = [photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=subject))]
    for number, photo in enumerate(photos):
        start = photos_pb2.PhotoStart(filename=f"{number}.jpg", size_bytes=len(photo))
        messages.append(photos_pb2.UploadPhotosRequest(photo=start))
        size = max(CHUNK_BYTES, -(-len(photo) // _MOST_CHUNKS))
        messages += [photos_pb2.UploadPhotosRequest(chunk=photo[at : at + size]) for at in range(0, len(photo), size)]
    return messages


@contextlib.contextmanager
def refused(cls: type[HeadshotsError], reason: str) -> Any:
    """The block must fail with exactly this class and reason; yields pytest's record of it."""
    with pytest.raises(HeadshotsError) as caught:
        yield caught
    assert (type(caught.value), caught.value.reason) == (cls, reason)
