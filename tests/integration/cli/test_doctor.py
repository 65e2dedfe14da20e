"""`headshots doctor`: services with much that is wrong at once, and a gateway from outside."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.doctor import processes
from headshots.doctor.findings import State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.doctor.stores import store_check
from tests.support.certificates import Authority
from tests.support.fake_gateway.gateway import API_KEY
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.terminal import Terminal
from tests.support.tls_proxy import tls_proxy
from tests.support.waiting import PATIENCE_SECONDS

SECRETS = ("geheim", "hs_geheim", "AKIDgeheim")


def doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HEADSHOTS_", "KUBERNETES_"))}
    return subprocess.run(
        [sys.executable, "-m", "headshots", "doctor", *arguments],
        env={**environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


class _Refusing(http.server.BaseHTTPRequestHandler):
    """A bucket whose policy allows nothing."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        status, code = (404, "NoSuchBucket") if "/nobodys/" in self.path else (403, "AccessDenied")
        body = f"<Error><Code>{code}</Code><Message>not yours</Message></Error>".encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_POST = do_HEAD = _refuse

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing_bucket() -> Iterator[str]:
    """Its endpoint."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_all_that_is_wrong_is_told_at_once_each_with_its_cure_and_no_secret(
    tmp_path: Path, refusing_bucket: str
) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = doctor(
            "gateway",
            "--json",
            HEADSHOTS_HOME=str(tmp_path),
            HEADSHOTS_API_KEY="hs_geheim",
            HEADSHOTS_DATABASE_URL=f"postgresql+psycopg://ada:geheim@127.0.0.1:{free_port()}/headshots",
            HEADSHOTS_STORE_URL="s3://bucket/prefix",
            AWS_ENDPOINT=refusing_bucket,
            AWS_ALLOW_HTTP="true",
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="AKIDgeheim",
            AWS_SECRET_ACCESS_KEY="geheim-of-aws",
            HEADSHOTS_GATEWAY_PORT=str(other.getsockname()[1]),
            HEADSHOTS_GATEWAY_METRICS_PORT="0",
            HEADSHOTS_GATEWAY_FACES="people",
            HEADSHOTS_GATEWAY_STYLES=str(tmp_path / "nowhere"),
            HEADSHOTS_GATEWAY_RECEIPT_KEY=str(empty),
            HEADSHOTS_GATEWAY_CALLS_PER_TENANT="0",
            HEADSHOTS_GATEWAY_TRAINER_ADDRESS=f"127.0.0.1:{free_port()}",
            HEADSHOTS_GATEWAY_GENERATOR_ADDRESS="generator.invalid:50053",
        )
    assert (done.returncode, done.stderr) == (4, "")
    found = {each["check"]: each for each in json.loads(done.stdout)}
    wrong = {name for name, each in found.items() if each["state"] == "failed"}
    assert wrong == {
        *("settings", "analyzer", "styles", "database", "object store", "receipt key", "ports"),
        *("trainer", "generator"),
    }
    assert all(each["cure"] for each in found.values() if each["state"] in ("failed", "warning"))
    assert "HEADSHOTS_GATEWAY_CALLS_PER_TENANT must be at least 1" in found["settings"]["seen"]
    assert "AccessDenied" in found["object store"]["seen"] or "403" in found["object store"]["seen"]
    for secret in SECRETS:
        assert secret not in done.stdout


def test_a_bucket_that_is_not_there_is_told(refusing_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"ENDPOINT": refusing_bucket, "ALLOW_HTTP": "true", "REGION": "x", "ACCESS_KEY_ID": "a"}
    for name, value in {**variables, "SECRET_ACCESS_KEY": "geheim"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    check = store_check("object store", "s3://nobodys/prefix", "HEADSHOTS_STORE_URL")
    (found,) = run("gateway", [check], Redactor({}))
    assert (found.state, found.seen.partition(":")[0]) == (State.FAILED, "put")
    assert "404" in found.seen
    assert "Debug source" not in found.seen


def test_three_services_that_could_start_have_no_failure_and_write_nothing(tmp_path: Path) -> None:
    ports = {
        f"HEADSHOTS_{name}_{kind}": str(free_port())
        for name in ("GATEWAY", "TRAINER", "GENERATOR")
        for kind in ("PORT", "METRICS_PORT")
    }
    home = tmp_path / "home"
    done = doctor("--home", str(home), **ports, HEADSHOTS_GATEWAY_LINKS_PORT="0", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    # A path that is longer than the column stays whole.
    assert all(len(line) <= 80 or len(line.split()[-1]) > 80 - 26 for line in lines)
    assert [line for line in lines if not line.startswith(" ")][:3] == ["gateway", "trainer", "generator"]
    assert not home.exists()


def test_a_foundation_that_is_not_there_is_a_finding_and_no_usage_error(tmp_path: Path) -> None:
    done = doctor("trainer", HEADSHOTS_HOME=str(tmp_path), HEADSHOTS_FOUNDATION=str(tmp_path / "nowhere"))
    assert done.returncode == 4
    assert "FOUNDATION_NOT_FOUND" in done.stdout
    assert "object store" in done.stdout


@pytest.fixture
def checks_of_a_service(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The file of the checks of a service named `broken`, and the variables that it is found with."""
    package = tmp_path / "services" / "broken"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    return package / "doctor.py", {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def test_checks_that_break_off_are_told_with_the_last_that_they_said(
    checks_of_a_service: tuple[Path, dict[str, str]],
) -> None:
    module, environ = checks_of_a_service
    module.write_text("print('no result')\nraise ImportError('no password=geheim')")
    (found,) = processes.ask("broken", environ)
    assert (found.check, found.state) == ("process", State.FAILED)
    assert "ImportError: no password=***" in found.seen
    module.write_text("import time\ntime.sleep(1000)")
    (found,) = processes.ask("broken", environ, longest_seconds=1.0)
    assert "status -9" in found.seen


_HANGING = """
import time
from concurrent.futures import ThreadPoolExecutor

from headshots.doctor.processes import tell
from headshots.doctor.running import Check

# Its thread is one that the interpreter waits for at its end.
hang = Check("hanging", lambda: ThreadPoolExecutor().submit(time.sleep, 1000).result(), "wake it", 0.1)
tell("broken", lambda environ: environ, lambda _: [hang])
"""


def test_a_check_that_does_not_end_keeps_its_process_from_ending_no_more(
    checks_of_a_service: tuple[Path, dict[str, str]],
) -> None:
    module, environ = checks_of_a_service
    module.write_text(_HANGING)
    found = list(processes.ask("broken", environ, longest_seconds=PATIENCE_SECONDS))
    assert [each.check for each in found] == ["settings", "traces and logs", "hanging"]
    assert [each.state for each in found] == [State.OK, State.OK, State.FAILED]


def outside(terminal: Terminal, *more: str, code: int = 0) -> dict[str, dict[str, str]]:
    address = terminal.environment["HEADSHOTS_ADDRESS"]
    found = terminal.json("doctor", "--gateway", address, *more, code=code)
    return {each["check"]: each for each in found}


def test_a_gateway_from_outside_is_fine(terminal: Terminal) -> None:
    found = outside(terminal)
    assert list(found) == ["name", "connection", "TLS", "health", "API key", "styles", "round trip"]
    assert {name for name, each in found.items() if each["state"] != "ok"} == {"TLS"}
    assert found["API key"]["seen"].startswith("accepted, of tenants/")
    assert " ms a call" in found["round trip"]["seen"]
    assert API_KEY not in str(found)


def test_a_key_that_is_refused_hides_nothing(terminal: Terminal) -> None:
    found = outside(terminal, "--api-key", "hs_geheim", code=4)
    assert found["health"]["state"] == "ok"
    assert (found["API key"]["state"], found["API key"]["seen"][:15]) == ("failed", "API_KEY_UNKNOWN")
    assert "--api-key" in found["API key"]["cure"]
    assert (found["styles"]["state"], found["round trip"]["state"]) == ("skipped", "skipped")
    assert "hs_geheim" not in str(found)


@pytest.mark.parametrize(
    ("address", "check", "said"),
    [
        ("gateway.invalid:50051", "name", "gateway.invalid does not resolve"),
        ("https://gateway.example.com", "name", "ADDRESS_INVALID"),
        ("127.0.0.1:1", "connection", "ConnectionRefusedError"),
    ],
)
def test_nobody_at_the_address_is_told(terminal: Terminal, address: str, check: str, said: str) -> None:
    found = {each["check"]: each for each in terminal.json("doctor", "--gateway", address, code=4)}
    assert found[check]["state"] == "failed"
    assert said in found[check]["seen"]
    assert found[check]["cure"]
    assert [each["check"] for each in found.values() if each["state"] == "failed"] == [check], "one cause, told once"
    assert found["round trip"] == {**found["round trip"], "state": "skipped", "seen": "it needs 'API key' above"}


@pytest.mark.parametrize(("days", "state", "code"), [(20, "ok", 0), (10, "warning", 0), (-1, "failed", 4)])
def test_tls_is_checked_with_the_days_that_are_left(
    terminal: Terminal, tmp_path: Path, days: int, state: str, code: int
) -> None:
    folder = Authority.make(tmp_path / "ca").issue(tmp_path / "tls", days=days)
    port = int(terminal.environment["HEADSHOTS_ADDRESS"].rpartition(":")[2])
    with tls_proxy(folder, port) as address:
        arguments = ("doctor", "--gateway", address)
        plain = {each["check"]: each for each in terminal.json(*arguments, code=4)}
        found = {
            each["check"]: each for each in terminal.json(*arguments, "--tls-ca", str(folder / "ca.crt"), code=code)
        }
        trusting = {**terminal.environment, "SSL_CERT_FILE": str(folder / "ca.crt")}
        terminal.environment = trusting
        system = {each["check"]: each for each in terminal.json(*arguments, "--tls-ca", "system", code=code)}
    assert system["TLS"] == found["TLS"]
    assert (plain["TLS"]["state"], "--tls-ca" in plain["TLS"]["cure"]) == ("failed", True)
    assert (found["TLS"]["state"], found["API key"]["state"]) == (state, "skipped" if code else "ok"), found
    assert (f"{days} days" in found["TLS"]["seen"]) == (days > 0)
