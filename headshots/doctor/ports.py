"""Looks at the ports that a service listens on: free, or its own already."""

from __future__ import annotations

from collections.abc import Mapping

from headshots.doctor.findings import Finding, failed, ok, warning
from headshots.errors import UnavailableError
from headshots.processes.serving import health
from headshots.rpc.ports import check_port
from headshots.rpc.server import ServerSettings

PROBE_SECONDS = 3.0
"""Within which a health probe is answered."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def answers(server: ServerSettings, service: str) -> bool:
    """Whether that gRPC service answers a health probe there, on the port for probes where there is one."""
    host = _EVERYWHERE.get(server.host, server.host)
    ports = [port for port in (server.health_port, server.port) if port]
    addresses = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for port in ports]
    return any(health(address, service, timeout_seconds=PROBE_SECONDS) is not None for address in addresses)


def look(
    server: ServerSettings, service: str, more: Mapping[str, int | None] | None = None, *, tls: bool = False
) -> Finding:
    """Whether all ports are free; where they are not, whether it is the service itself that has them.

    Args:
        server: where the service listens.
        service: a gRPC service of it, as health probes name it.
        more: other ports of the same host, by the variable that sets each; None is not used.
        tls: whether the port takes holders of a certificate only, so that a probe need not be answered.
    """
    ports = {**server.ports, **{name: port for name, port in (more or {}).items() if port is not None}}
    taken: list[str] = []
    for variable, port in ports.items():
        try:
            check_port(server.host, port, variable)
        except UnavailableError as error:
            taken.append(str(error))
    used = ", ".join(f"{port}" for port in ports.values() if port)
    if not taken:
        return ok(f"free: {used}")
    if answers(server, service):
        return ok(f"the service runs here and answers its health probe: {used}")
    cure = "stop what listens there (`ss -ltnp` tells what), or choose other ports"
    if tls and server.health_port is None and len(taken) == len([port for port in ports.values() if port]):
        return warning(f"taken, perhaps by the service itself, which answers no probe without TLS: {used}", cure)
    return failed("; ".join(taken), cure)
