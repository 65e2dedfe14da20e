"""Ports are free, the service's own already, or somebody else's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from headshots.doctor.findings import Finding, State
from headshots.doctor.ports import look
from headshots.rpc.server import ServerSettings, start_server
from tests.support.ports import free_port

SERVICE = "headshots.v1.TenantService"


@contextmanager
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


async def looked_at(serving: bool, service: str = SERVICE) -> Finding:
    """What is found while a server listens there, which serves or not."""
    port = free_port()
    registry = CollectorRegistry()
    running = await start_server(lambda _: [SERVICE], ServerSettings(port=port), registry=registry, serving=serving)
    try:
        return await asyncio.to_thread(look, ServerSettings(port=port, metrics_port=running.metrics_port), service)
    finally:
        await running.stop()


def test_free_ports_are_fine() -> None:
    port = free_port()
    found = look(ServerSettings(port=port), SERVICE, {"HEADSHOTS_GATEWAY_LINKS_PORT": None})
    assert (found.state, found.seen) == (State.OK, f"free: {port}")


def test_another_program_on_a_port_is_told_with_the_variable() -> None:
    with taken() as port:
        settings = ServerSettings(port=free_port(), metrics_port=port, prefix="HEADSHOTS_TRAINER_")
        found = look(settings, SERVICE)
        more = look(ServerSettings(port=free_port()), SERVICE, {"HEADSHOTS_GATEWAY_LINKS_PORT": port})
    assert found.state is more.state is State.FAILED
    assert "HEADSHOTS_TRAINER_METRICS_PORT" in found.seen
    assert "HEADSHOTS_GATEWAY_LINKS_PORT" in more.seen
    assert found.cure


async def test_the_service_itself_may_have_them_also_while_it_starts_or_drains() -> None:
    for serving in (True, False):
        found = await looked_at(serving)
        assert found.state is State.OK
        assert found.seen.startswith("the service runs here")


async def test_another_service_of_ours_is_another_program() -> None:
    assert (await looked_at(True, "headshots.v1.TrainerService")).state is State.FAILED


def test_a_port_behind_tls_that_answers_no_probe_is_a_warning() -> None:
    with taken() as port:
        found = look(ServerSettings(port=port), SERVICE, tls=True)
        probed = look(ServerSettings(port=port, health_port=free_port()), SERVICE, tls=True)
    assert (found.state, probed.state) == (State.WARNING, State.FAILED)
