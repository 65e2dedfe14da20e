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

from headshots.doctor.findings import Result, State
from headshots.doctor.parsing import parse
from headshots.doctor.running import Check, run
from headshots.doctor.secrets import Redactor

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
    checks = [Check("settings", lambda: parsed.findings, ""), *(checks_of(settings) if settings is not None else ())]
    for result in run(service, checks, redactor):
        print(result.to_line(), flush=True)
    # A check that does not end may hold a thread that the interpreter would wait for.
    os._exit(0)


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
    command = [sys.executable, "-m", "headshots.processes.child", str(os.getpid()), f"services.{service}.doctor"]
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
