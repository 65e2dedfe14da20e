"""What a gateway depends on, its peers aside."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from services.gateway.doctor.checks import checks
from services.gateway.settings import GatewaySettings


def looked_at(home: Path, **variables: str) -> dict[str, Result]:
    environ = {
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_GATEWAY_PORT": "0",
        "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
        **{f"HEADSHOTS_{name}": value for name, value in variables.items()},
    }
    return {
        each.check: each for each in run("gateway", checks(GatewaySettings.from_environment(environ)), Redactor({}))
    }


@pytest.mark.parametrize("name", ["PORT", "METRICS_PORT", "LINKS_PORT", "SCALER_PORT"])
def test_each_of_its_ports_is_looked_at(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = looked_at(tmp_path, **{f"GATEWAY_{name}": str(other.getsockname()[1])})["ports"]
    assert found.state is State.FAILED
    assert f"HEADSHOTS_GATEWAY_{name}" in found.seen


def test_the_log_of_erasures_is_tried_where_it_has_a_store_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    store = tmp_path.as_uri()
    found = looked_at(tmp_path, STORE_URL=store, GATEWAY_ERASURE_LOG_URL=f"{file.as_uri()}/log")
    assert (found["object store"].state, found["log of erasures"].state) == (State.OK, State.FAILED)
    found = looked_at(tmp_path, STORE_URL=store)
    assert found["log of erasures"].state is State.SKIPPED


@pytest.mark.parametrize(
    ("variable", "check", "reason"),
    [
        ("GATEWAY_RECEIPT_KEY", "receipt key", "RECEIPT_KEY_INVALID"),
        ("GATEWAY_STYLES", "styles", "STYLES_MISSING"),
    ],
)
def test_what_ends_its_start_is_told_with_the_cure(tmp_path: Path, variable: str, check: str, reason: str) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    found = looked_at(tmp_path, **{variable: str(empty)})[check]
    assert (found.state, found.seen.partition(":")[0]) == (State.FAILED, reason)
    assert f"HEADSHOTS_{variable}" in found.seen + found.cure


@pytest.mark.parametrize(("wanted", "state"), [("uvloop", State.WARNING), ("asyncio", State.OK)])
def test_the_event_loop_that_its_setting_names_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, state: State
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert looked_at(tmp_path, GATEWAY_EVENT_LOOP=wanted)["event loop"].state is state
