"""Runs the command line and the services of a checkout, which need not be the one this script is of.

Commands, their options, settings and the health probe are all that is used, so that one version of this script can
measure any revision.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots.settings import without_settings

SERVICES = ("gateway", "trainer", "generator")
# CPUs of trainings and of the generator: always as many, as sums over shares depend on their number.
THREADS = 2
READY_SECONDS, COMMAND_SECONDS, STOP_SECONDS = 600.0, 3600.0, 60.0
_PACKAGES = ("headshots", "foundry.portraits", *(f"services.{name}" for name in SERVICES))
_PROBE = f"import {', '.join(_PACKAGES)}\nfor module in ({', '.join(_PACKAGES)}): print(module.__file__)"


@dataclass(frozen=True)
class Checkout:
    """A working tree of this repository."""

    root: Path

    def environment(self, home: Path, **settings: str) -> dict[str, str]:
        """Our variables with the checkout on the import path, and no HEADSHOTS_ ones but the home and ``settings``."""
        return {**without_settings(os.environ, checkout=self.root), "HEADSHOTS_HOME": str(home), **settings}

    def python(self, *arguments: str, environment: Mapping[str, str]) -> str:
        """What ``python ARGUMENTS`` prints.

        Raises:
            subprocess.CalledProcessError: it failed; why, it has said on stderr.
            subprocess.TimeoutExpired: it took an hour.
        """
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=dict(environment),
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            timeout=COMMAND_SECONDS,
        )
        return done.stdout

    def headshots(self, *arguments: str, environment: Mapping[str, str]) -> Any:
        """What ``headshots ARGUMENTS --json`` answers; raises what `python` raises."""
        return json.loads(self.python("-m", "headshots", *arguments, "--json", environment=environment))

    def check_imports(self, environment: Mapping[str, str]) -> None:
        """Leave if child processes would import another checkout, such as the one that is installed."""
        for file in self.python("-c", _PROBE, environment=environment).splitlines():
            if not Path(file).is_relative_to(self.root):
                sys.exit(f"{self.root} is to be measured, but child processes import {file}")

    def revision(self) -> str:
        """The commit, and whether tracked files differ from it."""
        commit, changes = (self._git("rev-parse", "HEAD"), self._git("status", "--porcelain", "--untracked-files=no"))
        return f"{commit} with changes" if changes else commit

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, check=True, text=True, stdout=subprocess.PIPE)
        return done.stdout.strip()


@contextlib.contextmanager
def serving(checkout: Checkout, home: Path, package: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """The three services by ``headshots serve all ARGUMENTS``, on free ports; yields their clients' environment."""
    ports = dict(zip(SERVICES, _free_ports(len(SERVICES)), strict=True))
    settings = {
        "HEADSHOTS_ADDRESS": f"127.0.0.1:{ports['gateway']}",
        "HEADSHOTS_GENERATOR_PACKAGE": str(package),
        "HEADSHOTS_GENERATOR_THREADS": str(THREADS),
        "HEADSHOTS_TRAINER_THREADS": str(THREADS),
        # Signatures are new every time, and a revision before the marking has none.
        **{f"HEADSHOTS_MARKING_{layer}": "false" for layer in ("WATERMARK", "METADATA", "C2PA")},
    }
    if "--foundation" in arguments:
        # The analyzer for real people is not installed there, and all that other foundations paint here is noise.
        settings |= {"HEADSHOTS_GATEWAY_FACES": "none", "HEADSHOTS_TRAINER_FACES": "none"}
    for name, port in ports.items():
        settings |= {f"HEADSHOTS_{name.upper()}_PORT": str(port), f"HEADSHOTS_{name.upper()}_METRICS_PORT": "0"}
    environment = checkout.environment(home, **settings)
    command = [sys.executable, "-m", "headshots", "serve", "all", *arguments]
    # stdout is for the result.
    process = subprocess.Popen(command, cwd=checkout.root, env=environment, stdout=sys.stderr)
    try:
        deadline = time.monotonic() + READY_SECONDS
        for port in ports.values():
            while not _is_serving(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the services are not ready; what they said stands above")
                time.sleep(0.2)
        yield environment
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def _is_serving(port: int) -> bool:
    """Whether the server on the port answers SERVING to a health probe."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, contextlib.suppress(grpc.RpcError):
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False
