"""Starts, probes and drains a gRPC server; the same for every service."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry, start_http_server

from headshots.errors import UnavailableError
from headshots.rpc.auth import Authenticator
from headshots.rpc.interceptors import AuthInterceptor, ErrorInterceptor, MetricsInterceptor
from headshots.rpc.parsing import ParsingInterceptor
from headshots.rpc.ports import check_port
from headshots.rpc.validation import ValidationInterceptor

log = logging.getLogger(__name__)

# Adds a service's servicers to the server and returns the services' full names.
Register = Callable[[grpc.aio.Server], Sequence[str]]


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens. Port 0 takes a free one."""

    # Address to bind; loopback unless told otherwise.
    host: str = "127.0.0.1"
    port: int = 0
    # Prometheus over HTTP.
    metrics_port: int = 0
    # Largest message accepted or sent, in bytes.
    max_message_bytes: int = 4 * 2**20
    # Seconds after which a connection takes no new calls (give or take a tenth; running ones go on). Clients look a
    # name's addresses up only when they connect, so this is how soon replicas that were added get calls.
    connection_age_seconds: float = 120.0
    # What comes before PORT and METRICS_PORT in the variables that set them; for errors.
    prefix: str = ""


class RunningServer:
    """A started server. ``port`` and ``metrics_port`` are the real ones."""

    def __init__(
        self, server: grpc.aio.Server, health: HealthServicer, services: Sequence[str], port: int, metrics: Any
    ) -> None:
        self._server = server
        self._health = health
        self._services = ("", *services)
        self._metrics_server, self._metrics_thread = metrics
        self.port = port
        self.metrics_port = int(self._metrics_server.server_port)

    async def set_serving(self, serving: bool) -> None:
        """Answer SERVING or NOT_SERVING to the health probes of every service."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in self._services:
            await self._health.set(service, status)

    async def stop(self, drain_seconds: float = 0.0) -> None:
        """Refuse new calls, give running ones ``drain_seconds``, close both ports."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(drain_seconds)
        await asyncio.to_thread(self._metrics_server.shutdown)
        self._metrics_server.server_close()
        await asyncio.to_thread(self._metrics_thread.join)


async def start_server(
    register: Register,
    settings: ServerSettings,
    *,
    registry: CollectorRegistry,
    authenticate: Authenticator | None = None,
    within: Sequence[grpc.aio.ServerInterceptor] = (),
    serving: bool = True,
) -> RunningServer:
    """Start a server with our interceptors, health v1, reflection and metrics.

    ``within`` run within authentication, where the tenant is known. ``serving=False`` starts with health NOT_SERVING,
    for services that still have to warm up.

    Raises:
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE, naming the port and the variable that sets it.
    """
    check_port(settings.host, settings.port, f"{settings.prefix}PORT")
    check_port(settings.host, settings.metrics_port, f"{settings.prefix}METRICS_PORT")
    server = grpc.aio.server(interceptors=_interceptors(registry, authenticate, within), options=_options(settings))
    services = list(register(server))
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection(
        [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME], server
    )
    try:
        port = server.add_insecure_port(f"{settings.host}:{settings.port}")
        metrics = start_http_server(settings.metrics_port, addr=settings.host, registry=registry)
    except (RuntimeError, OSError) as error:
        raise UnavailableError(
            "ADDRESS_IN_USE",
            f"cannot listen on {settings.host}:{settings.port} (metrics {settings.metrics_port}): {error}",
        ) from error
    await server.start()
    running = RunningServer(server, health, services, port, metrics)
    await running.set_serving(serving)
    log.info("listening on %s:%d, metrics on %d", settings.host, port, running.metrics_port)
    return running


def _interceptors(
    registry: CollectorRegistry, authenticate: Authenticator | None, within: Sequence[grpc.aio.ServerInterceptor]
) -> list[grpc.aio.ServerInterceptor]:
    """Outermost first: whatever is refused is counted, and told as one of our errors."""
    found: list[grpc.aio.ServerInterceptor] = [MetricsInterceptor(registry), ErrorInterceptor()]
    if authenticate is not None:
        found += [AuthInterceptor(authenticate), *within]
    return [*found, ParsingInterceptor(), ValidationInterceptor()]


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # Images go out whole; what comes in is what needs a limit.
        ("grpc.max_send_message_length", max(settings.max_message_bytes, 32 * 2**20)),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_connection_age_ms", round(settings.connection_age_seconds * 1000)),
        # Clients ping once a minute through silent streams; the default takes that for an attack after three.
        ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ]


async def run_until_signal(
    running: RunningServer, *, drain_seconds: float, drain: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait for SIGTERM or SIGINT; then stop answering probes, call ``drain``, and stop the server."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await stopping.wait()
    log.info("draining")
    await running.set_serving(False)
    if drain is not None:
        await drain()
    await running.stop(drain_seconds)
