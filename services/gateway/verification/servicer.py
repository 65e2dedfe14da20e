"""Answers the RPC about any image's file: decode, one engine call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import images_pb2, images_pb2_grpc
from services.gateway.verification import convert
from services.gateway.verification.engine import VerificationEngine


class ImageServicer(images_pb2_grpc.ImageServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: VerificationEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        images_pb2_grpc.add_ImageServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [images_pb2.DESCRIPTOR.services_by_name["ImageService"].full_name]

    async def VerifyImage(
        self, requests: AsyncIterator[images_pb2.VerifyImageRequest], context: Any
    ) -> images_pb2.VerifyImageResponse:
        """Tells where an image file comes from."""
        return convert.origin(await self._engine.verify(current_tenant(), convert.image_parts(requests)))
