"""Tests that child processes are listened to, found dead, stopped in order, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from headshots.processes.fleet import Fleet, ServicesFailedError
from headshots.processes.log_files import LogFiles
from headshots.processes.serving import wait_until_serving
from headshots.processes.signals import stopping_on_signals
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

# A service in miniature: says its id, starts a grandchild, ends on SIGTERM after saying so.
POLITE = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def leave(*_):
    print("draining", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", os.environ.get("COLOUR"), *sys.argv[1:], child.pid, flush=True)
while True:
    time.sleep(0.05)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


class Lines:
    """Keeps what children say, and waits for it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str, line: str) -> None:
        with self._changed:
            self.said.append((name, line))
            self._changed.notify_all()

    def wait_for(self, name: str, start: str) -> str:
        def found() -> list[str]:
            return [line for who, line in self.said if who == name and line.startswith(start)]

        with self._changed:
            assert self._changed.wait_for(found, timeout=PATIENCE_SECONDS), self.said
            return found()[0]


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, source in {"polite_service": POLITE, "stubborn_service": STUBBORN}.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    (tmp_path / "dying_service.py").write_text("import sys; print('no database', flush=True); sys.exit(7)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", ""), os.getcwd()]))


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for_the_end(pid: int) -> None:
    """Of a process that is no child of ours, and is about to end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("modules")
def test_children_get_their_environment_and_are_stopped_with_all_they_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.processes.fleet.STOP_SECONDS", PATIENCE_SECONDS)
    lines = Lines()
    with Fleet(lines) as fleet:
        fleet.start("one", "polite_service", {"COLOUR": "blue"}, ["--x", "1"])
        ready = lines.wait_for("one", "ready").split()
        assert ready[:4] == ["ready", "blue", "--x", "1"]
        pid, grandchild = fleet.pids()["one"], int(ready[4])
        assert fleet.exited() is None
    lines.wait_for("one", "draining")
    assert is_gone(pid)
    # It was killed, and has nobody who waits for it.
    wait_for_the_end(grandchild)


@pytest.mark.usefixtures("modules")
def test_who_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.processes.fleet.STOP_SECONDS", 0.3)
    lines = Lines()
    with Fleet(lines) as fleet:
        fleet.start("deaf", "stubborn_service", {})
        lines.wait_for("deaf", "ready")
        pid = fleet.pids()["deaf"]
    assert is_gone(pid)


@pytest.mark.usefixtures("modules")
def test_a_death_is_noticed_and_its_log_kept(tmp_path: Path) -> None:
    logs = LogFiles(tmp_path / "logs")
    with Fleet(logs) as fleet:
        fleet.start("gateway", "dying_service", {})
        with pytest.raises(ServicesFailedError, match="gateway ended with exit code 7"):
            wait_until_serving(
                fleet, {"gateway": f"127.0.0.1:{free_port()}"}, timeout_seconds=1e6, on_serving=lambda _: None
            )
        assert fleet.exited() == ("gateway", 7)
    assert logs.tail("gateway") == "no database"


@pytest.mark.usefixtures("modules")
def test_a_service_that_died_is_not_ready_though_another_server_answers_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    with Fleet(lambda _name, _line: None) as fleet:
        fleet.start("gateway", "dying_service", {})

        def another_answers(_address: str) -> bool:
            # Ours ends meanwhile, as it cannot listen on that port.
            until_ended = time.monotonic() + PATIENCE_SECONDS
            while fleet.exited() is None and time.monotonic() < until_ended:
                time.sleep(0.01)
            return True

        monkeypatch.setattr("headshots.processes.serving.is_serving", another_answers)
        with pytest.raises(ServicesFailedError, match="the gateway ended with exit code 7"):
            wait_until_serving(
                fleet, {"gateway": "127.0.0.1:1"}, timeout_seconds=PATIENCE_SECONDS, on_serving=told.append
            )
    assert told == ["gateway"]


@pytest.mark.usefixtures("modules")
def test_who_is_never_ready_is_given_up_on() -> None:
    lines = Lines()
    with Fleet(lines) as fleet:
        fleet.start("slow", "polite_service", {})
        with pytest.raises(ServicesFailedError) as caught:
            wait_until_serving(
                fleet, {"slow": f"127.0.0.1:{free_port()}"}, timeout_seconds=0.5, on_serving=lambda _: None
            )
    assert caught.value.reason == "SERVICE_NOT_READY"


@pytest.mark.usefixtures("modules")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_children_end_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time\n"
            "from headshots.processes.fleet import Fleet\n"
            "fleet = Fleet(lambda name, line: print(line, flush=True))\n"
            "fleet.start('one', 'polite_service', {})\n"
            "print('child', fleet.pids()['one'], flush=True)\n"
            "time.sleep(600)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    said: dict[str, str] = {}
    while {"child", "ready"} - said.keys():
        line = parent.stdout.readline()
        assert line, "it ended too early"
        word, _, rest = line.strip().partition(" ")
        said[word] = rest
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for_the_end(int(said["child"]))
    os.kill(int(said["ready"].split()[-1]), signal.SIGKILL)  # the grandchild that this service leaves behind


def test_sigterm_leaves_contexts_in_order() -> None:
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), stopping_on_signals():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
