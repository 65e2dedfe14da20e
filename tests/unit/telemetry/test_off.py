"""Switched off, traces cost no span; switched on without OpenTelemetry, that is told.

That nothing imports OpenTelemetry by itself is tested where imports are: the SDK's, the gateway's and the generator's.
"""

from __future__ import annotations

import sys

import pytest

from headshots.errors import InvalidArgumentError
from headshots.telemetry import spans
from headshots.telemetry.settings import TracingSettings
from headshots.telemetry.starting import tracing


def test_a_span_is_the_constant_that_does_nothing() -> None:
    made = spans.span("anything", rows=1)
    assert made is spans.OFF
    assert spans.current() is spans.OFF
    assert spans.remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") is spans.OFF
    with made as within:
        within.set(rows=2)
    assert (within.traceparent, within.exemplar) == ("", None)


def test_switched_on_without_the_packages_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("headshots.telemetry.sending", "opentelemetry.sdk.trace"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        pytest.raises(InvalidArgumentError, match=r"headshots\[traces\]") as caught,
        tracing(TracingSettings("http://collector:4317", "headshots-gateway")),
    ):
        raise AssertionError("it started")
    assert caught.value.reason == "TRACES_PACKAGE_MISSING"
    assert not spans.is_on()
