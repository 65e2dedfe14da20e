"""What integration tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy import postgres
from tests.support.fake_gateway.gateway import fake_gateway_in_thread
from tests.support.kubernetes_api import FakeKubernetes, fake_kubernetes
from tests.support.terminal import Terminal


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this process, without a database's name."""
    with postgres.server() as url:
        yield url


@pytest.fixture
def kubernetes(tmp_path: Path) -> Iterator[FakeKubernetes]:
    """Kubernetes' API, which takes what pods tell of themselves."""
    with fake_kubernetes(tmp_path / "account") as fake:
        yield fake


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A command line and an empty gateway."""
    with fake_gateway_in_thread() as (fake, address):
        yield Terminal(fake, address)
