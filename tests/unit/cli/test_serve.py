"""Tests which settings `serve all` gives the services, and that the caller's own settings win."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headshots.cli.addresses import PORTS, local_address
from headshots.cli.app import app
from headshots.cli.commands.serve import (
    LINKS_PORT,
    METRICS_PORTS,
    default_environment,
    free_addresses,
    links,
    probed_addresses,
    where_the_key_is,
)
from headshots.cli.extras import check_analyzers
from headshots.console.exits import ExitCode
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.settings import default_foundation
from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.trainer.foundation import described_foundation

ADDRESSES = {"gateway": "127.0.0.1:1", "trainer": "127.0.0.1:2", "generator": "127.0.0.1:3"}
NAMES = (
    "GATEWAY_TRAINER_ADDRESS",
    "GATEWAY_GENERATOR_ADDRESS",
    "GATEWAY_FACES",
    "TRAINER_FACES",
    "GENERATOR_FACES",
    "GATEWAY_STYLES",
)
PORT_NAMES = [f"HEADSHOTS_{name.upper()}_{kind}" for name in PORTS for kind in ("PORT", "METRICS_PORT")]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"HEADSHOTS_{name}", raising=False)


def test_the_gateway_finds_the_others_on_whatever_ports_they_have() -> None:
    environment = default_environment(ADDRESSES, None)
    assert environment["HEADSHOTS_GATEWAY_TRAINER_ADDRESS"] == "127.0.0.1:2"
    assert environment["HEADSHOTS_GATEWAY_GENERATOR_ADDRESS"] == "127.0.0.1:3"


def test_what_the_caller_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_GATEWAY_TRAINER_ADDRESS", "gpu-box:50052")
    monkeypatch.setenv("HEADSHOTS_GATEWAY_FACES", "none")
    environment = default_environment(ADDRESSES, None)
    monkeypatch.setenv("HEADSHOTS_GATEWAY_STYLES", "/srv/styles")
    environment = default_environment(ADDRESSES, None)
    assert environment["HEADSHOTS_GENERATOR_FACES"] == "none", "as the gateway's, which judges"
    assert environment.keys() == {
        "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS",
        "HEADSHOTS_TRAINER_FACES",
        "HEADSHOTS_GENERATOR_FACES",
    }


def test_styles_fit_the_foundation(tmp_path: Path) -> None:
    def styles(foundation: Path | None) -> str:
        return default_environment(ADDRESSES, foundation)["HEADSHOTS_GATEWAY_STYLES"]

    photographic = str(ROOT / "styles" / "photographic")
    assert styles(None) == styles(default_foundation()) == str(ROOT / "styles")
    assert styles(described_foundation(tmp_path).path) == photographic
    assert styles(Path("org/name@main")) == photographic, "it is imported when the services start"
    retrained = shutil.copytree(default_foundation(), tmp_path / "retrained")
    assert styles(retrained) == str(ROOT / "styles"), "it knows the same words alone"


def test_people_are_judged_by_the_analyzer_that_knows_them(tmp_path: Path) -> None:
    def faces(foundation: Path | None) -> list[str]:
        environment = default_environment(ADDRESSES, foundation)
        return [environment[f"HEADSHOTS_{name}_FACES"] for name in ("GATEWAY", "TRAINER")]

    assert faces(None) == faces(default_foundation()) == ["bundled", "bundled"]
    assert faces(tmp_path) == faces(Path("org/name@main")) == ["people", "people"]


def test_an_analyzer_that_is_not_installed_ends_the_command_before_anything_starts(
    tmp_path: Path, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in silence by another: without it no portrait is judged."""
    monkeypatch.setenv("HEADSHOTS_GATEWAY_LINKS_PORT", "0")
    home = tmp_path / "home"
    done = CliRunner().invoke(app, ["serve", "all", "--home", str(home), "--foundation", str(tmp_path)])
    assert done.exit_code == ExitCode.REFUSED, done.output
    told = " ".join(done.stderr.split())
    assert "ANALYZER_NOT_INSTALLED" in told
    assert f"headshots analyzers install people --out {home}/analyzers/people" in told.replace("/ ", "/")
    assert not home.exists()
    check_analyzers({"HEADSHOTS_HOME": str(home), "HEADSHOTS_GATEWAY_FACES": "none"})
    with pytest.raises(FailedPreconditionError, match="ANALYZER_NOT_INSTALLED"):
        check_analyzers({"HEADSHOTS_TRAINER_FACES": "people", "HEADSHOTS_TRAINER_FACES_DIR": str(tmp_path)})


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Six free ones, by the variable that names them."""
    chosen = {name: free_port() for name in PORT_NAMES}
    for name, port in chosen.items():
        monkeypatch.setenv(name, str(port))
    return chosen


def test_the_ports_are_the_services_own() -> None:
    services: dict[str, Any] = {"gateway": GatewaySettings, "trainer": TrainerSettings, "generator": GeneratorSettings}
    for name, settings in services.items():
        assert (PORTS[name], METRICS_PORTS[name]) == (settings.port, settings.metrics_port)


def test_the_addresses_are_those_that_the_variables_say(ports: dict[str, int]) -> None:
    assert free_addresses() == {
        name: f"127.0.0.1:{ports[f'HEADSHOTS_{name.upper()}_PORT']}" for name in ("gateway", "trainer", "generator")
    }


@pytest.mark.parametrize("variable", PORT_NAMES)
def test_a_taken_port_is_told_before_anything_is_started(ports: dict[str, int], variable: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", ports[variable])):
        result = CliRunner().invoke(app, ["serve", "all", "--home", str(tmp_path / "home")])
    assert result.exit_code == 1
    assert f"ADDRESS_IN_USE: cannot listen on 127.0.0.1:{ports[variable]}" in result.stderr
    assert variable in result.stderr
    assert "ready" not in result.output
    assert not (tmp_path / "home").exists()


def test_another_gateway_that_answers_on_a_port_free_to_listen_on_is_told(
    ports: dict[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # As where a network forwards the port.
    monkeypatch.setattr("headshots.rpc.ports.check_port", lambda *_arguments: None)
    port = ports["HEADSHOTS_GATEWAY_PORT"]
    with socket.create_server(("127.0.0.1", port)):
        result = CliRunner().invoke(app, ["serve", "all", "--home", str(tmp_path / "home")])
    assert result.exit_code == 1
    assert f"ADDRESS_IN_USE: another program answers at 127.0.0.1:{port}" in result.stderr
    assert "choose another port with HEADSHOTS_GATEWAY_PORT" in result.stderr
    assert not (tmp_path / "home").exists()


def test_a_gateway_of_another_address_of_this_machine_is_asked_there(
    ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_GATEWAY_HOST", "127.0.0.2")
    with socket.create_server(("127.0.0.1", ports["HEADSHOTS_GATEWAY_PORT"])):
        addresses = free_addresses()
    assert addresses["gateway"] == f"127.0.0.2:{ports['HEADSHOTS_GATEWAY_PORT']}"


@pytest.mark.parametrize(
    ("host", "address"),
    [("", "127.0.0.1:50051"), ("0.0.0.0", "127.0.0.1:50051"), ("::", "[::1]:50051"), ("10.0.0.9", "10.0.0.9:50051")],
)
def test_who_listens_everywhere_is_found_on_loopback(host: str, address: str) -> None:
    assert local_address("gateway", {"HEADSHOTS_GATEWAY_HOST": host}) == address


@pytest.mark.usefixtures("ports")
def test_a_port_that_nobody_would_find_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_TRAINER_METRICS_PORT", "0")
    assert free_addresses().keys() == set(PORTS)
    monkeypatch.setenv("HEADSHOTS_TRAINER_PORT", "0")
    with pytest.raises(InvalidArgumentError, match="HEADSHOTS_TRAINER_PORT=0"):
        free_addresses()


SERVED = {"HEADSHOTS_GATEWAY_LINKS_PORT": str(LINKS_PORT)}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, SERVED),
        ({"HEADSHOTS_STORE_URL": "file:///objects"}, SERVED),
        ({"HEADSHOTS_STORE_URL": "s3://bucket"}, {}),
        ({"HEADSHOTS_GATEWAY_STORE_URL": "gs://bucket", "HEADSHOTS_STORE_URL": "file:///objects"}, {}),
        ({"HEADSHOTS_GATEWAY_LINKS_PORT": "0"}, {}),
        ({"HEADSHOTS_GATEWAY_HOST": "0.0.0.0"}, {}),
    ],
)
def test_links_are_served_on_loopback_unless_the_store_signs_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    asked = []
    monkeypatch.setattr("headshots.rpc.ports.check_port", lambda *arguments: asked.append(arguments))
    for name in ("STORE_URL", "GATEWAY_STORE_URL", "GATEWAY_LINKS_PORT", "GATEWAY_HOST"):
        monkeypatch.delenv(f"HEADSHOTS_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert links() == expected
    assert asked == ([("127.0.0.1", LINKS_PORT, "HEADSHOTS_GATEWAY_LINKS_PORT")] if expected else [])


def test_a_key_that_is_not_there_is_not_promised(tmp_path: Path) -> None:
    file = tmp_path / "api-key"
    assert "`headshots keys create --save` leaves one there" in where_the_key_is(file, None)
    assert f"`HEADSHOTS_HOME={tmp_path} headshots keys create --save`" in where_the_key_is(file, tmp_path)
    file.write_text("hs_a_b")
    assert where_the_key_is(file, None) == f"the API key is in {file}"


def test_with_tls_the_internal_services_are_probed_where_they_answer_without(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"gateway": "127.0.0.1:1", "trainer": "127.0.0.1:2", "generator": "127.0.0.1:3"}
    monkeypatch.delenv("HEADSHOTS_INTERNAL_CERTIFICATE_FILE", raising=False)
    assert probed_addresses(addresses) == (addresses, {})
    monkeypatch.setenv("HEADSHOTS_INTERNAL_CERTIFICATE_FILE", "/tls/tls.crt")
    monkeypatch.setenv("HEADSHOTS_TRAINER_HEALTH_PORT", "7")
    probed, variables = probed_addresses(addresses)
    assert (probed["gateway"], probed["trainer"]) == ("127.0.0.1:1", "127.0.0.1:7")
    port = variables["HEADSHOTS_GENERATOR_HEALTH_PORT"]
    assert probed["generator"] == f"127.0.0.1:{port}" != "127.0.0.1:3"
    assert variables["HEADSHOTS_TRAINER_HEALTH_PORT"] == "7"
