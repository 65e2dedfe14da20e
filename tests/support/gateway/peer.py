"""Serves a fake trainer or generator over real gRPC, behind the real interceptors."""

from __future__ import annotations

from typing import Protocol

import grpc.aio
from prometheus_client import CollectorRegistry

from headshots.rpc.server import RunningServer, ServerSettings, start_server

FOUNDATION_DIGEST = "f0" * 32
"""Of the adapters and the generator of these fakes."""


class Peer(Protocol):
    """A fake trainer or generator."""

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        ...


async def serve(peer: Peer, port: int = 0) -> RunningServer:
    """Starts a fake on an ephemeral port, or again on the port that it had."""
    return await start_server(peer.register, ServerSettings(port=port), registry=CollectorRegistry())
