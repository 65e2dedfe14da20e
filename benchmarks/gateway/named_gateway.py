"""Runs a gateway for which one name resolves to several addresses of this machine, as a headless Service's does.

``python -m benchmarks.gateway.named_gateway NAME ADDRESS…``, with a gateway's variables.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

from services.gateway.__main__ import main


def resolve(name: str, addresses: list[str]) -> None:
    """From now on the name has these addresses in this process, in the way of Python's own look-ups."""
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        if host != name:
            return system(host, port, *arguments, **named)
        return [entry for address in addresses for entry in system(address, port, *arguments, **named)]

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    resolve(sys.argv[1], sys.argv[2:])
    sys.exit(main())
