"""Gives every test of keys a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from headshots.database import open_database
from tests.support.deploy.tables import make_tables


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with its schema; for one test."""
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    yield engine
    engine.dispose()
