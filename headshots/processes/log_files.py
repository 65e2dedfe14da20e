"""Writes the output of child processes into one log file each."""

from __future__ import annotations

import threading
from pathlib import Path


class LogFiles:
    """An `OnLine` that keeps one file a name in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock, self.path(name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def path(self, name: str) -> Path:
        """Where the lines of `name` go."""
        return self._folder / f"{name}.log"

    def tail(self, name: str, lines: int = 12) -> str:
        """The end of what `name` said."""
        path = self.path(name)
        return "\n".join(path.read_text(encoding="utf-8").splitlines()[-lines:]) if path.exists() else ""
