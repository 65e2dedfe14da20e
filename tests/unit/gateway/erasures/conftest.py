"""Gives tests of erasures an object store."""

from __future__ import annotations

import pytest
from obstore.store import MemoryStore

from headshots.artifacts import ArtifactStore


@pytest.fixture
def store() -> ArtifactStore:
    """An empty one."""
    return ArtifactStore(MemoryStore())
