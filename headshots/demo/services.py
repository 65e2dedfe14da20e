"""Runs the demo's three services in a home of their own, on free ports, without the caller's settings."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from headshots.demo.analyzer import Analyzer
from headshots.diffusion.export.ensure import ExportOptions, package_name
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.package import MANIFEST
from headshots.processes.fleet import Fleet, ServicesFailedError
from headshots.processes.log_files import LogFiles
from headshots.processes.ports import free_port
from headshots.processes.serving import is_serving

# A large foundation takes minutes to load, or to be exported for the first time; one that dies is noticed at once.
READY_SECONDS = 1800.0
POLL_SECONDS = 0.15


@dataclass(frozen=True)
class Ports:
    """gRPC ports on loopback."""

    gateway: int
    trainer: int
    generator: int

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody uses now."""
        return cls(free_port(), free_port(), free_port())

    def addresses(self) -> dict[str, str]:
        """host:port by service."""
        return {name: f"127.0.0.1:{port}" for name, port in asdict(self).items()}


class DemoServices:
    """Export and services as children of `fleet`, which stops them."""

    def __init__(
        self,
        fleet: Fleet,
        logs: LogFiles,
        *,
        home: Path,
        foundation: Path,
        engines: Path,
        analyzer: Analyzer,
        styles: Path,
    ) -> None:
        self._fleet = fleet
        self._logs = logs
        self._foundation = foundation
        self._engines = engines
        self._ports = Ports.free()
        self.api_key_file = home / "api-key"
        self._environment = {
            "HEADSHOTS_HOME": str(home),
            "HEADSHOTS_FOUNDATION": str(foundation),
            # Into the foundation they are fused already.
            "HEADSHOTS_FUSE": "",
            "HEADSHOTS_FEW_STEPS": "",
            "HEADSHOTS_GENERATOR_ENGINES_DIR": str(engines),
            "HEADSHOTS_GENERATOR_PACKAGE": str(self._package()),
            "HEADSHOTS_GATEWAY_STYLES": str(styles),
            "HEADSHOTS_GATEWAY_FACES": analyzer.name,
            "HEADSHOTS_TRAINER_FACES": analyzer.name,
            "HEADSHOTS_GENERATOR_FACES": analyzer.name,
            "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": self._ports.addresses()["trainer"],
            "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": self._ports.addresses()["generator"],
        }
        if analyzer.folder is not None:
            for name in ("GATEWAY", "TRAINER", "GENERATOR"):
                self._environment[f"HEADSHOTS_{name}_FACES_DIR"] = str(analyzer.folder)
        for name, port in asdict(self._ports).items():
            self._environment[f"HEADSHOTS_{name.upper()}_PORT"] = str(port)
            # 0: a free one, which nobody needs to know here.
            self._environment[f"HEADSHOTS_{name.upper()}_METRICS_PORT"] = "0"

    @property
    def gateway(self) -> str:
        """The gateway's host:port."""
        return self._ports.addresses()["gateway"]

    def has_package(self) -> bool:
        """Whether the engine package is there from an earlier run.

        Raises:
            InvalidArgumentError: FOUNDATION_…: the folder is not a foundation.
        """
        return (self._package() / MANIFEST).is_file()

    def _package(self) -> Path:
        foundation = Foundation.read(self._foundation)
        digest = foundation_digest(self._foundation)
        return self._engines / package_name(foundation, digest, ExportOptions().resolved(foundation))

    async def export(self, on_progress: Callable[[str, float], None]) -> None:
        """Make the engine package, in a process that ends with it.

        Raises:
            ServicesFailedError: EXPORT_FAILED, with the end of its log.
        """
        options = asdict(ExportOptions().resolved(Foundation.read(self._foundation)))
        arguments = ["--foundation", str(self._foundation), "--cache", str(self._engines)]
        self._fleet.start(
            "export",
            "headshots.diffusion.export",
            self._environment,
            [*arguments, "--options", json.dumps(options)],
        )
        while (code := self._fleet.exit_code("export")) is None:
            await asyncio.sleep(POLL_SECONDS)
            kind, _, rest = self._logs.tail("export", lines=1).partition("\t")
            share, _, stage = rest.partition("\t")
            if kind == "progress":
                on_progress(stage, float(share))
        self._fleet.kill("export")
        if code != 0:
            raise ServicesFailedError("EXPORT_FAILED", f"exit code {code}: {self._logs.tail('export', lines=3)}")

    async def start(self, on_serving: Callable[[int], None]) -> None:
        """Start all three and wait until they serve; tells how many do.

        Raises:
            ServicesFailedError: one died, or is not ready in time.
        """
        waiting = self._ports.addresses()
        for name in waiting:
            self._fleet.start(name, f"services.{name}", self._environment)
        deadline = time.monotonic() + READY_SECONDS
        while waiting:
            self.check()
            if time.monotonic() > deadline:
                raise ServicesFailedError(
                    "SERVICE_NOT_READY", f"{', '.join(waiting)} not ready after {READY_SECONDS:.0f} s"
                )
            for name, address in list(waiting.items()):
                if await asyncio.to_thread(is_serving, address):
                    del waiting[name]
                    on_serving(3 - len(waiting))
            await asyncio.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raises ServicesFailedError, with the end of its log, where a service has died."""
        if (dead := self._fleet.exited()) is not None:
            name, code = dead
            raise ServicesFailedError(
                "SERVICE_DIED", f"the {name} ended with exit code {code}: {self._logs.tail(name)}"
            )

    async def watch(self) -> None:
        """Runs until a service dies, and then raises what `check` raises."""
        while True:
            self.check()
            await asyncio.sleep(POLL_SECONDS)
