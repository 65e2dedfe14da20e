"""Opens the port that KEDA calls, where the gateway has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import grpc.aio
from sqlalchemy.engine import Engine

from headshots.errors import UnavailableError
from headshots.rpc.interceptors import ErrorInterceptor
from headshots.rpc.parsing import ParsingInterceptor
from headshots.rpc.ports import check_port
from services.gateway.scaling.queues import KnownPool
from services.gateway.scaling.servicer import ScalerServicer


class ScalerPort:
    """A server of its own, as KEDA has no API key; without TLS, as it tells nothing of anybody."""

    def __init__(self, server: grpc.aio.Server | None = None, port: int | None = None) -> None:
        self._server = server
        self.port = port
        """The real one; None: there is none."""

    async def stop(self) -> None:
        """Ends its streams and closes it."""
        if self._server is not None:
            await self._server.stop(0.0)


class _Settings(Protocol):
    """See `GatewaySettings`."""

    @property
    def host(self) -> str:
        """Address to bind."""

    @property
    def scaler_port(self) -> int | None:
        """None: there is none; 0 takes a free one."""

    @property
    def poll_seconds(self) -> float:
        """Between two looks at the database for a stream."""


async def open_scaler_port(database: Engine, settings: _Settings, pools: Sequence[KnownPool]) -> ScalerPort:
    """Starts it, where the settings have one.

    Raises:
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE.
    """
    host, port = settings.host, settings.scaler_port
    if port is None:
        return ScalerPort()
    check_port(host, port, "HEADSHOTS_GATEWAY_SCALER_PORT")
    interceptors = [ErrorInterceptor(), ParsingInterceptor()]
    server = grpc.aio.server(interceptors=interceptors, options=[("grpc.so_reuseport", 0)])
    ScalerServicer(database, pools, poll_seconds=settings.poll_seconds).register(server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise UnavailableError("ADDRESS_IN_USE", f"cannot listen on {host}:{port} for KEDA: {error}") from error
    await server.start()
    return ScalerPort(server, bound)
