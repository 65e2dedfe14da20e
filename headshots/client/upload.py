"""Sends photos as one client stream, to be stored, to be inspected, or to be told where they come from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc

from headshots.client.connection import CHANNEL_OPTIONS, Connection
from headshots.client.convert.labels import wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.stub import GatewayStub
from headshots.rpc.channel import channel_arguments
from headshots.v1 import images_pb2, photos_pb2

CHUNK_BYTES = 512 * 1024
# Of a larger file the size is announced and nothing sent; see the contract's PhotoStart and CandidatePhoto.
MAX_PHOTO_BYTES = 20 * 2**20
PhotoSource = str | os.PathLike[str] | bytes


class PhotoUpload(Connection):
    """The client-streamed calls.

    They go through gRPC's blocking stack, on a channel of their own: a server that refuses a photo ends the call while
    the next message is being written, and grpc.aio (1.85) may then report "Internal error from Core" in place of the
    server's reason.
    """

    async def _upload(
        self, parent: str, photos: Sequence[PhotoSource], labellings: Sequence[Labelling | None]
    ) -> Sequence[Any]:
        header = photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent=parent))
        answer = await self._send("UploadPhotos", header, photos, _is_sent, labellings)
        return list(answer.photos)

    async def _inspect(self, parent: str, photos: Sequence[PhotoSource]) -> photos_pb2.InspectPhotosResponse:
        header = photos_pb2.InspectPhotosRequest(header=photos_pb2.InspectPhotosHeader(parent=parent))
        answer = await self._send("InspectPhotos", header, photos, _is_sent)
        assert isinstance(answer, photos_pb2.InspectPhotosResponse)
        return answer

    async def _verify(self, file: PhotoSource) -> images_pb2.VerifyImageResponse:
        described = await asyncio.to_thread(_describe, file)
        start = images_pb2.VerifyImageRequest(image=images_pb2.ImageStart(size_bytes=described["size_bytes"]))
        answer = await self._send_parts("VerifyImage", _Parts(start, [file], [{}], bool))
        assert isinstance(answer, images_pb2.VerifyImageResponse)
        return answer

    async def _send(
        self,
        method: str,
        header: Any,
        photos: Sequence[PhotoSource],
        has_body: Callable[[int], bool],
        labellings: Sequence[Labelling | None] | None = None,
    ) -> Any:
        """The answer to a stream that opens with this header; `has_body` tells by its size whether a photo is sent.

        `labellings` has one for each photo; None: they get none.
        """
        labelled = [None] * len(photos) if labellings is None else labellings
        if len(labelled) != len(photos):
            raise ValueError(f"{len(labelled)} labellings for {len(photos)} photos; give one for all, or one for each")
        # Before anything is sent, so that a path that cannot be read costs nothing.
        described = await asyncio.to_thread(
            lambda: [{**_describe(photo), **wire_labelling(its)} for photo, its in zip(photos, labelled, strict=True)]
        )
        return await self._send_parts(method, _Parts(header, photos, described, has_body))

    async def _send_parts(self, method: str, parts: _Parts) -> Any:
        with self._blocking_channel() as channel:
            stub = GatewayStub(channel)
            try:
                with self._calling(method) as metadata:
                    call = getattr(stub, method).future(
                        iter(parts),
                        timeout=self._upload_timeout,
                        metadata=metadata,
                        wait_for_ready=self._wait_for_gateway,
                    )
                    await _done(call)
                    return call.result()
            except grpc.RpcError as error:
                raise parts.failure or self._error_from(error) from error

    def _blocking_channel(self) -> grpc.Channel:
        options = channel_arguments(self._address, CHANNEL_OPTIONS)
        if self._root_certificates is None:
            return grpc.insecure_channel(self._address, options)
        credentials = grpc.ssl_channel_credentials(self._root_certificates)
        return grpc.secure_channel(self._address, credentials, options)


class _Parts:
    """The messages of a stream, all of the header's type. A file that cannot be read ends them early and is kept as
    `failure`. What is described by nothing is described by the header already."""

    def __init__(
        self,
        header: Any,
        photos: Sequence[PhotoSource],
        described: Sequence[Mapping[str, Any]],
        has_body: Callable[[int], bool],
    ) -> None:
        self.failure: OSError | None = None
        self._header = header
        self._photos = zip(photos, described, strict=True)
        self._has_body = has_body

    def __iter__(self) -> Iterator[Any]:
        message = type(self._header)
        yield self._header
        for photo, start in self._photos:
            # Announced before it is read: should reading fail, the server sees a photo cut short and stores nothing.
            if start:
                yield message(photo=start)
                if not self._has_body(start["size_bytes"]):
                    continue
            try:
                content = photo if isinstance(photo, bytes) else Path(photo).read_bytes()
            except OSError as error:
                self.failure = error
                return
            for offset in range(0, len(content), CHUNK_BYTES):
                yield message(chunk=content[offset : offset + CHUNK_BYTES])


def _is_sent(size_bytes: int) -> bool:
    return size_bytes <= MAX_PHOTO_BYTES


async def _done(call: grpc.Future[Any]) -> None:
    """Wait for a call of the blocking stack without blocking; cancelled with the task that waits."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: grpc.Future[Any]) -> None:
        loop.call_soon_threadsafe(done.set)

    call.add_done_callback(wake)
    try:
        await done.wait()
    except asyncio.CancelledError:
        call.cancel()
        raise


def _describe(photo: PhotoSource) -> dict[str, Any]:
    """File name and size in bytes, as the contract names them."""
    if isinstance(photo, bytes):
        return {"filename": "", "size_bytes": len(photo)}
    with Path(photo).open("rb") as file:
        return {"filename": Path(photo).name[:255], "size_bytes": os.fstat(file.fileno()).st_size}
