"""Gives tests a database without a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from headshots.database import migrate, open_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the current schema."""
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    migrate(engine)
    yield engine
    engine.dispose()
