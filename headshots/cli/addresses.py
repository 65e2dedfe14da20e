"""Tells where the services listen that run on this machine, by the variables that set it."""

from __future__ import annotations

from collections.abc import Mapping

PORTS = {"gateway": 50051, "trainer": 50052, "generator": 50053}
# Where a server that listens everywhere is found on its own machine.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def listening_host(service: str, environ: Mapping[str, str]) -> str:
    """The address that a service binds."""
    return environ.get(f"HEADSHOTS_{service.upper()}_HOST") or "127.0.0.1"


def local_address(service: str, environ: Mapping[str, str]) -> str:
    """`host:port` at which a service of this machine is found.

    Raises:
        InvalidArgumentError: SETTING_INVALID: its variable is no port.
    """
    from headshots.settings import read_port

    host = listening_host(service, environ)
    host = _EVERYWHERE.get(host, host)
    port = read_port(environ, f"HEADSHOTS_{service.upper()}_PORT", PORTS[service])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
