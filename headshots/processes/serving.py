"""Asks servers on this machine whether they serve, and waits until they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from headshots.processes.fleet import Fleet, ServicesFailedError


def is_serving(address: str, timeout_seconds: float = 1.0) -> bool:
    """Whether the server answers SERVING to a health probe."""
    return health(address, timeout_seconds=timeout_seconds) == "SERVING"


def health(address: str, service: str = "", *, timeout_seconds: float = 1.0) -> str | None:
    """What the server answers to a health probe of the service, `SERVING` or `NOT_SERVING` as a rule.

    None where nobody answers, or who answers has no such service; `""` is a server as a whole.
    """
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    # Ours is always this machine, which no proxy of the environment needs to be asked for.
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_seconds)
        except grpc.RpcError:
            return None
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def wait_until_serving(
    fleet: Fleet, addresses: Mapping[str, str], *, timeout_seconds: float, on_serving: Callable[[str], None]
) -> None:
    """Wait until the server at each address (by name) answers SERVING; tells of each as it does.

    Raises:
        ServicesFailedError: SERVICE_DIED, or SERVICE_NOT_READY after `timeout_seconds`.
    """
    waiting = dict(addresses)
    deadline = time.monotonic() + timeout_seconds
    while True:
        # Also when all have answered: it may have been another server, on whose port ours could not listen.
        if (dead := fleet.exited()) is not None:
            raise ServicesFailedError("SERVICE_DIED", death_message(*dead))
        if not waiting:
            return
        if time.monotonic() > deadline:
            names = ", ".join(sorted(waiting))
            raise ServicesFailedError(
                "SERVICE_NOT_READY", f"{names} not ready after {timeout_seconds:.0f} s; what they said stands above"
            )
        for name, address in list(waiting.items()):
            if is_serving(address):
                del waiting[name]
                on_serving(name)
        time.sleep(0.1)


def death_message(name: str, code: int) -> str:
    """The message for a service that died, where its output was printed above."""
    return f"the {name} ended with exit code {code}; its own last lines stand above"
