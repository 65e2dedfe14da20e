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
