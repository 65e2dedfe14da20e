"""The servers behind one address. Blocking."""

from __future__ import annotations

import socket

_DNS_SCHEMES = ("dns:///", "dns:")


def replica_addresses(address: str) -> list[str]:
    """`host:port` of every server that the name stands for now, as a headless Service of Kubernetes answers it.

    An address that is no `host:port` (`unix:…` and the like) stands for one server, which it names itself.

    Raises:
        OSError: the name is not known.
    """
    name = next((address.removeprefix(scheme) for scheme in _DNS_SCHEMES if address.startswith(scheme)), address)
    host, colon, port = name.rpartition(":")
    if not colon or not port.isdigit():
        return [address]
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return sorted({_written(str(entry[4][0]), int(port)) for entry in found})


def _written(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
