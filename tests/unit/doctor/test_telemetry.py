"""The doctor says whether traces can be sent, and where nobody takes them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from headshots.doctor.findings import Result, State
from headshots.doctor.processes import telemetry_check
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from tests.support.ports import free_port


def _look(**environ: str) -> Result:
    (result,) = run("gateway", [telemetry_check("gateway", environ)], Redactor(environ))
    return result


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_off_is_well() -> None:
    found = _look()
    assert (found.state, found.seen) == (State.OK, "no traces; log lines as text")


def test_a_collector_that_listens_is_well(listening: int) -> None:
    found = _look(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{listening}", HEADSHOTS_LOG_FORMAT="json")
    assert found.state is State.OK
    assert f"127.0.0.1:{listening}" in found.seen


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
def test_nobody_listens_is_a_warning_as_the_service_works(form: str) -> None:
    found = _look(OTEL_EXPORTER_OTLP_ENDPOINT=form.format(free_port()))
    assert found.state is State.WARNING
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in found.cure


def test_missing_packages_are_a_failure_as_the_service_would_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "headshots.telemetry.sending", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    found = _look(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4317")
    assert (found.state, found.cure) == (State.FAILED, "install headshots[traces]")


def test_a_wrong_variable_is_named() -> None:
    found = _look(HEADSHOTS_LOG_FORMAT="xml")
    assert found.state is State.FAILED
    assert "HEADSHOTS_LOG_FORMAT" in found.seen


def test_a_variable_that_opentelemetry_refuses_is_found_as_the_service_would_not_start(
    listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    found = _look(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{listening}")
    assert (found.state, "max_queue_size" in found.seen) == (State.FAILED, True)
    assert found.cure.startswith("correct the variable")
