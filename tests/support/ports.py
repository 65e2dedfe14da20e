"""Gives out ports to servers that must know theirs before they start, or that start on the same port again.

Once a port that the system chose is released, anybody may get it: another test worker's server or connection may take
it before ours listens, and a client that tries to reach it meanwhile may even be connected with itself.

``python -m tests.support.ports MODULE ARGUMENTS`` runs a module whose :func:`headshots.processes.ports.free_port` is
ours.
"""

from __future__ import annotations

import atexit
import contextlib
import random
import runpy
import socket
import sys

# Below what the usual systems give out by themselves: from 32768 on Linux, from 49152 elsewhere.
_OURS = range(15000, 30000)
_claims: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that is ours alone among all that ask here, until this process ends.

    Ours is the number whose UDP port we hold; TCP is left to whoever is to listen.
    """
    chance = random.SystemRandom()
    for _ in range(len(_OURS)):
        port, claim = chance.choice(_OURS), socket.socket(type=socket.SOCK_DGRAM)
        with contextlib.suppress(OSError), socket.socket() as probe:
            claim.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
            _claims.append(claim)
            return port
        claim.close()
    raise AssertionError("no port is free")


@atexit.register
def _let_go() -> None:
    for claim in _claims:
        claim.close()


if __name__ == "__main__":
    import headshots.processes.ports
    import tests.support.ports

    headshots.processes.ports.free_port = tests.support.ports.free_port
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
