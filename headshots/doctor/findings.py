"""What a check has found, and how processes tell each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check went. A warning does not keep the service from doing its work."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What one look has found."""

    state: State
    seen: str
    """What was seen, or why it was not looked at."""
    cure: str = ""
    """What to do about it; empty where nothing has to be done."""


@dataclass(frozen=True)
class Result:
    """A finding of a check of a service, or of a gateway looked at from outside."""

    service: str
    check: str
    state: State
    seen: str
    cure: str

    def to_line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Result:
        """Inverse of `to_line`.

        Raises:
            ValueError, TypeError: it is no such line.
        """
        value = json.loads(line)
        if not isinstance(value, dict):
            raise ValueError("no JSON object")
        return cls(**{**value, "state": State(value.get("state", ""))})


def ok(seen: str) -> Finding:
    """Nothing has to be done."""
    return Finding(State.OK, seen)


def warning(seen: str, cure: str) -> Finding:
    """The service works, and somebody should do something."""
    return Finding(State.WARNING, seen, cure)


def failed(seen: str, cure: str) -> Finding:
    """The service would not start, or would not do its work."""
    return Finding(State.FAILED, seen, cure)


def skipped(why: str) -> Finding:
    """Nothing was looked at."""
    return Finding(State.SKIPPED, why)
