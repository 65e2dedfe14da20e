"""Gives tests a gateway's view of several generators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway.replicas import Replicas


@pytest.fixture
async def replicas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replicas]:
    """None runs yet; for one test."""
    found = Replicas(tmp_path)
    monkeypatch.setattr("services.gateway.peers.generators.rpc.replica_addresses", found.resolve)
    yield found
    await found.close()
