"""Runs the whole job from Node with @grpc/grpc-js and the .proto files, as a client that shares none of our code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.live_platform import LivePlatform, selfies
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS

SOURCE = ROOT / "examples" / "node"
STYLES = ["studio-navy-suit", "park-denim-jacket"]


def node_client(folder: Path) -> Path:
    """A copy of the example with its locked packages; skips where Node or a package index is not at hand.

    In CI a Node that is there must be used: there only a missing Node skips.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    for name in ("client.js", "package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
    )
    if done.returncode != 0 and not os.environ.get("CI"):
        pytest.skip(f"npm ci failed, no package index? {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder / "client.js"


def run_client(
    client: Path, environment: dict[str, str], *arguments: str, patience: float = PATIENCE_SECONDS
) -> subprocess.CompletedProcess[str]:
    """The client with these arguments, to its end."""
    command = ["node", str(client), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=patience)


def write_selfies(folder: Path) -> Path:
    """A folder of photos of one person."""
    folder.mkdir()
    for number, content in enumerate(selfies(9)):
        (folder / f"{number}.jpg").write_bytes(content)
    return folder


def check_answer(answer: dict[str, Any]) -> None:
    """Checks that a training and a gallery of two shots of each style are done, with the images' files."""
    assert answer["photos"] == 6
    assert answer["training"]["state"] == "JOB_STATE_SUCCEEDED"
    assert answer["training"]["step"] == answer["training"]["totalSteps"] == 5
    assert len(answer["training"]["adapter"]["sha256"]) == 64
    assert answer["gallery"]["state"] == "JOB_STATE_SUCCEEDED"
    images = answer["gallery"]["images"]
    assert {(each["style"], each["seed"]) for each in images} == {(f"styles/{s}", n) for s in STYLES for n in (0, 1)}
    for each in images:
        content = Path(each["file"]).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert hashlib.sha256(content).hexdigest() == each["sha256"]


def test_node_trains_and_receives_a_gallery(tmp_path: Path) -> None:
    client = node_client(tmp_path)
    arguments = [str(write_selfies(tmp_path / "selfies")), str(tmp_path / "gallery"), *STYLES]
    with LivePlatform(tmp_path / "home", tiny_foundation(), tiny_package().folder) as platform:
        environment = {
            **os.environ,
            "HEADSHOTS_ADDRESS": platform.address("gateway"),
            "HEADSHOTS_API_KEY": platform.api_key,
            "HEADSHOTS_PROTOS": str(ROOT / "protos"),
            "HEADSHOTS_STEPS": "5",
        }
        done = run_client(client, environment, *arguments, patience=2 * PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        refused = run_client(client, {**environment, "HEADSHOTS_API_KEY": "hs_0_wrong"}, *arguments)
        wrong_style = run_client(client, environment, *arguments, "nosuch")
        bare = run_client(client, environment)
    check_answer(json.loads(done.stdout))
    assert refused.returncode == 1
    assert "headshots keys create" in refused.stderr
    assert wrong_style.returncode == 1
    assert "nosuch" in wrong_style.stderr
    assert "JOB_STATE" not in wrong_style.stderr, "it must fail before a training starts"
    assert bare.stderr.startswith("failed: usage: ")
