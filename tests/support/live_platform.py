"""Runs the three real services as processes over the embedded defaults, for end-to-end tests."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from headshots.client import AsyncHeadshots
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.serving import wait_until_serving
from tests.support.paths import environment_of_services
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

SERVICES = ("gateway", "trainer", "generator")
# Quick to notice a lost worker, and to write checkpoints: tests kill services and wait for the others to notice.
QUICK = {
    "HEADSHOTS_TRAINER_LEASE_SECONDS": "3",
    "HEADSHOTS_TRAINER_CHECKPOINT_SECONDS": "0.5",
    "HEADSHOTS_TRAINER_RETRY_SECONDS": "0.2",
    "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": "3",
}


class LivePlatform:
    """Starts, kills and restarts services on fixed free ports; as a context it stops them all."""

    def __init__(
        self,
        home: Path,
        foundation: Path,
        package: Path,
        environment: Mapping[str, str] | None = None,
        modules: Mapping[str, str] | None = None,
        services: Sequence[str] = SERVICES,
    ) -> None:
        """``modules`` are run instead of the services of those names; as a context it starts ``services`` alone."""
        self.home = home
        self._services = services
        self.logs = LogFiles(home / "logs")
        self._ports = {name: free_port() for name in SERVICES}
        self._inherited = environment_of_services()
        self._fleet = Fleet(self.logs, inherited=self._inherited)
        self._modules = {name: f"services.{name}" for name in SERVICES} | dict(modules or {})
        self._environment = {
            **QUICK,
            **(environment or {}),
            "HEADSHOTS_HOME": str(home),
            "HEADSHOTS_FOUNDATION": str(foundation),
            "HEADSHOTS_GENERATOR_PACKAGE": str(package),
            "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": self.address("trainer"),
            "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": self.address("generator"),
        }
        for name, port in self._ports.items():
            self._environment[f"HEADSHOTS_{name.upper()}_PORT"] = str(port)
            self._environment.setdefault(f"HEADSHOTS_{name.upper()}_METRICS_PORT", "0")

    @property
    def environment(self) -> dict[str, str]:
        """All variables of the services."""
        return {**self._inherited, **self._environment}

    def address(self, name: str) -> str:
        """host:port of a service."""
        return f"127.0.0.1:{self._ports[name]}"

    def start(self, *names: str) -> None:
        """Start services and wait until they serve."""
        for name in names:
            self.launch(name)
        addresses = {name: self.address(name) for name in names}
        wait_until_serving(self._fleet, addresses, timeout_seconds=PATIENCE_SECONDS, on_serving=lambda _: None)

    def launch(self, name: str) -> None:
        """Start a service and do not wait."""
        self._fleet.start(name, self._modules[name], self._environment)

    def pid(self, name: str) -> int:
        """The id of a service's process."""
        return self._fleet.pids()[name]

    def has_ended(self, name: str) -> bool:
        """Whether a service that was started, and not killed here, runs no more."""
        return self._fleet.exit_code(name) is not None

    def kill(self, name: str) -> None:
        """As a crash: SIGKILL, nothing said."""
        self._fleet.kill(name)

    @property
    def api_key(self) -> str:
        """The key that the gateway's first start made."""
        return (self.home / "api-key").read_text().strip()

    def client(self) -> AsyncHeadshots:
        """A client with that key."""
        return AsyncHeadshots(
            self.address("gateway"), self.api_key, timeout_seconds=PATIENCE_SECONDS, reconnect_seconds=PATIENCE_SECONDS
        )

    def object(self, key: str) -> Path:
        """The file of an object."""
        return self.home / "objects" / key

    def __enter__(self) -> Self:
        self.start(*self._services)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fleet.stop()
        if error is not None:
            for name in self._services:
                print(f"--- {name}\n{self.logs.tail(name, lines=30)}")


def selfies(person: int, count: int = 6) -> list[bytes]:
    """Photos of one person: each person has a colour pattern of their own."""
    face_HWC = np.random.default_rng(person).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    files = []
    for number in range(count):
        noise_HWC = np.random.default_rng([person, number]).integers(-24, 24, (6, 6, 3))
        pixels_HWC = np.clip(face_HWC + noise_HWC, 0, 255).astype(np.uint8)
        packed = io.BytesIO()
        Image.fromarray(pixels_HWC).resize((96, 96), Image.Resampling.BICUBIC).save(packed, "JPEG", quality=92)
        files.append(packed.getvalue())
    return files


def pixels(content: bytes) -> np.ndarray:
    """An image file as float64 [H, W, 3], 0 to 255."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float64)
