"""A client that shares none of our code: Node with @grpc/grpc-js and the .proto files does the whole job."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engines import tiny_foundation, tiny_package
from tests.support.live_platform import LivePlatform, selfies
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
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


def test_node_trains_and_receives_a_gallery(tmp_path: Path) -> None:
    client = node_client(tmp_path)
    photos = tmp_path / "selfies"
    photos.mkdir()
    for number, content in enumerate(selfies(9)):
        (photos / f"{number}.jpg").write_bytes(content)
    with LivePlatform(tmp_path / "home", tiny_foundation(), tiny_package().folder) as platform:
        environment = {
            **os.environ,
            "HEADSHOTS_ADDRESS": platform.address("gateway"),
            "HEADSHOTS_API_KEY": platform.api_key,
            "HEADSHOTS_PROTOS": str(ROOT / "protos"),
            "HEADSHOTS_STEPS": "5",
        }
        command = ["node", str(client), str(photos), str(tmp_path / "gallery"), *STYLES]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        wrong_key = {**environment, "HEADSHOTS_API_KEY": "hs_0_wrong"}
        refused = subprocess.run(command, env=wrong_key, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        wrong_style = subprocess.run(
            [*command, "nosuch"], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        bare = subprocess.run(command[:2], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    said = json.loads(done.stdout)
    assert said["photos"] == 6
    assert said["training"]["state"] == "JOB_STATE_SUCCEEDED"
    assert said["training"]["step"] == said["training"]["totalSteps"] == 5
    assert len(said["training"]["adapter"]["sha256"]) == 64
    assert said["gallery"]["state"] == "JOB_STATE_SUCCEEDED"
    images = said["gallery"]["images"]
    assert {(each["style"], each["seed"]) for each in images} == {(f"styles/{s}", n) for s in STYLES for n in (0, 1)}
    for each in images:
        content = Path(each["file"]).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
    assert refused.returncode == 1
    assert "headshots keys create" in refused.stderr
    assert wrong_style.returncode == 1
    assert "nosuch" in wrong_style.stderr
    assert "JOB_STATE" not in wrong_style.stderr, "nothing was trained before it was told"
    assert bare.stderr.startswith("failed: usage: ")
