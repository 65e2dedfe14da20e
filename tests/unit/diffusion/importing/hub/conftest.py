"""A hub on loopback with one pipeline, and a cache of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.diffusion.importing.hub.repository import Hub
from tests.support.foundations.hub_server import HubServer, Repository, serving
from tests.support.foundations.paper import paper_pipeline


@pytest.fixture
def server() -> Iterator[HubServer]:
    with serving() as server:
        server.repositories["org/model"] = Repository()
        server.repositories["org/model"].commit(paper_pipeline())
        yield server


@pytest.fixture
def hub(server: HubServer, tmp_path: Path) -> Hub:
    return Hub(server.url, tmp_path / "cache")
