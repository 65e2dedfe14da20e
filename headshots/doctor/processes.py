"""Runs the checks of a service in a process of its own, with the service's environment and imports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from headshots.doctor.findings import Finding, Result, State, failed, ok, warning
from headshots.doctor.parsing import parse
from headshots.doctor.running import Check, run
from headshots.doctor.secrets import Redactor
from headshots.errors import InvalidArgumentError
from headshots.event_loop import CURE, why_not_uvloop
from headshots.rpc.ports import is_answered
from headshots.telemetry.settings import TelemetrySettings
from headshots.telemetry.starting import tracing

SettingsT = TypeVar("SettingsT")
LONGEST_SECONDS = 900.0
"""For all checks of one service; each has a shorter time of its own."""


def tell(
    service: str, read: Callable[[Mapping[str, str]], SettingsT], checks_of: Callable[[SettingsT], Sequence[Check]]
) -> None:
    """In the child: checks settings and what they name; a line of JSON a result. Ends the process with status 0."""
    redactor = Redactor(os.environ)
    parsed = parse(read, os.environ)
    settings = parsed.settings
    checks = [
        Check("settings", lambda: parsed.findings, ""),
        telemetry_check(service, os.environ),
        *(checks_of(settings) if settings is not None else ()),
    ]
    for result in run(service, checks, redactor):
        print(result.to_line(), flush=True)
    # A check that does not end may hold a thread that the interpreter would wait for.
    os._exit(0)


_CORRECT_THE_VARIABLE = "correct the variable (docs/operations.md, Traces and logs), or unset it"


def telemetry_check(service: str, environ: Mapping[str, str]) -> Check:
    """Reads what logs and traces are to be; where these are on, whether they can be sent, and somebody listens."""
    return Check(
        "traces and logs",
        lambda: _telemetry(TelemetrySettings.from_environment(service, environ)),
        _CORRECT_THE_VARIABLE,
    )


def _telemetry(settings: TelemetrySettings) -> Finding:
    if settings.tracing is None:
        return ok(f"no traces; log lines as {settings.log_format}")
    try:
        # As the service does at its start.
        with tracing(settings.tracing):
            pass
    except InvalidArgumentError as error:
        is_missing = error.reason == "TRACES_PACKAGE_MISSING"
        return failed(str(error), "install headshots[traces]" if is_missing else _CORRECT_THE_VARIABLE)
    address = _address(settings.tracing.endpoint)
    if not is_answered(address):
        cure = "start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT; until then traces are dropped"
        return warning(f"nobody listens at {address}, the collector of traces", cure)
    return ok(f"the collector of traces listens at {address}; log lines as {settings.log_format}")


def event_loop_check(wanted: str) -> Check:
    """Tells which event loop a service would run on that has the setting EVENT_LOOP so."""
    return Check("event loop", lambda: _event_loop(wanted), CURE)


def _event_loop(wanted: str) -> Finding:
    why = why_not_uvloop() if wanted == "uvloop" else None
    if why is not None:
        return warning(f"asyncio's, as uvloop cannot be imported ({why}): calls take longer", CURE)
    return ok(wanted)


def _address(endpoint: str) -> str:
    """host:port of `http://host:port`, or of an endpoint that says no scheme."""
    found = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    host, port = found.hostname or "", found.port or (443 if found.scheme == "https" else 80)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def ask(
    service: str,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    *,
    longest_seconds: float = LONGEST_SECONDS,
) -> Iterator[Result]:
    """In the parent: the results of `python -m services.SERVICE.doctor`, as they come, without secrets.

    Where the process breaks off, the last result tells how.
    """
    command = [sys.executable, "-P", "-m", "headshots.processes.child", str(os.getpid()), f"services.{service}.doctor"]
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(
            [*command, *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            errors="replace",
        ) as child,
    ):
        timer = threading.Timer(longest_seconds, child.kill)
        timer.start()
        try:
            assert child.stdout is not None
            yield from _results(child.stdout)
            code = child.wait()
        finally:
            timer.cancel()
            child.kill()
        if code != 0:
            said.seek(0)
            yield _broken(service, code, Redactor(environment).clean(said.read()))


def _results(lines: Iterable[str]) -> Iterator[Result]:
    for line in lines:
        # Some libraries print.
        with contextlib.suppress(ValueError, TypeError):
            yield Result.from_line(line)


def _broken(service: str, code: int, said: str) -> Result:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    cure = f"`python -m services.{service}.doctor` with the same variables tells more"
    return Result(service, "process", State.FAILED, f"the checks broke off (status {code}): {last.strip()}", cure)
