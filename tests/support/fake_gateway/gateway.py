"""A gateway held in memory that speaks real gRPC behind our real interceptors, for tests of clients.

Jobs advance while they are watched. `calls` counts calls by method; `unavailable` makes the next calls of a method
fail; `cut_after` ends the next watch after so many messages, as a server that dies does; `hold_watches` stops
trainings after a watch's first message; without `cancels_at_once` a training hears of a cancellation and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import grpc.aio
from PIL import Image
from prometheus_client import CollectorRegistry

from headshots.errors import (
    FailedPreconditionError,
    InvalidPhotoError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from headshots.rpc.auth import bearer_token
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import (
    adapters_pb2,
    galleries_pb2,
    images_pb2,
    jobs_pb2,
    photos_pb2,
    styles_pb2,
    subjects_pb2,
    tenants_pb2,
    trainings_pb2,
)
from tests.support.public_servicer import PublicServicer

API_KEY = "hs_test"
STEPS = 20
STYLES = ("outdoor-park", "studio-grey-blazer", "studio-navy-suit")
ADAPTER = adapters_pb2.Adapter(
    sha256="ab" * 32, key="a/adapter.safetensors", foundation_digest="cd" * 32, rank=4, trigger="sks", size_bytes=9
)


def painted_png(style: str, seed: int) -> bytes:
    """A small picture whose colour tells style and seed."""
    digest = hashlib.sha256(f"{style}/{seed}".encode()).digest()
    packed = io.BytesIO()
    Image.new("RGB", (16, 16), (digest[0], digest[1], digest[2])).save(packed, "PNG")
    return packed.getvalue()


class FakeGateway(PublicServicer):
    """The state of one tenant."""

    def __init__(self) -> None:
        self.subjects: dict[str, subjects_pb2.Subject] = {}
        self.photos: dict[str, list[photos_pb2.Photo]] = {}
        self.trainings: dict[str, trainings_pb2.Training] = {}
        self.galleries: dict[str, galleries_pb2.Gallery] = {}
        self.by_request_id: dict[str, str] = {}
        self.requests: list[Any] = []
        self.calls: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        self.cut_after: list[int] = []
        self.training_failure: jobs_pb2.Failure | None = None
        self.gallery_failure: jobs_pb2.Failure | None = None
        self.hold_watches = False
        self.cancels_at_once = True
        self.held = threading.Event()

    def _enter(self, method: str, request: Any = None) -> None:
        self.calls[method] += 1
        self.requests.append(request)
        if self.unavailable[method] > 0:
            self.unavailable[method] -= 1
            raise UnavailableError("GATEWAY_STARTING", "the gateway is starting; try again")

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        self._enter("GetTenant", request)
        return tenants_pb2.GetTenantResponse(tenant=tenants_pb2.Tenant(name="tenants/t1", display_name="Test"))

    async def CreateSubject(
        self, request: subjects_pb2.CreateSubjectRequest, context: Any
    ) -> subjects_pb2.CreateSubjectResponse:
        self._enter("CreateSubject", request)
        name = self.by_request_id.setdefault(request.request_id, f"subjects/s{len(self.subjects)}")
        if name not in self.subjects:
            subject = subjects_pb2.Subject(name=name, display_name=request.display_name, class_noun=request.class_noun)
            subject.create_time.GetCurrentTime()
            self.subjects[name], self.photos[name] = subject, []
        return subjects_pb2.CreateSubjectResponse(subject=self.subjects[name])

    async def GetSubject(
        self, request: subjects_pb2.GetSubjectRequest, context: Any
    ) -> subjects_pb2.GetSubjectResponse:
        self._enter("GetSubject", request)
        return subjects_pb2.GetSubjectResponse(subject=_find(self.subjects, request.name, "SUBJECT_NOT_FOUND"))

    async def ListSubjects(
        self, request: subjects_pb2.ListSubjectsRequest, context: Any
    ) -> subjects_pb2.ListSubjectsResponse:
        self._enter("ListSubjects", request)
        items, token = _page(list(self.subjects.values())[::-1], request)
        return subjects_pb2.ListSubjectsResponse(subjects=items, next_page_token=token)

    async def DeleteSubject(
        self, request: subjects_pb2.DeleteSubjectRequest, context: Any
    ) -> subjects_pb2.DeleteSubjectResponse:
        self._enter("DeleteSubject", request)
        _find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        del self.subjects[request.name]
        return subjects_pb2.DeleteSubjectResponse(deleted_objects=len(self.photos.pop(request.name)))

    async def UploadPhotos(
        self, requests: AsyncIterator[photos_pb2.UploadPhotosRequest], context: Any
    ) -> photos_pb2.UploadPhotosResponse:
        self._enter("UploadPhotos")
        parent, photos, contents = "", [], []
        async for request in requests:
            part = request.WhichOneof("part")
            if part == "header":
                parent = request.header.parent
                _find(self.subjects, parent, "SUBJECT_NOT_FOUND")
            elif part == "photo":
                photos.append(request.photo)
                contents.append(b"")
            else:
                contents[-1] += request.chunk
        stored = []
        for number, (photo, content) in enumerate(zip(photos, contents, strict=True)):
            assert len(content) == photo.size_bytes
            with contextlib.suppress(OSError), Image.open(io.BytesIO(content)) as image:
                digest = hashlib.sha256(content).hexdigest()
                stored.append(
                    photos_pb2.Photo(
                        name=f"{parent}/photos/{digest[:32]}",
                        sha256=digest,
                        size_bytes=len(content),
                        width_px=image.width,
                        height_px=image.height,
                        filename=photo.filename,
                    )
                )
                continue
            message = f"photo {number} ({photo.filename}) is not an image"
            raise InvalidPhotoError("PHOTO_UNDECODABLE", message, metadata={"photo": str(number)})
        self.photos[parent] += stored
        self.subjects[parent].photo_count = len(self.photos[parent])
        return photos_pb2.UploadPhotosResponse(photos=stored)

    async def InspectPhotos(
        self, requests: AsyncIterator[photos_pb2.InspectPhotosRequest], context: Any
    ) -> photos_pb2.InspectPhotosResponse:
        """Whatever Pillow opens is usable."""
        self._enter("InspectPhotos")
        found: list[photos_pb2.PhotoInspection] = []
        starts: list[photos_pb2.CandidatePhoto] = []
        contents: list[bytes] = []
        async for request in requests:
            part = request.WhichOneof("part")
            if part == "header" and request.header.parent:
                stored = _find(self.photos, request.header.parent, "SUBJECT_NOT_FOUND")
                found += [
                    photos_pb2.PhotoInspection(name=each.name, filename=each.filename, usable=True) for each in stored
                ]
            elif part == "photo":
                starts.append(request.photo)
                contents.append(b"")
            elif part == "chunk":
                contents[-1] += request.chunk
        found += [_inspected(start, content) for start, content in zip(starts, contents, strict=True)]
        usable = sum(photo.usable for photo in found)
        few = photos_pb2.PhotoFinding(reason="TOO_FEW", message=f"send {6 - usable} more", measured=usable, limit=6)
        return photos_pb2.InspectPhotosResponse(
            photos=found, usable_count=usable, findings=[few] if usable < 6 else [], ready_to_train=usable >= 6
        )

    async def ListPhotos(self, request: photos_pb2.ListPhotosRequest, context: Any) -> photos_pb2.ListPhotosResponse:
        self._enter("ListPhotos", request)
        items, token = _page(_find(self.photos, request.parent, "SUBJECT_NOT_FOUND"), request)
        return photos_pb2.ListPhotosResponse(photos=items, next_page_token=token)

    async def CreateTraining(
        self, request: trainings_pb2.CreateTrainingRequest, context: Any
    ) -> trainings_pb2.CreateTrainingResponse:
        self._enter("CreateTraining", request)
        photos = _find(self.photos, request.parent, "SUBJECT_NOT_FOUND")
        if request.photos:
            photos = [photo for photo in photos if photo.name in request.photos]
        if len(photos) < 6:
            raise FailedPreconditionError("TOO_FEW_PHOTOS", f"upload {6 - len(photos)} more photos first")
        name = f"{request.parent}/trainings/t{len(self.trainings)}"
        training = trainings_pb2.Training(
            name=name, state=jobs_pb2.JOB_STATE_PENDING, options=request.options, photo_count=len(photos), queue_place=1
        )
        training.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, name)
            training = self.trainings.setdefault(name, training)
        return trainings_pb2.CreateTrainingResponse(training=training)

    async def GetTraining(
        self, request: trainings_pb2.GetTrainingRequest, context: Any
    ) -> trainings_pb2.GetTrainingResponse:
        self._enter("GetTraining", request)
        return trainings_pb2.GetTrainingResponse(training=_find(self.trainings, request.name, "TRAINING_NOT_FOUND"))

    async def ListTrainings(
        self, request: trainings_pb2.ListTrainingsRequest, context: Any
    ) -> trainings_pb2.ListTrainingsResponse:
        self._enter("ListTrainings", request)
        mine = [each for name, each in self.trainings.items() if name.startswith(f"{request.parent}/")]
        items, token = _page(mine[::-1], request)
        return trainings_pb2.ListTrainingsResponse(trainings=items, next_page_token=token)

    async def WatchTraining(
        self, request: trainings_pb2.WatchTrainingRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        self._enter("WatchTraining", request)
        training = _find(self.trainings, request.name, "TRAINING_NOT_FOUND")
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
            self.subjects[training.name.partition("/trainings/")[0]].adapter.CopyFrom(ADAPTER)
        else:
            training.state = jobs_pb2.JOB_STATE_RUNNING
            training.step, training.total_steps, training.queue_place = training.step + 5, STEPS, 0
            training.attempt = 1
            training.loss = 1.0 / (1 + training.step)
            training.eta.FromMilliseconds(100 * (STEPS - training.step))
            training.curve.add(step=training.step, loss=training.loss)

    async def CancelTraining(
        self, request: trainings_pb2.CancelTrainingRequest, context: Any
    ) -> trainings_pb2.CancelTrainingResponse:
        self._enter("CancelTraining", request)
        training = _find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        if self.cancels_at_once and training.state in (jobs_pb2.JOB_STATE_PENDING, jobs_pb2.JOB_STATE_RUNNING):
            training.state = jobs_pb2.JOB_STATE_CANCELLED
        return trainings_pb2.CancelTrainingResponse(training=training)

    async def CreateGallery(
        self, request: galleries_pb2.CreateGalleryRequest, context: Any
    ) -> galleries_pb2.CreateGalleryResponse:
        self._enter("CreateGallery", request)
        subject = _find(self.subjects, request.parent, "SUBJECT_NOT_FOUND")
        for style in request.styles:
            if style.removeprefix("styles/") not in STYLES:
                raise NotFoundError("STYLE_NOT_FOUND", f"there is no {style}; see ListStyles")
        if not subject.HasField("adapter"):
            raise FailedPreconditionError("NO_ADAPTER", "train the subject first")
        shots = request.shots_per_style or 4
        gallery = galleries_pb2.Gallery(
            name=f"{request.parent}/galleries/g{len(self.galleries)}",
            state=jobs_pb2.JOB_STATE_PENDING,
            styles=request.styles,
            shots_per_style=shots,
            seed=request.seed,
            total_shots=shots * len(request.styles),
            adapter_sha256=subject.adapter.sha256,
            remix=request.remix if request.HasField("remix") else None,
        )
        gallery.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, gallery.name)
            gallery = self.galleries.setdefault(name, gallery)
        return galleries_pb2.CreateGalleryResponse(gallery=gallery)

    async def GetGallery(
        self, request: galleries_pb2.GetGalleryRequest, context: Any
    ) -> galleries_pb2.GetGalleryResponse:
        self._enter("GetGallery", request)
        return galleries_pb2.GetGalleryResponse(gallery=_find(self.galleries, request.name, "GALLERY_NOT_FOUND"))

    async def ListGalleries(
        self, request: galleries_pb2.ListGalleriesRequest, context: Any
    ) -> galleries_pb2.ListGalleriesResponse:
        self._enter("ListGalleries", request)
        mine = [each for name, each in self.galleries.items() if name.startswith(f"{request.parent}/")]
        items, token = _page(mine[::-1], request)
        return galleries_pb2.ListGalleriesResponse(galleries=items, next_page_token=token)

    async def WatchGallery(
        self, request: galleries_pb2.WatchGalleryRequest, context: Any
    ) -> AsyncIterator[galleries_pb2.WatchGalleryResponse]:
        self._enter("WatchGallery", request)
        gallery = _find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        cut = self.cut_after.pop(0) if self.cut_after else None
        first_state = gallery.state
        yield galleries_pb2.WatchGalleryResponse(gallery=_without_images(gallery))
        for shot in range(gallery.total_shots):
            if gallery.state == jobs_pb2.JOB_STATE_CANCELLED:
                break
            if shot == cut:
                raise UnavailableError("GATEWAY_STOPPING", "the gateway is stopping")
            if self.gallery_failure is not None and shot == 1:
                gallery.state = jobs_pb2.JOB_STATE_FAILED
                gallery.failure.CopyFrom(self.gallery_failure)
                break
            if request.include_previews:
                yield galleries_pb2.WatchGalleryResponse(preview=_preview(shot))
            image, content = self._paint(gallery, shot)
            yield galleries_pb2.WatchGalleryResponse(image=image, content=content if request.include_content else b"")
        else:
            gallery.state = jobs_pb2.JOB_STATE_SUCCEEDED
        if gallery.state != first_state:
            yield galleries_pb2.WatchGalleryResponse(gallery=_without_images(gallery))

    def _paint(self, gallery: galleries_pb2.Gallery, shot: int) -> tuple[images_pb2.Image, bytes]:
        style = gallery.styles[shot // gallery.shots_per_style]
        seed = gallery.seed + shot % gallery.shots_per_style
        content = painted_png(style, seed)
        if shot == len(gallery.images):
            gallery.images.add(
                name=f"{gallery.name}/images/{shot}",
                style=style,
                prompt=f"a photo of sks in {style}",
                seed=seed,
                width_px=16,
                height_px=16,
                content_type="image/png",
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                seconds=0.5,
            )
            gallery.completed_shots = shot + 1
        return gallery.images[shot], content

    async def CancelGallery(
        self, request: galleries_pb2.CancelGalleryRequest, context: Any
    ) -> galleries_pb2.CancelGalleryResponse:
        self._enter("CancelGallery", request)
        gallery = _find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        gallery.state = jobs_pb2.JOB_STATE_CANCELLED
        return galleries_pb2.CancelGalleryResponse(gallery=gallery)

    async def GetImage(self, request: galleries_pb2.GetImageRequest, context: Any) -> galleries_pb2.GetImageResponse:
        self._enter("GetImage", request)
        name, _, shot = request.name.partition("/images/")
        gallery = _find(self.galleries, name, "IMAGE_NOT_FOUND")
        if int(shot) >= len(gallery.images):
            raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {request.name} yet")
        image = gallery.images[int(shot)]
        return galleries_pb2.GetImageResponse(image=image, content=painted_png(image.style, image.seed))

    async def ListStyles(self, request: styles_pb2.ListStylesRequest, context: Any) -> styles_pb2.ListStylesResponse:
        self._enter("ListStyles", request)
        items, token = _page([_style(each) for each in STYLES], request)
        return styles_pb2.ListStylesResponse(styles=items, next_page_token=token)

    async def GetStyle(self, request: styles_pb2.GetStyleRequest, context: Any) -> styles_pb2.GetStyleResponse:
        self._enter("GetStyle", request)
        names = {f"styles/{each}": each for each in STYLES}
        return styles_pb2.GetStyleResponse(style=_style(_find(names, request.name, "STYLE_NOT_FOUND")))


def _find(where: Mapping[str, Any], name: str, reason: str) -> Any:
    if name not in where:
        raise NotFoundError(reason, f"there is no {name}", metadata={"name": name})
    return where[name]


def _inspected(start: photos_pb2.CandidatePhoto, content: bytes) -> photos_pb2.PhotoInspection:
    with contextlib.suppress(OSError), Image.open(io.BytesIO(content)) as image:
        assert len(content) == start.size_bytes
        return photos_pb2.PhotoInspection(
            filename=start.filename, usable=True, width_px=image.width, height_px=image.height
        )
    cause = "PHOTO_UNDECODABLE" if content else "PHOTO_TOO_LARGE"
    broken = photos_pb2.PhotoFinding(reason="UNDECODABLE", message="the file is no image; send another", cause=cause)
    return photos_pb2.PhotoInspection(filename=start.filename, findings=[broken])


def _page(items: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    start = int(request.page_token or 0)
    stop = start + (request.page_size or 50)
    return items[start:stop], str(stop) if stop < len(items) else ""


def _style(style: str) -> styles_pb2.Style:
    outfit = style.rpartition("-")[0]
    return styles_pb2.Style(
        name=f"styles/{style}",
        display_name=style.replace("-", " ").capitalize(),
        description=f"A portrait in {outfit}.",
        version=1,
        outfit=outfit,
        backdrop="a grey backdrop",
        lighting="soft light",
        framing="head and shoulders",
    )


def _without_images(gallery: galleries_pb2.Gallery) -> galleries_pb2.Gallery:
    bare = galleries_pb2.Gallery()
    bare.CopyFrom(gallery)
    del bare.images[:]
    return bare


def _preview(shot: int) -> galleries_pb2.ShotPreview:
    """A preview of a shot, half way."""
    return galleries_pb2.ShotPreview(shot=shot, step=10, total_steps=20, content=b"\xff\xd8preview")


async def _authenticate(metadata: Mapping[str, str]) -> str:
    if bearer_token(metadata) != API_KEY:
        raise UnauthenticatedError("API_KEY_UNKNOWN", "this key is not known; make one: headshots keys create")
    return "t1"


async def start_fake_gateway(fake: FakeGateway, port: int = 0) -> RunningServer:
    """Serve it on loopback; `await running.stop()` ends it."""
    settings = ServerSettings(port=port)
    return await start_server(fake.register, settings, registry=CollectorRegistry(), authenticate=_authenticate)


@contextlib.contextmanager
def fake_gateway_in_thread() -> Iterator[tuple[FakeGateway, str]]:
    """A gateway and its address, on a loop in another thread, as another process would have it."""
    fake = FakeGateway()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = asyncio.run_coroutine_threadsafe(start_fake_gateway(fake), loop).result()
    try:
        yield fake, f"127.0.0.1:{running.port}"
    finally:
        asyncio.run_coroutine_threadsafe(running.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
