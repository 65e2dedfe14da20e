"""Resolves an address to the servers behind it. Blocking."""

from __future__ import annotations

import socket

_DNS_SCHEMES = ("dns:///", "dns:")
_LIST_SCHEMES = ("ipv4:", "ipv6:")
"""gRPC's own lists of addresses, separated by commas."""


def replica_addresses(address: str) -> list[str]:
    """`host:port` of every server that the name resolves to now, as with a headless Service of Kubernetes.

    A list of gRPC's, as `ipv4:10.0.0.1:50053,10.0.0.2:50053`, is taken apart. An address that is no `host:port`
    (`unix:…` and the like) is returned as it is.

    Raises:
        OSError: the name does not resolve.
    """
    for scheme in _LIST_SCHEMES:
        if address.startswith(scheme):
            return sorted(set(address.removeprefix(scheme).split(",")))
    name = next((address.removeprefix(scheme) for scheme in _DNS_SCHEMES if address.startswith(scheme)), address)
    host, colon, port = name.rpartition(":")
    if not colon or not port.isdigit():
        return [address]
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return sorted({_host_port(str(entry[4][0]), int(port)) for entry in found})


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
