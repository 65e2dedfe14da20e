"""What holds for every test."""

from __future__ import annotations

import os
import shutil
import signal
import socketserver
import tempfile
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from headshots.client import connection
from headshots.processes.cpus import usable_cpus
from headshots.processes.imports import importing
from headshots.rpc import channel
from tests.support.compiled import share_compiled_statements
from tests.support.paths import SHARED_ENGINES

# How fast an example is says nothing of what it shows, and the machine may be busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A server of metrics looks twice a second whether it is to end, and nearly every test has two or three to end.
socketserver.BaseServer.serve_forever.__defaults__ = (0.01,)

share_compiled_statements()

# Clients ask a server that is away as often as ever, but within a tenth of a second: two to four seconds of every test
# that takes one away.
channel._RETRY_POLICY.update({"initialBackoff": "0.02s", "maxBackoff": "0.05s"})
_quick = connection.SERVICE_CONFIG.replace('"0.25s"', '"0.02s"').replace('"2s"', '"0.05s"')
assert _quick != connection.SERVICE_CONFIG
connection.CHANNEL_OPTIONS["grpc.service_config"] = _quick

# A shell starts background jobs with Ctrl-C ignored, and programs inherit that: tests that press Ctrl-C on a program of
# ours would wait for ever when the tests themselves run in the background.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where a process a core runs tests, two threads of torch in each would wait for each other (docs/foundation.md); what
# tests start inherits it. Before torch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers() -> int:
    """Processes of `-n auto`: half as many again as cores. Tests wait a quarter of their time."""
    cores = usable_cpus()
    return cores + cores // 2


def pytest_configure(config: pytest.Config) -> None:
    """What the processes of this session share; workers inherit it."""
    if not os.environ.get(SHARED_ENGINES):
        os.environ[SHARED_ENGINES] = tempfile.mkdtemp(prefix="headshots-engines-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(SHARED_ENGINES), ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import the tests, and with them torch."""
    with importing():
        return (yield)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch with one thread: tensors of tests are too small to share, and the machine may be busy."""
    import torch  # not for everybody: most tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
