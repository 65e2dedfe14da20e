"""OpenTelemetry's variables switch traces on, and what cannot be is refused with the cure."""

from __future__ import annotations

import pytest

from headshots.errors import InvalidArgumentError
from headshots.telemetry.settings import TelemetrySettings

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}


def _read(**environ: str) -> TelemetrySettings:
    return TelemetrySettings.from_environment("gateway", environ)


def test_everything_is_off_by_default() -> None:
    assert _read() == TelemetrySettings(tracing=None, log_format="text", log_calls=False)


def test_an_endpoint_switches_traces_on() -> None:
    tracing = _read(**ENDPOINT).tracing
    assert tracing is not None
    assert (tracing.endpoint, tracing.service_name) == ("http://collector:4317", "headshots-gateway")
    assert (tracing.sampler, tracing.ratio) == ("parentbased_always_on", 1.0)


@pytest.mark.parametrize("endpoint", ["collector:4317", "[::1]:4317", "https://traces.example.com", "https://c:443/"])
def test_a_port_is_needed_but_with_tls(endpoint: str) -> None:
    tracing = _read(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint).tracing
    assert tracing is not None
    assert tracing.endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        *("nonsense", "http://", "http://:4317", "http://collector", "ftp://c:1", "unix:///c", "http://c:99999"),
        *("http://c:port", "a b:1", "\x1b[31m:1", "http://a\x07b:1", "https://ada:geheim@c:4317"),
    ],
)
@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_what_is_no_address_of_a_collector_is_refused_and_not_repeated(name: str, endpoint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"SETTING_INVALID: {name} is no address") as caught:
        _read(**{name: endpoint})
    assert "say http://host:4317" in caught.value.message
    assert "geheim" not in caught.value.message


def test_the_variable_of_traces_alone_goes_first() -> None:
    tracing = _read(**ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="https://traces:4317").tracing
    assert tracing is not None
    assert tracing.endpoint == "https://traces:4317"


def test_name_and_sampler_are_the_standards_own() -> None:
    names = {"OTEL_SERVICE_NAME": "studio", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}
    tracing = _read(**ENDPOINT, **names).tracing
    assert tracing is not None
    assert (tracing.service_name, tracing.sampler, tracing.ratio) == ("studio", "traceidratio", 0.25)


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_the_standard_ways_to_switch_off_do(off: dict[str, str]) -> None:
    assert _read(**ENDPOINT, **off).tracing is None


def test_logs_have_settings_of_ours() -> None:
    read = _read(HEADSHOTS_LOG_FORMAT="JSON", HEADSHOTS_LOG_CALLS="true")
    assert (read.log_format, read.log_calls) == ("json", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "often"),
        ("OTEL_TRACES_SAMPLER_ARG", "half"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_SDK_DISABLED", "maybe"),
        ("HEADSHOTS_LOG_FORMAT", "xml"),
        ("HEADSHOTS_LOG_CALLS", "some"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        _read(**ENDPOINT, **{name: value})
    assert caught.value.reason == "SETTING_INVALID"
    assert "say " in caught.value.message
