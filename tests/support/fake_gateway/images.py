"""Answers the calls about images of galleries that judge and rank them."""

from __future__ import annotations

from typing import Any

from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.fake_gateway.state import FakeState, find, page, relabel

REFUSED_SEED = 13
"""An image of this seed is refused, whatever its style: its eyes are closed."""
UNMEASURED_SEED = 17
"""Of an image of this seed nothing could be measured."""


class FakeImages(FakeState):
    """All images but those of one seed are accepted; the later one ranks higher."""

    async def ListImages(
        self, request: galleries_pb2.ListImagesRequest, context: Any
    ) -> galleries_pb2.ListImagesResponse:
        self.enter("ListImages", request)
        gallery = find(self.galleries, request.parent, "GALLERY_NOT_FOUND")
        found = [
            image
            for image in ranked_images(gallery)
            if request.acceptance in (images_pb2.ACCEPTANCE_UNSPECIFIED, image.verdict.acceptance)
            and (not request.styles or image.style in request.styles)
            and (not request.max_rank or 0 < image.rank <= request.max_rank)
        ]
        if request.order == galleries_pb2.IMAGE_ORDER_RANK:
            found.sort(key=lambda image: (image.rank == 0, image.rank))
        items, token = page(found, request)
        return galleries_pb2.ListImagesResponse(images=items, next_page_token=token)

    async def UpdateImage(
        self, request: galleries_pb2.UpdateImageRequest, context: Any
    ) -> galleries_pb2.UpdateImageResponse:
        self.enter("UpdateImage", request)
        gallery = find(self.galleries, request.name.partition("/images/")[0], "GALLERY_NOT_FOUND")
        image = find({image.name: image for image in gallery.images}, request.name, "IMAGE_NOT_FOUND")
        relabel(image, request)
        return galleries_pb2.UpdateImageResponse(image=image)

    async def RegenerateImage(
        self, request: galleries_pb2.RegenerateImageRequest, context: Any
    ) -> galleries_pb2.RegenerateImageResponse:
        self.enter("RegenerateImage", request)
        old = find(self.galleries, request.name.partition("/images/")[0], "GALLERY_NOT_FOUND")
        disliked = find({image.name: image for image in old.images}, request.name, "IMAGE_NOT_FOUND")
        gallery = galleries_pb2.Gallery(
            name=f"{old.name.rpartition('/')[0]}/g{len(self.galleries)}",
            state=jobs_pb2.JOB_STATE_PENDING,
            styles=[disliked.style],
            shots_per_style=1,
            style_shots=[1],
            seed=disliked.seed + old.total_shots,
            total_shots=1,
            adapter_sha256=old.adapter_sha256,
            profile=old.profile,
            profile_version=old.profile_version,
            max_tries=request.max_tries or old.max_tries,
            regenerates=request.name,
        )
        gallery.create_time.GetCurrentTime()
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, gallery.name) if request.request_id else ""
            gallery = self.galleries.setdefault(name or gallery.name, gallery)
        return galleries_pb2.RegenerateImageResponse(gallery=gallery)


def likeness_of(seed: int) -> float | None:
    """What the fake measured of an image; None: nothing."""
    return None if seed == UNMEASURED_SEED else 0.9


def verdict_of(profile: str, seed: int) -> images_pb2.Verdict:
    """What the fake says of an image."""
    passed = seed != REFUSED_SEED
    acceptance = images_pb2.ACCEPTANCE_ACCEPTED if passed else images_pb2.ACCEPTANCE_REFUSED
    check = images_pb2.Check(
        reason="EYES_CLOSED",
        passed=passed,
        measured=0.9 if passed else 0.1,
        limit=0.4,
        message=f"The eyes have {'90' if passed else '10'}% of their contrast in the photos; 40% are needed.",
    )
    if seed == UNMEASURED_SEED:
        acceptance = images_pb2.ACCEPTANCE_NOT_MEASURED
        check = images_pb2.Check(reason="NOT_MEASURED", message="measuring failed")
    return images_pb2.Verdict(
        acceptance=acceptance, profile=profile, profile_version=1, analyzer="fake-1", checks=[check]
    )


def ranked_images(gallery: galleries_pb2.Gallery) -> list[images_pb2.Image]:
    """Copies of a gallery's images with their ranks."""
    images = []
    for image in gallery.images:
        copy = images_pb2.Image()
        copy.CopyFrom(image)
        images.append(copy)
    accepted = [image for image in images if image.verdict.acceptance == images_pb2.ACCEPTANCE_ACCEPTED]
    for rank, image in enumerate(reversed(accepted), start=1):
        image.rank = rank
    return images
