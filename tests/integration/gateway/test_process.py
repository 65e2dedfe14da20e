"""The gateway as its own process: what it imports, the first key, the signal."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from headshots.client.stub import GatewayStub
from headshots.v1 import tenants_pb2
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

HEAVY = ("torch", "diffusers", "peft", "transformers", "onnxruntime", "onnx", "accelerate")


def test_the_gateway_imports_nothing_heavy() -> None:
    # c2pa reads strangers' files: that is for the decoding processes. Alembic is for starts that migrate.
    program = f"""
import sys
for name in {(*HEAVY, "c2pa", "alembic")!r}:
    sys.modules[name] = None  # importing it raises
import services.gateway.__main__
import headshots.keys, headshots.styles, headshots.imaging
assert not [name for name in sys.modules if name.startswith("opentelemetry")], "traces are off"
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_analyzer_brings_onnx_runtime_and_no_torch() -> None:
    program = f"""
import sys
for name in {[name for name in HEAVY if name != "onnxruntime"]!r}:
    sys.modules[name] = None
import services.gateway.__main__
from headshots.faces import open_analyzer
from headshots.v1 import tenants_pb2
assert "onnxruntime" not in sys.modules
assert open_analyzer("none") is None
assert open_analyzer("bundled") is not None
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_first_start_makes_a_key_and_sigterm_ends_it(tmp_path: Path) -> None:
    port = free_port()
    environ = {
        **os.environ,
        "HEADSHOTS_HOME": str(tmp_path / "home"),
        "HEADSHOTS_GATEWAY_PORT": str(port),
        "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
    }
    for name in ("HEADSHOTS_DATABASE_URL", "HEADSHOTS_STORE_URL"):
        environ.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "services.gateway"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE_SECONDS)
            key_file = tmp_path / "home" / "api-key"
            for made in (key_file, tmp_path / "home" / "receipt-key.pem"):
                assert stat.S_IMODE(made.stat().st_mode) == 0o600
            metadata = (("authorization", f"Bearer {key_file.read_text().strip()}"),)
            stub = GatewayStub(channel)
            answer = stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=metadata, timeout=PATIENCE_SECONDS)
            assert answer.tenant.name == "tenants/default"
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, log
    assert "Traceback" not in log
    assert "event loop uvloop" in log
    (warning,) = [line for line in log.splitlines() if "no analyzer of faces" in line]
    assert "guarantee of every gallery and shoot is NOT_MEASURED" in warning
    assert "Set HEADSHOTS_GATEWAY_FACES to people" in warning


# `{empty}`: an empty file, in whose place nothing is made.
BAD_SETTINGS = {
    "SHOTS_IN_FLIGHT=many": "SETTING_INVALID: HEADSHOTS_GATEWAY_SHOTS_IN_FLIGHT='many'",
    "FACES=guess": "SETTING_INVALID: HEADSHOTS_GATEWAY_FACES='guess' is none of bundled, people, opencv, none",
    "AUTHORITY_FILE={empty}/ca.pem": "SETTING_INVALID: HEADSHOTS_GATEWAY_AUTHORITY_FILE: {empty}/ca.pem is no file",
    "MINORS=maybe": "SETTING_INVALID: HEADSHOTS_GATEWAY_MINORS='maybe' is none of refuse, review, ignore",
    "UNSAFE_IMAGES=yes": "SETTING_INVALID: HEADSHOTS_GATEWAY_UNSAFE_IMAGES='yes' is none of refuse, review, ignore",
    "FACES=opencv": "ANALYZER_FOLDER_MISSING: ",
    "FACES=people": "ANALYZER_NOT_INSTALLED: the analyzer `people` is not in ",
    "BACKUP_HORIZON_DAYS=-1": "SETTING_INVALID: HEADSHOTS_GATEWAY_BACKUP_HORIZON_DAYS must be 0 to 400",
    "BACKUP_HORIZON_DAYS=401": "SETTING_INVALID: HEADSHOTS_GATEWAY_BACKUP_HORIZON_DAYS must be 0 to 400; more",
    "RECEIPT_KEY={empty}": "RECEIPT_KEY_INVALID: {empty} is no private key in PEM",
    "SCRATCH_DIR={empty}/scratch": "SCRATCH_UNUSABLE: no scratch folder in {empty}/scratch: ",
}


@pytest.mark.parametrize("setting", BAD_SETTINGS)
def test_a_bad_setting_is_named(tmp_path: Path, setting: str) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    name, _, value = setting.format(empty=empty).partition("=")
    environ = {**os.environ, "HEADSHOTS_HOME": str(tmp_path), f"HEADSHOTS_GATEWAY_{name}": value}
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway"], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"gateway: {BAD_SETTINGS[setting].format(empty=empty)}")
