"""The log of erasures lies beside the embedded object store, so that a restore of that one leaves it as it is."""

from __future__ import annotations

from pathlib import Path

from services.gateway.settings import GatewaySettings


def test_the_log_lies_outside_the_embedded_store_and_in_any_other(tmp_path: Path) -> None:
    home = {"HEADSHOTS_HOME": str(tmp_path)}
    assert GatewaySettings.from_environment(home).erasing.log_url == (tmp_path / "erasure-log").as_uri()
    for variable in ("HEADSHOTS_STORE_URL", "HEADSHOTS_GATEWAY_STORE_URL"):
        assert GatewaySettings.from_environment({**home, variable: "memory:///"}).erasing.log_url is None
    named = {**home, "HEADSHOTS_GATEWAY_ERASURE_LOG_URL": "s3://log"}
    assert GatewaySettings.from_environment(named).erasing.log_url == "s3://log"
