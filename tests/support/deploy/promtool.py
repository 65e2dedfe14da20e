"""Finds Prometheus' promtool, or brings it from Debian's package without installing that."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from headshots.diffusion.publish import exclusive
from tests.support.paths import ROOT

_FOLDER = ROOT / ".pytest_cache" / "prometheus"


def promtool() -> Path:
    """The program; the test is skipped where there is neither one nor Debian's packages."""
    if found := shutil.which("promtool"):
        return Path(found)
    program = _FOLDER / "usr" / "bin" / "promtool"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with exclusive(_FOLDER):
        if not program.exists():
            _bring()
    return program


def _bring() -> None:
    """apt verifies the package by Debian's keys. Its lists may be missing in a fresh container."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("no promtool, and no Debian to bring it from")
    download = ["apt-get", "download", "prometheus"]
    done = subprocess.run(download, cwd=_FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        done = subprocess.run(download, cwd=_FOLDER, capture_output=True, text=True, check=False)
    packages = list(_FOLDER.glob("prometheus_*.deb"))
    if not packages:
        pytest.skip(f"no promtool, and apt cannot bring it: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(_FOLDER)], check=True)
