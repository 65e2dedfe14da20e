"""Finds Prometheus and its promtool, or brings them from Debian's package without installing that."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headshots.diffusion.publish import exclusive
from tests.support.paths import ROOT

_FOLDER = ROOT / ".pytest_cache" / "prometheus"


def program(name: str) -> Path:
    """``promtool`` or ``prometheus``; the test is skipped where there is neither one nor Debian's packages."""
    if found := shutil.which(name):
        return Path(found)
    program = _FOLDER / "usr" / "bin" / name
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with exclusive(_FOLDER):
        if not program.exists():
            _bring()
    return program


def _bring() -> None:
    """apt verifies the package by Debian's keys. Its lists may be missing in a fresh container."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("no Prometheus, and no Debian to bring it from")
    download = ["apt-get", "download", "prometheus"]
    done = subprocess.run(download, cwd=_FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        done = subprocess.run(download, cwd=_FOLDER, capture_output=True, text=True, check=False)
    packages = list(_FOLDER.glob("prometheus_*.deb"))
    if not packages:
        pytest.skip(f"no Prometheus, and apt cannot bring it: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(_FOLDER)], check=True)


@dataclass(frozen=True)
class Prometheus:
    """A server that scrapes every second."""

    url: str
    process: subprocess.Popen[bytes]

    def query(self, path: str, **parameters: str) -> Any:
        """``data`` of an answer of its HTTP API; what it refuses fails the test with its words."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def answers(self) -> bool:
        """Whether it is ready."""
        assert self.process.poll() is None, "Prometheus ended; its words are in prometheus.log"
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready"):
                return True
        except OSError:
            return False

    def end(self) -> None:
        """Stop it as one that is lost is stopped."""
        self.process.kill()
        self.process.wait()


def start_prometheus(folder: Path, port: int, targets: Mapping[str, int], rules: Sequence[Path] = ()) -> Prometheus:
    """Start one in ``folder`` that scrapes ``targets``, ports of this machine by the service that has them.

    They get the labels that the PodMonitor gives. `answers` tells when it is ready.
    """
    static = [
        {"targets": [f"127.0.0.1:{number}"], "labels": {"service": name, "namespace": "headshots", "pod": f"{name}-0"}}
        for name, number in targets.items()
    ]
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [{"job_name": "headshots", "static_configs": static}],
    }
    file = folder / "prometheus.yaml"
    file.write_text(json.dumps(configuration))
    options = [f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program("prometheus"), *options, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    return Prometheus(f"http://127.0.0.1:{port}", process)
