"""Notes what a person's files hold while they exist, so that it can be looked for when they must not."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults.residue import files, weights

_PAUSE_SECONDS = 0.02
"""Checkpoints come twice a second and go with the next one."""
_LEAST_BYTES = 64
"""Of a file that tells something of a person; shorter ones hold ids."""


class Witness:
    """Reads every file of a folder soon after it appears, also those that are soon gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[tuple[Path, int, int], bytes] = {}

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Looks on from a thread of its own while the block runs, and once more at its end."""
        over = threading.Event()

        def look_on() -> None:
            while not over.wait(_PAUSE_SECONDS):
                self.look()

        thread = threading.Thread(target=look_on, name="witness")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.look()

    def look(self) -> None:
        """Reads what is new."""
        for path in list(files([self._folder])):
            # Between two steps of this a service may have removed it.
            with contextlib.suppress(OSError):
                told = path.stat()
                known = (path, told.st_size, told.st_mtime_ns)
                if known not in self._seen:
                    self._seen[known] = path.read_bytes()

    @property
    def contents(self) -> list[bytes]:
        """What was read; of safetensors the weights alone, as others have the same header."""
        return [
            weights(data) if ".safetensors" in path.name else data
            for (path, _, _), data in self._seen.items()
            if len(data) >= _LEAST_BYTES
        ]

    def kinds(self) -> dict[str, int]:
        """How many files there were of each of the folder's rooms: photos, trainings, images."""
        found: dict[str, int] = {}
        for path, _, _ in self._seen:
            room = "checkpoints" if "checkpoints" in path.parts else path.relative_to(self._folder).parts[0]
            found[room] = found.get(room, 0) + 1
        return found
