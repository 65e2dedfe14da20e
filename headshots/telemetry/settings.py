"""Reads what logs look like and whether traces are sent: the one place that knows OpenTelemetry's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from headshots.errors import InvalidArgumentError

LOG_FORMAT, LOG_CALLS = "HEADSHOTS_LOG_FORMAT", "HEADSHOTS_LOG_CALLS"
FORMATS = ("text", "json")
SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTER, _DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
_SAMPLER, _RATIO, _NAME = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_SERVICE_NAME"
_TRUE, _FALSE = ("true", "1"), ("false", "0", "")


@dataclass(frozen=True)
class TracingSettings:
    """Where spans go, and which are kept."""

    endpoint: str
    """A collector that takes OTLP over gRPC: ``http://host:4317``, with TLS ``https://…``."""
    service_name: str
    sampler: str = "parentbased_always_on"
    """One of `SAMPLERS`."""
    ratio: float = 1.0
    """The share of traces that the two samplers with a ratio keep, 0 to 1."""


@dataclass(frozen=True)
class TelemetrySettings:
    """What a process tells of its work."""

    tracing: TracingSettings | None = None
    """None: it traces nothing."""
    log_format: str = "text"
    """One of `FORMATS`."""
    log_calls: bool = False
    """Whether each call to this process gets a line: its method, its code, its seconds."""

    @classmethod
    def from_environment(cls, service: str, environ: Mapping[str, str]) -> TelemetrySettings:
        """For ``service``, whose name in traces is ``headshots-<service>`` unless OTEL_SERVICE_NAME says otherwise.

        Raises:
            InvalidArgumentError: SETTING_INVALID.
        """
        return cls(
            tracing=_tracing(service, environ),
            log_format=_one_of(environ, LOG_FORMAT, FORMATS, "text"),
            log_calls=_flag(environ, LOG_CALLS),
        )


def _tracing(service: str, environ: Mapping[str, str]) -> TracingSettings | None:
    endpoint = _endpoint(environ)
    exporter = _one_of(environ, _EXPORTER, ("otlp", "none"), "otlp")
    if _flag(environ, _DISABLED) or exporter == "none" or not endpoint:
        return None
    for name in _PROTOCOLS:
        _one_of(environ, name, ("grpc",), "grpc")
    return TracingSettings(
        endpoint=endpoint,
        service_name=environ.get(_NAME, "").strip() or f"headshots-{service}",
        sampler=_one_of(environ, _SAMPLER, SAMPLERS, "parentbased_always_on"),
        ratio=_ratio(environ),
    )


def _endpoint(environ: Mapping[str, str]) -> str:
    name = next((name for name in _ENDPOINTS if environ.get(name, "").strip()), None)
    if name is None:
        return ""
    endpoint = environ[name].strip()
    if not _is_collector(endpoint):
        # Not said: it may have a password.
        raise InvalidArgumentError(
            "SETTING_INVALID", f"{name} is no address of a collector; say http://host:4317, or https://host with TLS"
        )
    return endpoint


def _is_collector(endpoint: str) -> bool:
    """Whether it has a host, a port unless TLS has one, and nothing that gRPC would take for a part of the name."""
    try:
        parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        port = parts.port or (443 if parts.scheme == "https" else None)
    except ValueError:
        return False
    is_host = bool(parts.hostname) and parts.netloc.isprintable() and not {" ", "@"} & set(parts.netloc)
    return is_host and port is not None and parts.scheme in ("", "http", "https")


def _ratio(environ: Mapping[str, str]) -> float:
    raw = environ.get(_RATIO, "").strip()
    try:
        ratio = float(raw or 1.0)
    except ValueError:
        ratio = -1.0
    # Not a number is in no order with these.
    if not 0.0 <= ratio <= 1.0:
        raise InvalidArgumentError("SETTING_INVALID", f"{_RATIO}={raw!r} is no share of traces; say 0 to 1")
    return ratio


def _one_of(environ: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = environ.get(name, "").strip().lower() or default
    if value not in allowed:
        raise InvalidArgumentError("SETTING_INVALID", f"{name}={value!r} is not supported; say {' or '.join(allowed)}")
    return value


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in (*_TRUE, *_FALSE):
        raise InvalidArgumentError("SETTING_INVALID", f"{name}={value!r}: say true or false")
    return value in _TRUE
