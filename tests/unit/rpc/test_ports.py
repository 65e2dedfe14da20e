"""A port that cannot be had is told with the variable that chooses another."""

from __future__ import annotations

import socket

import pytest

from headshots.errors import UnavailableError
from headshots.rpc.ports import check_port
from tests.support.ports import free_port


def test_a_free_port_is_fine_and_stays_free() -> None:
    port = free_port()
    for _ in range(2):
        check_port("127.0.0.1", port, "X_PORT")
    check_port("localhost", port, "X_PORT")
    check_port("127.0.0.1", 0, "X_PORT")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_taken_one_names_port_and_variable(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UnavailableError) as caught:
            check_port(host, port, "X_PORT")
    assert caught.value.reason == "ADDRESS_IN_USE"
    assert f"{host}:{port}" in caught.value.message
    assert "choose another port with X_PORT" in caught.value.message


def test_closed_connections_do_not_keep_a_port_taken() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)):
        ours, _ = server.accept()
        ours.close()  # the server's side closes first: its address waits for a minute
    check_port("127.0.0.1", port, "X_PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_another_error(host: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        check_port(host, 50051, "X_PORT")
    assert caught.value.reason == "ADDRESS_UNUSABLE"
