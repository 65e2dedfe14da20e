"""Starts, probes and drains a gRPC server; the same for every service."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry, start_http_server

from headshots.errors import UnavailableError
from headshots.event_loop import running_loop
from headshots.rpc.auth import Authenticator
from headshots.rpc.counting import MetricsInterceptor
from headshots.rpc.interceptors import AuthInterceptor, CallInterceptor, ErrorInterceptor
from headshots.rpc.internal.port import InternalPort
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
    # Answers health probes and nothing else, without TLS, for probes that speak none; None: there is no such port.
    health_port: int | None = None
    # Largest message accepted or sent, in bytes.
    max_message_bytes: int = 4 * 2**20
    # Seconds after which a connection takes no new calls (give or take a tenth; running ones go on). Clients look a
    # name's addresses up only when they connect, so this is how soon replicas that were added get calls.
    connection_age_seconds: float = 120.0
    # What comes before HOST, PORT, METRICS_PORT and HEALTH_PORT in the variables that set them; for errors.
    prefix: str = ""

    @property
    def ports(self) -> dict[str, int]:
        """Ports that are used, by the variable that sets each."""
        ports = {"PORT": self.port, "METRICS_PORT": self.metrics_port, "HEALTH_PORT": self.health_port}
        return {f"{self.prefix}{name}": port for name, port in ports.items() if port is not None}


class RunningServer:
    """A started server. ``port``, ``metrics_port`` and ``health_port`` (None: there is none) are the real ones."""

    def __init__(
        self,
        server: grpc.aio.Server,
        health: HealthServicer,
        services: Sequence[str],
        port: int,
        metrics: Any,
        prober: tuple[grpc.aio.Server, int] | None = None,
    ) -> None:
        self._server = server
        self._prober = prober[0] if prober is not None else None
        self.health_port = prober[1] if prober is not None else None
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
        if self._prober is not None:
            await self._prober.stop(0.0)
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
    internal: InternalPort | None = None,
    serving: bool = True,
) -> RunningServer:
    """Start a server with our interceptors, health v1, reflection and metrics.

    ``authenticate`` tells whose API key a call brings, and ``within`` run within it, where the tenant is known;
    ``internal`` closes a port that is for our own services. ``serving=False`` starts with health NOT_SERVING, for
    services that still have to warm up.

    Raises:
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE, naming the port and the variable that sets it.
        InvalidArgumentError: see :class:`headshots.rpc.internal.port.InternalPort`.
    """
    credentials = internal.credentials(settings.host, f"{settings.prefix}HOST", registry) if internal else None
    _check_ports(settings)
    counting = MetricsInterceptor(registry)
    found = _interceptors(counting, authenticate, within, internal)
    server = grpc.aio.server(interceptors=found, options=_options(settings))
    services = list(register(server))
    counting.count_from_zero(services)
    health = _add_health_and_reflection(server, services)
    with _naming_the_address(settings):
        port = _bind(server, settings, credentials)
        prober = _bind_prober(settings, health)
        metrics = start_http_server(settings.metrics_port, addr=settings.host, registry=registry)
    await server.start()
    running = RunningServer(server, health, services, port, metrics, prober)
    await running.set_serving(serving)
    if prober is not None:
        await prober[0].start()
    where = (settings.host, port, running.metrics_port)
    log.info("listening on %s:%d, metrics on %d, event loop %s", *where, running_loop())
    return running


def _add_health_and_reflection(server: grpc.aio.Server, services: Sequence[str]) -> HealthServicer:
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    return health


def _check_ports(settings: ServerSettings) -> None:
    for variable, port in settings.ports.items():
        check_port(settings.host, port, variable)


@contextlib.contextmanager
def _naming_the_address(settings: ServerSettings) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise UnavailableError(
            "ADDRESS_IN_USE",
            f"cannot listen on {settings.host}:{settings.port} (metrics {settings.metrics_port}): {error}",
        ) from error


def _bind(server: grpc.aio.Server, settings: ServerSettings, credentials: grpc.ServerCredentials | None) -> int:
    address = f"{settings.host}:{settings.port}"
    if credentials is None:
        return server.add_insecure_port(address)
    return server.add_secure_port(address, credentials)


def _bind_prober(settings: ServerSettings, health: HealthServicer) -> tuple[grpc.aio.Server, int] | None:
    """A server for health probes alone, and its port."""
    if settings.health_port is None:
        return None
    prober = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(health, prober)
    port = prober.add_insecure_port(f"{settings.host}:{settings.health_port}")
    return prober, port


def _interceptors(
    counting: MetricsInterceptor,
    authenticate: Authenticator | None,
    within: Sequence[grpc.aio.ServerInterceptor],
    internal: InternalPort | None,
) -> list[grpc.aio.ServerInterceptor]:
    """Outermost first: whatever is refused is counted, and told as one of our errors."""
    found: list[grpc.aio.ServerInterceptor] = [CallInterceptor(), counting, ErrorInterceptor()]
    if authenticate is not None:
        found += [AuthInterceptor(authenticate), *within]
    if internal is not None:
        found.append(internal.guard())
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
