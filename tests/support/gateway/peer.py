"""Serves a fake trainer or generator over real gRPC, behind the real interceptors."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import grpc.aio
from prometheus_client import CollectorRegistry

from headshots.rpc.server import RunningServer, ServerSettings, start_server
from tests.support.grants import port_of

FOUNDATION_DIGEST = "f0" * 32
"""Of the adapters and the generator of these fakes."""


class Peer(Protocol):
    """A fake trainer or generator."""

    audience: str
    """As grants name it."""

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        ...


async def serve(peer: Peer, home: Path, port: int = 0) -> RunningServer:
    """Starts a fake on an ephemeral port, or again on the port that it had; calls need grants of the home's secret."""
    return await start_server(
        peer.register, ServerSettings(port=port), registry=CollectorRegistry(), internal=port_of(peer.audience, home)
    )
