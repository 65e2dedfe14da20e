"""`headshots doctor` beside the real services: while they run, and when one is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.foundations.engines import tiny_digest, tiny_foundation, tiny_package
from tests.support.live_platform import LivePlatform
from tests.support.waiting import PATIENCE_SECONDS

# The tiny foundation paints neither drawn nor real people.
JUDGED_BY_NOBODY = {"HEADSHOTS_GATEWAY_FACES": "none", "HEADSHOTS_TRAINER_FACES": "none"}
Found = dict[tuple[str, str], dict[str, str]]


def doctor(platform: LivePlatform, *arguments: str, code: int) -> Found:
    """Results by service and check; what several findings have is the last one's."""
    done = subprocess.run(
        [sys.executable, "-m", "headshots", "doctor", *arguments, "--json"],
        env={**platform.environment, **JUDGED_BY_NOBODY},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    assert platform.api_key not in done.stdout
    return {(each["service"], each["check"]): each for each in json.loads(done.stdout)}


def files(platform: LivePlatform) -> set[Path]:
    """Those of the home, but for logs and what SQLite makes while it is open."""
    found = {path.relative_to(platform.home) for path in platform.home.rglob("*") if path.is_file()}
    return {path for path in found if path.parts[0] != "logs" and path.suffix not in (".db-wal", ".db-shm")}


def test_it_tells_what_runs_and_what_is_lost(tmp_path: Path) -> None:
    with LivePlatform(tmp_path, tiny_foundation(), tiny_package().folder) as platform:
        before = files(platform)
        found = doctor(platform, code=0)
        assert {each["state"] for each in found.values()} <= {"ok", "warning", "skipped"}
        for service in ("gateway", "trainer", "generator"):
            assert found[service, "ports"]["seen"].startswith("the service runs here")
            assert found[service, "object store"]["seen"].startswith("put, get, list and delete work")
        assert found["gateway", "schema"]["seen"].endswith("the newest")
        assert found["gateway", "same foundation"]["seen"].startswith("all 2 run")
        assert tiny_digest()[:12] in found["gateway", "same foundation"]["seen"]
        assert files(platform) == before, "nothing of the probes is left"

        address = platform.address("gateway")
        outside = doctor(platform, "--gateway", address, code=0)
        assert outside[f"gateway {address}", "API key"]["seen"] == "accepted, of tenants/default"

        platform.kill("trainer")
        # Its gateway runs, so the trainer should too.
        lost = doctor(platform, code=4)
        assert lost["gateway", "trainer"]["state"] == "failed"
        assert lost["gateway", "generator"]["state"] == "ok"
        assert lost["trainer", "ports"]["seen"].startswith("free")
