"""What integration tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deploy import postgres
from tests.support.fake_gateway.gateway import fake_gateway_in_thread
from tests.support.terminal import Terminal


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this process, without a database's name."""
    with postgres.server() as url:
        yield url


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A command line and an empty gateway."""
    with fake_gateway_in_thread() as (fake, address):
        yield Terminal(fake, address)
