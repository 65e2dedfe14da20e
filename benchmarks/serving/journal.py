"""Keeps what finished parts found, so that a run that was cut short goes on when it is started again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import Measured


class Journal:
    """Lines of a file, one a part. Those of another revision, scale or foundation do not count."""

    def __init__(self, path: Path, **decides: Any) -> None:
        """``decides``: all that figures depend on."""
        self._path = path
        self._key = hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()

    def get(self, part: str) -> Measured | None:
        """What ``part`` found, if it has been measured."""
        if not self._path.is_file():
            return None
        lines = [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]
        found = [line for line in lines if (line["key"], line["part"]) == (self._key, part)]
        return Measured(found[-1]["figures"], found[-1]["details"]) if found else None

    def add(self, part: str, measured: Measured) -> None:
        """Keep what ``part`` found."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = {"key": self._key, "part": part, "figures": measured.figures, "details": measured.details}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both; where both have a mapping, that of both."""
    made = dict(one)
    for key, value in other.items():
        old = made.get(key)
        made[key] = joined(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return made
