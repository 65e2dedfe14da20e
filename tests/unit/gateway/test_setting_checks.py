"""Numbers that make no sense are refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from services.gateway.settings import GatewaySettings


@pytest.mark.parametrize("name", ["GENERATOR_POLL_SECONDS", "UPLOAD_SECONDS", "SHOTS_IN_FLIGHT"])
def test_what_has_to_be_above_zero(tmp_path: Path, name: str) -> None:
    variable = f"HEADSHOTS_GATEWAY_{name}"
    home = {"HEADSHOTS_HOME": str(tmp_path)}
    GatewaySettings.from_environment({**home, variable: "1"})
    with pytest.raises(InvalidArgumentError, match=variable):
        GatewaySettings.from_environment({**home, variable: "0"})


@pytest.mark.parametrize("seconds", ["0", "1801"])
def test_a_lease_is_no_longer_than_a_jumped_clocks_times_are_told_by(tmp_path: Path, seconds: str) -> None:
    home = {"HEADSHOTS_HOME": str(tmp_path)}
    GatewaySettings.from_environment({**home, "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": "1800"})
    with pytest.raises(InvalidArgumentError, match="HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS"):
        GatewaySettings.from_environment({**home, "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": seconds})


@pytest.mark.parametrize("name", ["TRAINER_ADDRESS", "GENERATOR_ADDRESS"])
@pytest.mark.parametrize(
    "address",
    [
        *(
            "trainer",
            "trainer:",
            ":50052",
            "trainer:many",
            "trainer:0",
            "trainer:65536",
            "http://trainer:50052",
            "[::1]",
        ),
        *("two words:1", "dns:///trainer", "ipv4:10.0.0.1:1,10.0.0.2", "ipv4:", "unix:", "a:1,b:2", "::1:50052"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(tmp_path: Path, name: str, address: str) -> None:
    variable = f"HEADSHOTS_GATEWAY_{name}"
    with pytest.raises(InvalidArgumentError, match=rf"SETTING_INVALID: {variable}=.*no host:port, as trainer:50052"):
        GatewaySettings.from_environment({"HEADSHOTS_HOME": str(tmp_path), variable: address})


@pytest.mark.parametrize(
    "address",
    [
        *("trainer:50052", "trainer.headshots.svc:1", "10.0.0.1:65535", "[::1]:50052", "dns:///trainer:50052"),
        *("dns:trainer:50052", "ipv4:10.0.0.1:1,10.0.0.2:2", "ipv6:[::1]:1,[::2]:2", "unix:/run/t", "unix-abstract:t"),
    ],
)
def test_addresses_that_grpc_takes_are_taken(tmp_path: Path, address: str) -> None:
    environment = {"HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": address}
    assert GatewaySettings.from_environment(environment).trainer_address == address


def test_an_event_loop_that_there_is_not_is_named(tmp_path: Path) -> None:
    home = {"HEADSHOTS_HOME": str(tmp_path)}
    GatewaySettings.from_environment({**home, "HEADSHOTS_GATEWAY_EVENT_LOOP": "asyncio"})
    with pytest.raises(InvalidArgumentError, match="HEADSHOTS_GATEWAY_EVENT_LOOP='trio' is none of uvloop, asyncio"):
        GatewaySettings.from_environment({**home, "HEADSHOTS_GATEWAY_EVENT_LOOP": "trio"})
