"""Resolves an address to the servers behind it. Blocking."""

from __future__ import annotations

import re
import socket

from headshots.errors import InvalidArgumentError

_DNS_SCHEMES = ("dns:///", "dns:")
_LIST_SCHEMES = ("ipv4:", "ipv6:")
"""gRPC's own lists of addresses, separated by commas."""
_SOCKETS = ("unix:", "unix-abstract:")
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):([1-9][0-9]{0,4})", re.ASCII)
_MOST_PORT = 2**16 - 1


def check_address(variable: str, address: str) -> None:
    """Refuses what leads nowhere: an address is `host:port`, also behind `dns:`, or a list or a socket of gRPC's.

    Raises:
        InvalidArgumentError: SETTING_INVALID, naming the variable.
    """
    lists = next((scheme for scheme in _LIST_SCHEMES if address.startswith(scheme)), None)
    if address.startswith(_SOCKETS) and address not in _SOCKETS:
        return
    bare = next((address.removeprefix(scheme) for scheme in _DNS_SCHEMES if address.startswith(scheme)), address)
    for one in address.removeprefix(lists).split(",") if lists else [bare]:
        found = _HOST_AND_PORT.fullmatch(one)
        if found is None or int(found[1]) > _MOST_PORT:
            told = f"{one!r} in it" if lists else "it"
            raise InvalidArgumentError(
                "SETTING_INVALID",
                f"{variable}={address!r}: {told} is no host:port, as trainer:50052 or [::1]:50052 with a port of 1 to "
                f"{_MOST_PORT}; no scheme as http:// stands before it",
            )


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
