"""Gives tests of erasures an object store."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.receipts.signing import ReceiptKey
from tests.support.gateway.restores import Place


@pytest.fixture
def store() -> ArtifactStore:
    """An empty one."""
    return ArtifactStore(MemoryStore())


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Place:
    """One with a key of its own."""
    return Place(engine, ReceiptKey.open(tmp_path / "receipt-key.pem"))
