"""Checks that a port can be listened on before a server tries: gRPC's own error names neither cure nor port."""

from __future__ import annotations

import errno
import socket

from headshots.errors import UnavailableError

_CONNECT_SECONDS = 1.0


def check_port(host: str, port: int, variable: str) -> None:
    """Return where a server could listen on `host:port` now; port 0 takes any. `variable` sets the port.

    Raises:
        UnavailableError: ADDRESS_IN_USE; ADDRESS_UNUSABLE: no address of this machine, or not ours to take.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UnavailableError("ADDRESS_UNUSABLE", f"cannot listen on {host}:{port}: {error.strerror}") from error
    tries = [_bind(family, address) for family, _, _, _, address in found]
    failed = [each for each in tries if each is not None]
    if any(each.errno == errno.EADDRINUSE for each in failed):
        raise UnavailableError(
            "ADDRESS_IN_USE",
            f"cannot listen on {host}:{port}: another program does, perhaps another `headshots serve`. Stop that one, "
            f"or choose another port with {variable}",
        )
    # A name may stand for addresses of both families, of which this machine has one.
    if len(failed) == len(found):
        raise UnavailableError(
            "ADDRESS_UNUSABLE",
            f"cannot listen on {host}:{port}: {failed[0].strerror}. Choose another port with {variable}",
        )


def is_answered(address: str) -> bool:
    """Whether somebody takes connections at `host:port` (of IPv6 `[host]:port`) of this machine now."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _bind(family: int, address: tuple[object, ...]) -> OSError | None:
    """What binding the address says, as servers do it: without minding connections of the past."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None
