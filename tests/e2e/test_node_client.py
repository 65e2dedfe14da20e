"""Runs a shoot from Node with @grpc/grpc-js and the .proto files, as a client that shares none of our code."""

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
from tests.support.images.pictures import backdrop, packed
from tests.support.live_platform import LivePlatform
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS

SOURCE = ROOT / "examples" / "node"
COUNT = 12


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
    """A folder of usable photos; without an analyzer nobody asks for faces."""
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(packed(backdrop(number), "JPEG"))
    return folder


def check_answer(answer: dict[str, Any]) -> None:
    """Checks that a shoot of all portraits is done, and that the ten first are files, best first."""
    assert answer["photos"] == 6
    shoot = answer["shoot"]
    assert shoot["state"] == "JOB_STATE_SUCCEEDED"
    assert shoot["trains"]
    assert shoot["trainingStep"] == shoot["trainingTotalSteps"] > 0
    assert (shoot["asked"], shoot["completedShots"]) == (COUNT, COUNT)
    assert shoot["guarantee"] == "GUARANTEE_NOT_MEASURED", "nobody can tell faces of this foundation"
    images = answer["images"]
    assert len(images) == 10
    assert [Path(each["file"]).name[:3] for each in images] == [f"{place:02d}-" for place in range(1, 11)]
    for each in images:
        content = Path(each["file"]).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert hashlib.sha256(content).hexdigest() == each["sha256"]


def test_node_orders_a_shoot_and_fetches_the_ten_best(tmp_path: Path) -> None:
    client = node_client(tmp_path)
    folders = [str(write_selfies(tmp_path / "selfies")), str(tmp_path / "portraits")]
    (tmp_path / "selfies" / "notes.txt").write_text("no photo")
    with LivePlatform(tmp_path / "home", tiny_foundation(), tiny_package().folder) as platform:
        environment = {
            **os.environ,
            "HEADSHOTS_ADDRESS": platform.address("gateway"),
            "HEADSHOTS_API_KEY": platform.api_key,
            "HEADSHOTS_PROTOS": str(ROOT / "protos"),
        }
        done = run_client(client, environment, *folders, "business", str(COUNT), patience=4 * PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        refused = run_client(client, {**environment, "HEADSHOTS_API_KEY": "hs_0_wrong"}, *folders, "business")
        wrong_pack = run_client(client, environment, *folders, "nosuch")
        too_many = run_client(client, environment, *folders, "business", "161")
        (tmp_path / "empty").mkdir()
        empty = run_client(client, environment, str(tmp_path / "empty"), folders[1], "business")
        bare = run_client(client, environment)
    check_answer(json.loads(done.stdout))
    assert refused.returncode == 1
    assert "headshots keys create" in refused.stderr
    assert wrong_pack.returncode == 1
    assert "nosuch" in wrong_pack.stderr
    assert "JOB_STATE" not in wrong_pack.stderr, "it must fail before a training starts"
    assert "count" in too_many.stderr
    assert "has no photos" in empty.stderr
    assert bare.stderr.startswith("failed: usage: ")
