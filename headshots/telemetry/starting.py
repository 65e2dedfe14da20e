"""Switches logs and traces on at the start of a process, and has what is left of them sent at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from headshots.errors import InvalidArgumentError
from headshots.telemetry import logs, spans
from headshots.telemetry.settings import TelemetrySettings, TracingSettings


@contextlib.contextmanager
def telemetry(service: str, environ: Mapping[str, str], *, text: str = logs.TEXT, **facts: str) -> Iterator[None]:
    """Logs and traces of a process, by its environment; at the end of the block spans are sent, for 2 seconds at most.

    Args:
        service: `gateway`, `trainer` or `generator`.
        environ: the process's variables.
        text: the form of log lines for people; as JSON every line has ``facts``.

    Raises:
        InvalidArgumentError: SETTING_INVALID, TRACES_PACKAGE_MISSING.
    """
    try:
        settings = TelemetrySettings.from_environment(service, environ)
    except InvalidArgumentError:
        # The error itself is told by the log.
        logs.set_up(logs.TextFormatter(text))
        raise
    is_json = settings.log_format == "json"
    logs.set_up(
        logs.JsonFormatter(service=service, **facts) if is_json else logs.TextFormatter(text),
        calls=settings.log_calls,
    )
    with tracing(settings.tracing):
        yield


@contextlib.contextmanager
def tracing(settings: TracingSettings | None) -> Iterator[None]:
    """Traces are on in the block, where there are ``settings``.

    Raises:
        InvalidArgumentError: TRACES_PACKAGE_MISSING; SETTING_INVALID, of a variable that the SDK reads itself.
    """
    if settings is None:
        yield
        return
    try:
        # Here and nowhere else: whoever traces nothing neither needs the packages nor pays for their import.
        from headshots.telemetry.sending import Sender

        sender = Sender(settings)
    except ImportError as error:
        raise InvalidArgumentError(
            "TRACES_PACKAGE_MISSING",
            f"traces are switched on and cannot be sent ({error}); install headshots[traces], or unset "
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ) from error
    except Exception as error:
        # The SDK reads variables of its own, some when it is imported, as OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, and raises
        # what it likes.
        raise InvalidArgumentError(
            "SETTING_INVALID", f"OpenTelemetry refuses one of its OTEL_ variables ({error}); correct it, or unset it"
        ) from error
    spans.switch(sender.tracing)
    try:
        yield
    finally:
        spans.switch(None)
        sender.close()
