"""Reads a service's settings as the service does, and goes on where one is wrong, so that all wrong ones are told."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from headshots.doctor.findings import Finding, failed, ok, warning
from headshots.errors import InvalidArgumentError

SettingsT = TypeVar("SettingsT")
_VARIABLE = re.compile(r"HEADSHOTS_[A-Z0-9_]+")
_GROUPS = ("HEADSHOTS_INTERNAL_", "HEADSHOTS_MARKING_")
# What tells of slips, see `read_settings`.
_LOGGER = "headshots.settings"
_WHERE = "where this service's variables are set (docs/operations.md, Settings)"


@dataclass(frozen=True)
class Parsed(Generic[SettingsT]):
    """What could be read."""

    settings: SettingsT | None
    """With every variable that is wrong left out; None where that was no help."""
    findings: list[Finding]


def parse(read: Callable[[Mapping[str, str]], SettingsT], environ: Mapping[str, str]) -> Parsed[SettingsT]:
    """The settings that `read` makes of the environment, and what it has against which variables.

    It tells of the first that is wrong, so that one is left out and it is asked again.
    """
    left, faults = dict(environ), list[str]()
    with _slips() as slips:
        settings = None
        while settings is None:
            try:
                settings = read(left)
            except InvalidArgumentError as error:
                faults.append(str(error))
                wrong = _wrong(error.message, left)
                if not wrong:
                    break
                left = {name: value for name, value in left.items() if name not in wrong}
    told = "checked below as if it were unset" if settings is not None else "nothing below can be checked"
    findings = [failed(fault, f"correct it {_WHERE}; {told}") for fault in faults]
    findings += [warning(slip, f"correct or remove it {_WHERE}") for slip in dict.fromkeys(slips)]
    count = sum(name.startswith("HEADSHOTS_") for name in environ)
    return Parsed(settings, findings or [ok(f"can be read; {count} HEADSHOTS_ variables are set")])


def _wrong(message: str, environ: Mapping[str, str]) -> set[str]:
    """The variable that a message is about: the first that it names, or the group of one that is missing."""
    named = _VARIABLE.findall(message)
    set_ones = [name for name in named if name in environ]
    if set_ones and set_ones[0] == named[0]:
        return {set_ones[0]}
    groups = [group for group in _GROUPS if any(name.startswith(group) for name in named)]
    return {name for name in environ if any(name.startswith(group) for group in groups)} or set(set_ones[:1])


@contextmanager
def _slips() -> Iterator[list[str]]:
    """What is told in the log of variables that are no settings."""
    told: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    collector, logger = Collector(logging.WARNING), logging.getLogger(_LOGGER)
    logger.addHandler(collector)
    try:
        yield told
    finally:
        logger.removeHandler(collector)
