"""Signs calls of internal ports, as a gateway does, for tests that call a trainer or a generator themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from headshots.errors import HeadshotsError
from headshots.rpc.channel import error_from_rpc
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.port import InternalPort
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.internal.signing import Signer
from headshots.v1 import generator_pb2 as g
from services.generator.servicer import tenant_rights

KEY_FILE = "internal-key"
"""Where a home has the secret."""


def port_of(audience: str, home: Path) -> InternalPort:
    """How a service in this home closes its port: grants, and no TLS."""
    return InternalPort(audience, InternalSettings(home / KEY_FILE))


def signer_of(home: Path) -> Signer:
    """Signs with the home's secret."""
    return Signer(Secret(home / KEY_FILE))


def wide_enough(audience: str, method: str, request: Any) -> Grant:
    """The grant that allows just what the request names."""
    if isinstance(request, g.CheckGenerationRequest):
        request = request.request
    rights = ""
    reads = [photo.key for photo in getattr(request, "photos", ())]
    if isinstance(request, g.GenerateRequest):
        pictures = (request.source.picture, request.source.mask)
        reads = [request.adapter.key, *(picture.stored.key for picture in pictures)]
        rights = tenant_rights(request).digest if request.HasField("rights") else ""
    return Grant(
        audience,
        method,
        tenant=getattr(request, "tenant", ""),
        reads=tuple(filter(None, reads)),
        writes=getattr(request, "output_prefix", ""),
        job=getattr(request, "job_id", ""),
        adapter=getattr(request, "sha256", ""),
        rights=rights,
    )


async def refusal(call: Any) -> HeadshotsError:
    """The error that a call, or a stream at any message, is answered with."""
    with pytest.raises(grpc.RpcError) as caught:
        await (_drained(call) if hasattr(call, "__aiter__") else call)
    return error_from_rpc(caught.value)


async def _drained(call: Any) -> None:
    async for _ in call:
        pass


class SignedStub:
    """A stub whose calls bring a grant that is wide enough for their request."""

    def __init__(self, stub: Any, audience: str, home: Path) -> None:
        self._stub, self._audience, self._signer = stub, audience, signer_of(home)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._stub, method)

        def signed(request: Any, **options: Any) -> Any:
            grant = wide_enough(self._audience, method, request)
            return call(request, metadata=self._signer.metadata(grant), **options)

        return signed
