"""`headshots serve all`, `keys` and `export` as commands."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.errors import UnavailableError
from headshots.rpc.internal.settings import InternalSettings
from headshots.settings import without_settings
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.rpc import open_peer
from tests.support.certificates import Authority, settings_with
from tests.support.foundations.engines import OPTIONS, engines, tiny_foundation, tiny_package
from tests.support.grants import signer_of
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

SERVICES = ("gateway", "trainer", "generator")


def serve_environment() -> dict[str, str]:
    variables = without_settings(os.environ)
    variables |= {f"HEADSHOTS_{name.upper()}_METRICS_PORT": "0" for name in SERVICES}
    ports = {name: str(free_port()) for name in SERVICES}
    variables |= {f"HEADSHOTS_{name.upper()}_PORT": port for name, port in ports.items()}
    variables["HEADSHOTS_GATEWAY_LINKS_PORT"] = "0"
    variables["HEADSHOTS_GENERATOR_PACKAGE"] = str(tiny_package().folder)
    # Not the analyzer for real people, which would have to be installed.
    variables |= {"HEADSHOTS_GATEWAY_FACES": "none", "HEADSHOTS_TRAINER_FACES": "none"}
    return variables


def serve_all(home: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
    """Return the process and the file of what it says: a pipe's reader may keep lines that `communicate` misses."""
    home.mkdir(exist_ok=True)
    said = home / "said.log"
    command = [sys.executable, "-m", "headshots", "serve", "all", "--home", str(home)]
    with said.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--foundation", str(tiny_foundation())],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "ready; the API key is in" not in said.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise AssertionError(said.read_text())
        time.sleep(0.05)
    return process, said


def test_serve_all_serves_and_stops_when_told(tmp_path: Path) -> None:
    environment = serve_environment()
    process, log = serve_all(tmp_path, environment)
    children = psutil.Process(process.pid).children()
    assert len(children) == 3
    asked = subprocess.run(
        [sys.executable, "-m", "headshots", "styles", "list", "--json"],
        env={
            **environment,
            "HEADSHOTS_HOME": str(tmp_path),
            "HEADSHOTS_ADDRESS": f"127.0.0.1:{environment['HEADSHOTS_GATEWAY_PORT']}",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert asked.returncode == 0, asked.stderr
    assert len(json.loads(asked.stdout)) >= 6
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)
    said = log.read_text()
    assert process.returncode == 0, said
    assert "gateway   | " in said, "lines carry the name of who said them"
    # Once more where it is read: the services' own warnings stand far above.
    (warning,) = [line for line in said.split("ready;")[1].splitlines() if "no analyzer of faces" in line]
    assert "Set HEADSHOTS_GATEWAY_FACES and HEADSHOTS_TRAINER_FACES to people" in warning
    assert not any(child.is_running() for child in children)


def test_serve_all_serves_with_tls_between_the_three(tmp_path: Path) -> None:
    files = settings_with(Authority.make(tmp_path / "ca").issue(tmp_path / "tls"), tmp_path)
    environment = serve_environment() | {
        "HEADSHOTS_INTERNAL_CERTIFICATE_FILE": str(files.certificate_file),
        "HEADSHOTS_INTERNAL_CERTIFICATE_KEY_FILE": str(files.certificate_key_file),
        "HEADSHOTS_INTERNAL_CA_FILE": str(files.ca_file),
    }
    process, _ = serve_all(tmp_path, environment)

    async def described(settings: InternalSettings) -> int:
        channel = open_peer(f"127.0.0.1:{environment['HEADSHOTS_GENERATOR_PORT']}", settings)
        try:
            return (await RpcGenerator(channel, signer_of(tmp_path)).describe()).max_rank
        finally:
            await channel.close()

    try:
        assert asyncio.run(described(files)) == OPTIONS.max_rank
        with pytest.raises(UnavailableError):
            asyncio.run(described(InternalSettings(files.key_file)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def test_serve_all_ends_with_1_when_a_service_dies(tmp_path: Path) -> None:
    process, log = serve_all(tmp_path, serve_environment())
    children = psutil.Process(process.pid).children()
    generator = next(child for child in children if "services.generator" in child.cmdline())
    generator.kill()
    process.wait(PATIENCE_SECONDS)
    said = log.read_text()
    assert process.returncode == 1, said
    assert "SERVICE_DIED: the generator ended with exit code -9" in said
    assert not any(child.is_running() for child in children)


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["keys", *arguments], env={"HEADSHOTS_HOME": str(tmp_path)})
        assert result.exit_code == code, result.output
        return result.stdout

    key = run("create", "--tenant", "acme", "--label", "laptop").strip()
    assert key.startswith("hs_")
    second = json.loads(run("create", "--json", "--save"))
    assert second["tenant"] == "default"
    assert second["id"] == second["key"].split("_")[1]
    file = tmp_path / "api-key"
    assert file.read_text().strip() == second["key"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (mine,) = json.loads(run("list", "--tenant", "acme", "--json"))
    assert (mine["tenant"], mine["label"]) == ("acme", "laptop")
    assert datetime.fromisoformat(mine["create_time"]).tzinfo is not None
    assert mine["revoke_time"] is None
    assert key.split("_")[1] == mine["id"]
    assert key.split("_", 2)[2] not in run("list", "--json")
    run("revoke", mine["id"])
    (revoked,) = json.loads(run("list", "--tenant", "acme", "--json"))
    assert revoked["revoke_time"] is not None
    # A script that has the key alone can end it.
    assert json.loads(run("revoke", second["key"], "--json")) == {"revoked": second["id"]}
    run("revoke", "nobody", code=4)
    run("create", "--tenant", "Not A Name", code=4)
    run("create", "--database", f"sqlite:///{tmp_path}/slip/headshots.db", code=4)
    assert not (tmp_path / "slip").exists()


def test_export_prints_the_package_and_makes_it_once() -> None:
    package = tiny_package().folder
    written = (package / "engine.json").stat().st_mtime_ns
    arguments = ["export", "--foundation", str(tiny_foundation()), "--engines", str(engines())]
    options = ["--max-rank", str(OPTIONS.max_rank), "--slots", str(OPTIONS.slots), "--max-rows", str(OPTIONS.max_rows)]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exit_code == 0, result.output
    assert Path(result.stdout.strip()) == package
    assert (package / "engine.json").stat().st_mtime_ns == written


def test_export_refuses_what_is_no_foundation(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", "--foundation", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 4, result.output
    assert "FOUNDATION_" in result.stderr
    assert not (tmp_path / "out").exists()
