"""Answers the calls about images of galleries that judge and rank them, and about files of images."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from headshots.errors import InvalidPhotoError
from headshots.imaging.files.formats import sniff
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

    async def VerifyImage(
        self, requests: AsyncIterator[images_pb2.VerifyImageRequest], context: Any
    ) -> images_pb2.VerifyImageResponse:
        """Files that it has painted are signed and known; a JPEG is a screenshot of an erased one."""
        self.enter("VerifyImage")
        parts = [request async for request in requests]
        content = b"".join(part.chunk for part in parts)
        assert len(content) == parts[0].image.size_bytes
        if sniff(content) is None:
            raise InvalidPhotoError("PHOTO_UNDECODABLE", "this is not an image; send JPEG, PNG, WebP")
        digest = hashlib.sha256(content).hexdigest()
        names = [each.name for gallery in self.galleries.values() for each in gallery.images if each.sha256 == digest]
        erased = sniff(content) == "JPEG"
        state = images_pb2.SIGNATURE_STATE_VALID if names else images_pb2.SIGNATURE_STATE_ABSENT
        answer = images_pb2.VerifyImageResponse(
            signature=images_pb2.ImageSignature(state=state, signer="fake" if names else ""),
            made_by_machine=bool(names) or erased,
            made_here=bool(names) or erased,
            yours=bool(names) or erased,
            erased=erased,
            images=names,
        )
        if names:
            answer.metadata.source_type = "trainedAlgorithmicMedia"
            answer.metadata.licence = "https://example.com/licence"
        if erased:
            answer.watermark.CopyFrom(images_pb2.ImageWatermark(mark_id="0123456789abcdef", confidence=0.75))
        return answer


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
