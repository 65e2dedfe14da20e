"""Resolves an address to the servers behind it. Blocking."""

from __future__ import annotations

import socket

_DNS_SCHEMES = ("dns:///", "dns:")


def replica_addresses(address: str) -> list[str]:
    """`host:port` of every server that the name resolves to now, as with a headless Service of Kubernetes.

    An address that is no `host:port` (`unix:…` and the like) is returned as it is.

    Raises:
        OSError: the name does not resolve.
    """
    name = next((address.removeprefix(scheme) for scheme in _DNS_SCHEMES if address.startswith(scheme)), address)
    host, colon, port = name.rpartition(":")
    if not colon or not port.isdigit():
        return [address]
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return sorted({_host_port(str(entry[4][0]), int(port)) for entry in found})


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
