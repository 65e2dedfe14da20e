"""Answers the calls about galleries, which are painted while they are watched."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnavailableError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.fake_gateway.images import likeness_of, ranked_images, verdict_of
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.state import FakeState, find, labelled, page
from tests.support.fake_gateway.styles import STYLES


class FakeGalleries(FakeState):
    """Galleries and their images, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.parts_known = True
        """Whether its analyzer tells a backdrop and clothes from the rest."""

    async def CreateGallery(
        self, request: galleries_pb2.CreateGalleryRequest, context: Any
    ) -> galleries_pb2.CreateGalleryResponse:
        self.enter("CreateGallery", request)
        subject = find(self.subjects, request.parent, "SUBJECT_NOT_FOUND")
        for style in request.styles:
            if style.removeprefix("styles/") not in STYLES:
                raise NotFoundError("STYLE_NOT_FOUND", f"there is no {style}; see ListStyles")
        if not subject.HasField("adapter"):
            raise FailedPreconditionError("NO_ADAPTER", "train the subject first")
        styles = list(request.styles)
        if changes := bool(request.remix.change):
            styles = [self._source(request.remix.image).style]
            if not self.parts_known and request.remix.change != galleries_pb2.REMIX_CHANGE_LIGHT:
                raise FailedPreconditionError("REMIX_PARTS_UNKNOWN", "the analyzer does not tell its backdrop")
        elif not styles:
            raise InvalidArgumentError("CONSTRAINT_VIOLATED", "styles: must have 1 to 32 styles")
        counts = list(request.style_shots) or [request.shots_per_style or (1 if changes else 4)] * len(styles)
        gallery = galleries_pb2.Gallery(
            name=f"{request.parent}/galleries/g{len(self.galleries)}",
            state=jobs_pb2.JOB_STATE_PENDING,
            styles=styles,
            shots_per_style=counts[0] if len(set(counts)) == 1 else 0,
            style_shots=counts,
            seed=request.seed,
            style_seeds=request.style_seeds or galleries_pb2.STYLE_SEEDS_SAME,
            total_shots=sum(counts),
            profile=request.profile or "profiles/profile-worthy",
            profile_version=1,
            max_tries=request.max_tries or (4 if changes else 1),
            adapter_sha256=subject.adapter.sha256,
            **labelled(request),
            remix=request.remix if request.HasField("remix") else None,
        )
        gallery.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, gallery.name)
            gallery = self.galleries.setdefault(name, gallery)
        return galleries_pb2.CreateGalleryResponse(gallery=gallery)

    def _source(self, name: str) -> images_pb2.Image:
        """The image that a remix changes; its style is kept."""
        gallery = find(self.galleries, name.partition("/images/")[0], "IMAGE_NOT_FOUND")
        found = next((image for image in gallery.images if image.name == name), None)
        if found is None:
            raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {name}")
        if found.verdict.acceptance == images_pb2.ACCEPTANCE_REFUSED:
            raise FailedPreconditionError("REMIX_OF_REFUSED_IMAGE", f"{name} was refused by its profile")
        return found

    async def GetGallery(
        self, request: galleries_pb2.GetGalleryRequest, context: Any
    ) -> galleries_pb2.GetGalleryResponse:
        self.enter("GetGallery", request)
        gallery = _without_images(find(self.galleries, request.name, "GALLERY_NOT_FOUND"))
        gallery.images.extend(ranked_images(self.galleries[request.name]))
        return galleries_pb2.GetGalleryResponse(gallery=gallery)

    async def ListGalleries(
        self, request: galleries_pb2.ListGalleriesRequest, context: Any
    ) -> galleries_pb2.ListGalleriesResponse:
        self.enter("ListGalleries", request)
        mine = [each for name, each in self.galleries.items() if name.startswith(f"{request.parent}/")]
        items, token = page(mine[::-1], request)
        return galleries_pb2.ListGalleriesResponse(galleries=map(_without_images, items), next_page_token=token)

    async def WatchGallery(
        self, request: galleries_pb2.WatchGalleryRequest, context: Any
    ) -> AsyncIterator[galleries_pb2.WatchGalleryResponse]:
        self.enter("WatchGallery", request)
        gallery = find(self.galleries, request.name, "GALLERY_NOT_FOUND")
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
            is_met = gallery.accepted_shots == gallery.total_shots
            gallery.guarantee = galleries_pb2.GUARANTEE_MET if is_met else galleries_pb2.GUARANTEE_NOT_MET
        if gallery.state != first_state:
            yield galleries_pb2.WatchGalleryResponse(gallery=_without_images(gallery))

    def _paint(self, gallery: galleries_pb2.Gallery, shot: int) -> tuple[images_pb2.Image, bytes]:
        counts = zip(gallery.styles, gallery.style_shots, strict=True)
        places = [(style, place) for style, count in counts for place in range(count)]
        style, place = places[shot]
        seed = first_seed(gallery, style) + place
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
                likeness=likeness_of(seed),
                verdict=verdict_of(gallery.profile, seed),
                tries=1,
            )
            gallery.completed_shots = gallery.tries = shot + 1
            accepted = gallery.images[shot].verdict.acceptance == images_pb2.ACCEPTANCE_ACCEPTED
            gallery.accepted_shots += accepted
        return gallery.images[shot], content

    async def CancelGallery(
        self, request: galleries_pb2.CancelGalleryRequest, context: Any
    ) -> galleries_pb2.CancelGalleryResponse:
        self.enter("CancelGallery", request)
        gallery = find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        gallery.state = jobs_pb2.JOB_STATE_CANCELLED
        return galleries_pb2.CancelGalleryResponse(gallery=gallery)

    async def GetImage(self, request: galleries_pb2.GetImageRequest, context: Any) -> galleries_pb2.GetImageResponse:
        self.enter("GetImage", request)
        name, _, shot = request.name.partition("/images/")
        gallery = find(self.galleries, name, "IMAGE_NOT_FOUND")
        if int(shot) >= len(gallery.images):
            raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {request.name} yet")
        image = gallery.images[int(shot)]
        return galleries_pb2.GetImageResponse(image=image, content=painted_png(image.style, image.seed))

    async def CreateImageLinks(
        self, request: galleries_pb2.CreateImageLinksRequest, context: Any
    ) -> galleries_pb2.CreateImageLinksResponse:
        self.enter("CreateImageLinks", request)
        existing = {image.name for image in find(self.galleries, request.parent, "GALLERY_NOT_FOUND").images}
        links = []
        for image in request.images:
            if image not in existing:
                raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {image}")
            link = galleries_pb2.ImageLink(image=image, url=f"http://images.example.com/{image}")
            link.expire_time.FromSeconds(request.valid_seconds or 3600)
            links.append(link)
        return galleries_pb2.CreateImageLinksResponse(links=links)

    async def DeleteGallery(
        self, request: galleries_pb2.DeleteGalleryRequest, context: Any
    ) -> galleries_pb2.DeleteGalleryResponse:
        self.enter("DeleteGallery", request)
        gallery = find(self.galleries, request.name, "GALLERY_NOT_FOUND")
        del self.galleries[request.name]
        return galleries_pb2.DeleteGalleryResponse(deleted_objects=len(gallery.images))

    async def DeleteImage(
        self, request: galleries_pb2.DeleteImageRequest, context: Any
    ) -> galleries_pb2.DeleteImageResponse:
        self.enter("DeleteImage", request)
        gallery = find(self.galleries, request.name.partition("/images/")[0], "GALLERY_NOT_FOUND")
        for number, image in enumerate(gallery.images):
            if image.name == request.name:
                del gallery.images[number]
        return galleries_pb2.DeleteImageResponse()


def first_seed(gallery: galleries_pb2.Gallery, style: str) -> int:
    """Of a style's first shot, as the contract tells it."""
    if gallery.style_seeds != galleries_pb2.STYLE_SEEDS_VARIED:
        return gallery.seed
    digest = hashlib.sha256(style.removeprefix("styles/").encode()).digest()
    return (gallery.seed + int.from_bytes(digest[:4], "big")) % 2**32


def _without_images(gallery: galleries_pb2.Gallery) -> galleries_pb2.Gallery:
    bare = galleries_pb2.Gallery()
    bare.CopyFrom(gallery)
    del bare.images[:]
    return bare


def _preview(shot: int) -> galleries_pb2.ShotPreview:
    """A preview of a shot, half way."""
    return galleries_pb2.ShotPreview(shot=shot, step=10, total_steps=20, content=b"\xff\xd8preview")
