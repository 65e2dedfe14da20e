"""Answers the calls about ranked images: every accepted image ranks after those before it."""

from __future__ import annotations

from typing import Any

from headshots.errors import NotFoundError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.fake_gateway.state import FakeState, find, page


class FakeImages(FakeState):
    """Images of the galleries."""

    async def ListImages(
        self, request: galleries_pb2.ListImagesRequest, context: Any
    ) -> galleries_pb2.ListImagesResponse:
        self.enter("ListImages", request)
        gallery = find(self.galleries, request.parent, "GALLERY_NOT_FOUND")
        images = ranked(gallery.images)
        if request.order == galleries_pb2.IMAGE_ORDER_RANK:
            images.sort(key=lambda image: image.rank or 1000)
        shown = [
            image
            for image in images
            if request.acceptance in (images_pb2.ACCEPTANCE_UNSPECIFIED, image.verdict.acceptance)
            and (not request.styles or image.style in request.styles)
            and (not request.max_rank or 0 < image.rank <= request.max_rank)
        ]
        items, token = page(shown, request)
        return galleries_pb2.ListImagesResponse(images=items, next_page_token=token)

    async def RegenerateImage(
        self, request: galleries_pb2.RegenerateImageRequest, context: Any
    ) -> galleries_pb2.RegenerateImageResponse:
        self.enter("RegenerateImage", request)
        parent, _, shot = request.name.partition("/images/")
        old = find(self.galleries, parent, "IMAGE_NOT_FOUND")
        if int(shot) >= len(old.images):
            raise NotFoundError("IMAGE_NOT_FOUND", f"there is no {request.name}", metadata={"name": request.name})
        gallery = galleries_pb2.Gallery(
            name=f"{parent.partition('/galleries/')[0]}/galleries/g{len(self.galleries)}",
            state=jobs_pb2.JOB_STATE_PENDING,
            styles=[old.images[int(shot)].style],
            shots_per_style=1,
            seed=old.images[int(shot)].seed + 1000,
            total_shots=1,
            max_tries=request.max_tries or old.max_tries,
            regenerates=request.name,
        )
        if not request.validate_only:
            gallery = self.galleries.setdefault(
                self.by_request_id.setdefault(request.request_id, gallery.name), gallery
            )
        return galleries_pb2.RegenerateImageResponse(gallery=gallery)


def ranked(images: Any) -> list[images_pb2.Image]:
    """Copies of the images, the accepted ones with their ranks: the last painted is the best."""
    copies = []
    for image in images:
        copies.append(images_pb2.Image())
        copies[-1].CopyFrom(image)
    accepted = [image for image in copies if image.verdict.acceptance == images_pb2.ACCEPTANCE_ACCEPTED]
    for rank, image in enumerate(reversed(accepted), start=1):
        image.rank = rank
    return copies
