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
from headshots.v1 import gateway_pb2 as g
from headshots.v1 import gateway_pb2_grpc
from headshots.v1 import resources_pb2 as r

API_KEY = "hs_test"
STEPS = 20
STYLES = ("outdoor-park", "studio-grey-blazer", "studio-navy-suit")
ADAPTER = r.Adapter(
    sha256="ab" * 32, key="a/adapter.safetensors", foundation_digest="cd" * 32, rank=4, trigger="sks", size_bytes=9
)


def painted_png(style: str, seed: int) -> bytes:
    """A small picture whose colour tells style and seed."""
    digest = hashlib.sha256(f"{style}/{seed}".encode()).digest()
    packed = io.BytesIO()
    Image.new("RGB", (16, 16), (digest[0], digest[1], digest[2])).save(packed, "PNG")
    return packed.getvalue()


class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """The state of one tenant."""

    def __init__(self) -> None:
        self.subjects: dict[str, r.Subject] = {}
        self.photos: dict[str, list[r.Photo]] = {}
        self.trainings: dict[str, r.Training] = {}
        self.galleries: dict[str, r.Gallery] = {}
        self.by_request_id: dict[str, str] = {}
        self.requests: list[Any] = []
        self.calls: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        self.cut_after: list[int] = []
        self.training_failure: r.Failure | None = None
        self.gallery_failure: r.Failure | None = None
        self.hold_watches = False
        self.cancels_at_once = True
        self.held = threading.Event()

    def _enter(self, method: str, request: Any = None) -> None:
        self.calls[method] += 1
        self.requests.append(request)
        if self.unavailable[method] > 0:
            self.unavailable[method] -= 1
            raise UnavailableError("GATEWAY_STARTING", "the gateway is starting; try again")

    async def GetTenant(self, request: g.GetTenantRequest, context: Any) -> g.GetTenantResponse:
        self._enter("GetTenant", request)
        return g.GetTenantResponse(tenant=r.Tenant(name="tenants/t1", display_name="Test"))

    async def CreateSubject(self, request: g.CreateSubjectRequest, context: Any) -> g.CreateSubjectResponse:
        self._enter("CreateSubject", request)
        name = self.by_request_id.setdefault(request.request_id, f"subjects/s{len(self.subjects)}")
        if name not in self.subjects:
            subject = r.Subject(name=name, display_name=request.display_name, class_noun=request.class_noun)
            subject.create_time.GetCurrentTime()
            self.subjects[name], self.photos[name] = subject, []
        return g.CreateSubjectResponse(subject=self.subjects[name])

    async def GetSubject(self, request: g.GetSubjectRequest, context: Any) -> g.GetSubjectResponse:
        self._enter("GetSubject", request)
        return g.GetSubjectResponse(subject=_find(self.subjects, request.name, "SUBJECT_NOT_FOUND"))

    async def ListSubjects(self, request: g.ListSubjectsRequest, context: Any) -> g.ListSubjectsResponse:
        self._enter("ListSubjects", request)
        items, token = _page(list(self.subjects.values())[::-1], request)
        return g.ListSubjectsResponse(subjects=items, next_page_token=token)

    async def DeleteSubject(self, request: g.DeleteSubjectRequest, context: Any) -> g.DeleteSubjectResponse:
        self._enter("DeleteSubject", request)
        _find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        del self.subjects[request.name]
        return g.DeleteSubjectResponse(deleted_objects=len(self.photos.pop(request.name)))

    async def UploadPhotos(
        self, requests: AsyncIterator[g.UploadPhotosRequest], context: Any
    ) -> g.UploadPhotosResponse:
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
                    r.Photo(
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
        return g.UploadPhotosResponse(photos=stored)

    async def InspectPhotos(
        self, requests: AsyncIterator[g.InspectPhotosRequest], context: Any
    ) -> g.InspectPhotosResponse:
        """Whatever Pillow opens is usable."""
        self._enter("InspectPhotos")
        found: list[g.PhotoInspection] = []
        starts: list[g.CandidatePhoto] = []
        contents: list[bytes] = []
        async for request in requests:
            part = request.WhichOneof("part")
            if part == "header" and request.header.parent:
                stored = _find(self.photos, request.header.parent, "SUBJECT_NOT_FOUND")
                found += [g.PhotoInspection(name=each.name, filename=each.filename, usable=True) for each in stored]
            elif part == "photo":
                starts.append(request.photo)
                contents.append(b"")
            elif part == "chunk":
                contents[-1] += request.chunk
        found += [_inspected(start, content) for start, content in zip(starts, contents, strict=True)]
        usable = sum(photo.usable for photo in found)
        few = g.PhotoFinding(reason="TOO_FEW", message=f"send {6 - usable} more", measured=usable, limit=6)
        return g.InspectPhotosResponse(
            photos=found, usable_count=usable, findings=[few] if usable < 6 else [], ready_to_train=usable >= 6
        )

    async def ListPhotos(self, request: g.ListPhotosRequest, context: Any) -> g.ListPhotosResponse:
        self._enter("ListPhotos", request)
        items, token = _page(_find(self.photos, request.parent, "SUBJECT_NOT_FOUND"), request)
        return g.ListPhotosResponse(photos=items, next_page_token=token)

    async def CreateTraining(self, request: g.CreateTrainingRequest, context: Any) -> g.CreateTrainingResponse:
        self._enter("CreateTraining", request)
        photos = _find(self.photos, request.parent, "SUBJECT_NOT_FOUND")
        if request.photos:
            photos = [photo for photo in photos if photo.name in request.photos]
        if len(photos) < 6:
            raise FailedPreconditionError("TOO_FEW_PHOTOS", f"upload {6 - len(photos)} more photos first")
        name = f"{request.parent}/trainings/t{len(self.trainings)}"
        training = r.Training(
            name=name, state=r.JOB_STATE_PENDING, options=request.options, photo_count=len(photos), queue_place=1
        )
        training.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, name)
            training = self.trainings.setdefault(name, training)
        return g.CreateTrainingResponse(training=training)

    async def GetTraining(self, request: g.GetTrainingRequest, context: Any) -> g.GetTrainingResponse:
        self._enter("GetTraining", request)
        return g.GetTrainingResponse(training=_find(self.trainings, request.name, "TRAINING_NOT_FOUND"))

    async def ListTrainings(self, request: g.ListTrainingsRequest, context: Any) -> g.ListTrainingsResponse:
        self._enter("ListTrainings", request)
        mine = [each for name, each in self.trainings.items() if name.startswith(f"{request.parent}/")]
        items, token = _page(mine[::-1], request)
        return g.ListTrainingsResponse(trainings=items, next_page_token=token)

    async def WatchTraining(
        self, request: g.WatchTrainingRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[g.WatchTrainingResponse]:
        self._enter("WatchTraining", request)
        training = _find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        cut = self.cut_after.pop(0) if self.cut_after else None
        while True:
            if cut == 0:
                raise UnavailableError("GATEWAY_STOPPING", "the gateway is stopping")
            cut = cut - 1 if cut is not None else None
            yield g.WatchTrainingResponse(training=training)
            while self.hold_watches:
                self.held.set()
                await asyncio.sleep(0.02)
            if training.state not in (r.JOB_STATE_PENDING, r.JOB_STATE_RUNNING):
                return
            self._advance_training(training)

    def _advance_training(self, training: r.Training) -> None:
        if self.training_failure is not None and training.step >= STEPS // 2:
            training.state = r.JOB_STATE_FAILED
            training.failure.CopyFrom(self.training_failure)
        elif training.step >= STEPS:
            training.state = r.JOB_STATE_SUCCEEDED
            training.adapter.CopyFrom(ADAPTER)
            training.end_time.GetCurrentTime()
            training.ClearField("eta")
            self.subjects[training.name.partition("/trainings/")[0]].adapter.CopyFrom(ADAPTER)
        else:
            training.state = r.JOB_STATE_RUNNING
            training.step, training.total_steps, training.queue_place = training.step + 5, STEPS, 0
            training.attempt = 1
            training.loss = 1.0 / (1 + training.step)
            training.eta.FromMilliseconds(100 * (STEPS - training.step))
            training.curve.add(step=training.step, loss=training.loss)

    async def CancelTraining(self, request: g.CancelTrainingRequest, context: Any) -> g.CancelTrainingResponse:
        self._enter("CancelTraining", request)
        training = _find(self.trainings, request.name, "TRAINING_NOT_FOUND")
        if self.cancels_at_once and training.state in (r.JOB_STATE_PENDING, r.JOB_STATE_RUNNING):
            training.state = r.JOB_STATE_CANCELLED
        return g.CancelTrainingResponse(training=training)

    async def CreateGallery(self, request: g.CreateGalleryRequest, context: Any) -> g.CreateGalleryResponse:
        self._enter("CreateGallery", request)
        subject = _find(self.subjects, request.parent, "SUBJECT_NOT_FOUND")
        for style in request.styles:
            if style.removeprefix("styles/") not in STYLES:
                raise NotFoundError("STYLE_NOT_FOUND", f"there is no {style}; see ListStyles")
        if not subject.HasField("adapter"):
            raise FailedPreconditionError("NO_ADAPTER", "train the subject first")
        shots = request.shots_per_style or 4
        gallery = r.Gallery(
            name=f"{request.parent}/galleries/g{len(self.galleries)}",
            state=r.JOB_STATE_PENDING,
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
        return g.CreateGalleryResponse(gallery=gallery)

    async def GetGallery(self, request: g.GetGalleryRequest, context: Any) -> g.GetGalleryResponse:
        self._enter("GetGallery", request)
        return g.GetGalleryResponse(gallery=_find(self.galleries, request.name, "GALLERY_NOT_FOUND"))

    async def ListGalleries(self, request: g.ListGalleriesRequest, context: Any) -> g.ListGalleriesResponse:
        self._enter("ListGalleries", request)
        mine = [each for name, each in self.galleries.items() if name.startswith(f"{request.parent}/")]
        items, token = _page(mine[::-1], request)
        return g.ListGalleriesResponse(galleries=items, next_page_token=token)

    async def WatchGallery(self, request: g.WatchGalleryRequest, context: Any) -> AsyncIterator[g.WatchGalleryResponse]:
        self._enter("WatchGallery", request)
        gallery = _find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        cut = self.cut_after.pop(0) if self.cut_after else None
        first_state = gallery.state
        yield g.WatchGalleryResponse(gallery=_without_images(gallery))
        for shot in range(gallery.total_shots):
            if gallery.state == r.JOB_STATE_CANCELLED:
                break
            if shot == cut:
                raise UnavailableError("GATEWAY_STOPPING", "the gateway is stopping")
            if self.gallery_failure is not None and shot == 1:
                gallery.state = r.JOB_STATE_FAILED
                gallery.failure.CopyFrom(self.gallery_failure)
                break
            if request.include_previews:
                yield g.WatchGalleryResponse(preview=_preview(shot))
            image, content = self._paint(gallery, shot)
            yield g.WatchGalleryResponse(image=image, content=content if request.include_content else b"")
        else:
            gallery.state = r.JOB_STATE_SUCCEEDED
        if gallery.state != first_state:
            yield g.WatchGalleryResponse(gallery=_without_images(gallery))

    def _paint(self, gallery: r.Gallery, shot: int) -> tuple[r.Image, bytes]:
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

    async def CancelGallery(self, request: g.CancelGalleryRequest, context: Any) -> g.CancelGalleryResponse:
        self._enter("CancelGallery", request)
        gallery = _find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        gallery.state = r.JOB_STATE_CANCELLED
        return g.CancelGalleryResponse(gallery=gallery)

    async def GetImage(self, request: g.GetImageRequest, context: Any) -> g.GetImageResponse:
        self._enter("GetImage", request)
        name, _, shot = request.name.partition("/images/")
        gallery = _find(self.galleries, name, "IMAGE_NOT_FOUND")
        if int(shot) >= len(gallery.images):
            raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {request.name} yet")
        image = gallery.images[int(shot)]
        return g.GetImageResponse(image=image, content=painted_png(image.style, image.seed))

    async def ListStyles(self, request: g.ListStylesRequest, context: Any) -> g.ListStylesResponse:
        self._enter("ListStyles", request)
        items, token = _page([_style(each) for each in STYLES], request)
        return g.ListStylesResponse(styles=items, next_page_token=token)

    async def GetStyle(self, request: g.GetStyleRequest, context: Any) -> g.GetStyleResponse:
        self._enter("GetStyle", request)
        names = {f"styles/{each}": each for each in STYLES}
        return g.GetStyleResponse(style=_style(_find(names, request.name, "STYLE_NOT_FOUND")))


def _find(where: Mapping[str, Any], name: str, reason: str) -> Any:
    if name not in where:
        raise NotFoundError(reason, f"there is no {name}", metadata={"name": name})
    return where[name]


def _inspected(start: g.CandidatePhoto, content: bytes) -> g.PhotoInspection:
    with contextlib.suppress(OSError), Image.open(io.BytesIO(content)) as image:
        assert len(content) == start.size_bytes
        return g.PhotoInspection(filename=start.filename, usable=True, width_px=image.width, height_px=image.height)
    cause = "PHOTO_UNDECODABLE" if content else "PHOTO_TOO_LARGE"
    broken = g.PhotoFinding(reason="UNDECODABLE", message="the file is no image; send another", cause=cause)
    return g.PhotoInspection(filename=start.filename, findings=[broken])


def _page(items: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    start = int(request.page_token or 0)
    stop = start + (request.page_size or 50)
    return items[start:stop], str(stop) if stop < len(items) else ""


def _style(style: str) -> r.Style:
    outfit = style.rpartition("-")[0]
    return r.Style(
        name=f"styles/{style}",
        display_name=style.replace("-", " ").capitalize(),
        description=f"A portrait in {outfit}.",
        version=1,
        outfit=outfit,
        backdrop="a grey backdrop",
        lighting="soft light",
        framing="head and shoulders",
    )


def _without_images(gallery: r.Gallery) -> r.Gallery:
    bare = r.Gallery()
    bare.CopyFrom(gallery)
    del bare.images[:]
    return bare


def _preview(shot: int) -> g.ShotPreview:
    """A preview of a shot, half way."""
    return g.ShotPreview(shot=shot, step=10, total_steps=20, content=b"\xff\xd8preview")


async def _authenticate(metadata: Mapping[str, str]) -> str:
    if bearer_token(metadata) != API_KEY:
        raise UnauthenticatedError("API_KEY_UNKNOWN", "this key is not known; make one: headshots keys create")
    return "t1"


async def start_fake_gateway(fake: FakeGateway, port: int = 0) -> RunningServer:
    """Serve it on loopback; `await running.stop()` ends it."""

    def register(server: grpc.aio.Server) -> list[str]:
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(fake, server)  # type: ignore[no-untyped-call]
        return ["headshots.v1.GatewayService"]

    settings = ServerSettings(port=port)
    return await start_server(register, settings, registry=CollectorRegistry(), authenticate=_authenticate)


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
