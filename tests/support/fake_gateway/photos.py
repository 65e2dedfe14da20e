"""Answers the calls about photos; whatever Pillow opens is a usable photo."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import AsyncIterator
from typing import Any

from PIL import Image

from headshots.errors import InvalidPhotoError, NotFoundError
from headshots.v1 import photos_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page, relabel


class FakePhotos(FakeState):
    """Photos by subject."""

    async def UploadPhotos(
        self, requests: AsyncIterator[photos_pb2.UploadPhotosRequest], context: Any
    ) -> photos_pb2.UploadPhotosResponse:
        self.enter("UploadPhotos")
        parent, photos, contents = "", [], []
        async for request in requests:
            part = request.WhichOneof("part")
            if part == "header":
                parent = request.header.parent
                find(self.subjects, parent, "SUBJECT_NOT_FOUND")
            elif part == "photo":
                photos.append(request.photo)
                contents.append(b"")
            else:
                contents[-1] += request.chunk
        stored = []
        for number, (photo, content) in enumerate(zip(photos, contents, strict=True)):
            if photo.size_bytes > 20 * 2**20:
                told = f"photos[{number}] ({photo.filename}): the photo has {photo.size_bytes} bytes"
                raise InvalidPhotoError("PHOTO_TOO_LARGE", told, metadata={"photo": str(number)})
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
                        **labelled(photo),
                    )
                )
                continue
            message = f"photos[{number}] ({photo.filename}): the file is no image; send another"
            raise InvalidPhotoError("PHOTO_UNDECODABLE", message, metadata={"photo": str(number)})
        self.photos[parent] += stored
        self.subjects[parent].photo_count = len(self.photos[parent])
        return photos_pb2.UploadPhotosResponse(photos=stored)

    async def InspectPhotos(
        self, requests: AsyncIterator[photos_pb2.InspectPhotosRequest], context: Any
    ) -> photos_pb2.InspectPhotosResponse:
        """Whatever Pillow opens is usable."""
        self.enter("InspectPhotos")
        found: list[photos_pb2.PhotoInspection] = []
        starts: list[photos_pb2.CandidatePhoto] = []
        contents: list[bytes] = []
        async for request in requests:
            part = request.WhichOneof("part")
            if part == "header" and request.header.parent:
                stored = find(self.photos, request.header.parent, "SUBJECT_NOT_FOUND")
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
        self.enter("ListPhotos", request)
        items, token = page(find(self.photos, request.parent, "SUBJECT_NOT_FOUND"), request)
        return photos_pb2.ListPhotosResponse(photos=items, next_page_token=token)

    async def UpdatePhoto(self, request: photos_pb2.UpdatePhotoRequest, context: Any) -> photos_pb2.UpdatePhotoResponse:
        self.enter("UpdatePhoto", request)
        stored = find(self.photos, request.name.partition("/photos/")[0], "SUBJECT_NOT_FOUND")
        photo = find({photo.name: photo for photo in stored}, request.name, "PHOTO_NOT_FOUND")
        relabel(photo, request)
        return photos_pb2.UpdatePhotoResponse(photo=photo)

    async def DeletePhoto(self, request: photos_pb2.DeletePhotoRequest, context: Any) -> photos_pb2.DeletePhotoResponse:
        self.enter("DeletePhoto", request)
        parent = request.name.partition("/photos/")[0]
        kept = [photo for photo in find(self.photos, parent, "SUBJECT_NOT_FOUND") if photo.name != request.name]
        if len(kept) == len(self.photos[parent]):
            raise NotFoundError("PHOTO_NOT_FOUND", f"there is no {request.name}", metadata={"name": request.name})
        self.photos[parent] = kept
        self.subjects[parent].photo_count = len(kept)
        return photos_pb2.DeletePhotoResponse()


def _inspected(start: photos_pb2.CandidatePhoto, content: bytes) -> photos_pb2.PhotoInspection:
    with contextlib.suppress(OSError), Image.open(io.BytesIO(content)) as image:
        assert len(content) == start.size_bytes
        return photos_pb2.PhotoInspection(
            filename=start.filename, usable=True, width_px=image.width, height_px=image.height
        )
    cause = "PHOTO_UNDECODABLE" if content else "PHOTO_TOO_LARGE"
    broken = photos_pb2.PhotoFinding(reason="UNDECODABLE", message="the file is no image; send another", cause=cause)
    return photos_pb2.PhotoInspection(filename=start.filename, findings=[broken])
