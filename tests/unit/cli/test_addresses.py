"""Tests which gateway commands ask where no --address says it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from headshots.cli.app import app
from tests.support.ports import free_port


@pytest.mark.parametrize(
    ("arguments", "variables", "asked"),
    [
        ((), {"HEADSHOTS_GATEWAY_PORT": "{port}"}, "127.0.0.1:{port}"),
        ((), {"HEADSHOTS_GATEWAY_PORT": "{port}", "HEADSHOTS_GATEWAY_HOST": "127.0.0.2"}, "127.0.0.2:{port}"),
        ((), {"HEADSHOTS_GATEWAY_PORT": "1", "HEADSHOTS_ADDRESS": "127.0.0.1:{port}"}, "127.0.0.1:{port}"),
        (("--address", "127.0.0.1:{port}"), {"HEADSHOTS_GATEWAY_PORT": "1"}, "127.0.0.1:{port}"),
    ],
)
def test_the_gateway_of_this_machine_is_asked_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], variables: dict[str, str], asked: str
) -> None:
    port = str(free_port())
    for name in ("HEADSHOTS_GATEWAY_HOST", "HEADSHOTS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(port=port))
    words = [argument.format(port=port) for argument in arguments]
    tried: list[str] = []
    monkeypatch.setattr("headshots.client.connection.check_address", tried.append)
    CliRunner().invoke(app, ["styles", "list", "--api-key", "hs_a_b", *words])
    assert tried == [asked.format(port=port)]


def test_a_port_that_is_none_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_GATEWAY_PORT", "none")
    monkeypatch.delenv("HEADSHOTS_ADDRESS", raising=False)
    result = CliRunner().invoke(app, ["styles", "list", "--api-key", "hs_a_b"])
    assert result.exit_code == 2
    assert "HEADSHOTS_GATEWAY_PORT='none'" in result.stderr
