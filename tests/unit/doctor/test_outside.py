"""A gateway from outside that answers, and yet does not serve."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2

from headshots.doctor.findings import State
from headshots.doctor.outside import OutsideLook


@contextlib.contextmanager
def gateway_that_says(status: int) -> Iterator[str]:
    """The address of a server whose health probe answers so."""
    answer = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    probe = grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": probe})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (health_pb2.HealthCheckResponse.SERVING, State.OK),
        (health_pb2.HealthCheckResponse.NOT_SERVING, State.FAILED),
        (health_pb2.HealthCheckResponse.UNKNOWN, State.FAILED),
    ],
)
def test_only_one_that_serves_is_fine(status: int, state: State) -> None:
    with gateway_that_says(status) as address:
        found = OutsideLook(address, None, None)._health()
    assert found.state is state
    assert bool(found.cure) == (state is State.FAILED)


class _Client:
    """Knows so many styles."""

    def __init__(self, styles: int) -> None:
        self._styles = styles

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def list_styles(self) -> range:
        return range(self._styles)


@pytest.mark.parametrize(("styles", "state"), [(3, State.OK), (0, State.FAILED)])
def test_a_gateway_without_styles_is_not_fine(styles: int, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OutsideLook, "_client", lambda _self: _Client(styles))
    assert OutsideLook("127.0.0.1:1", "key", None)._styles().state is state
