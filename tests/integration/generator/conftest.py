"""Generators for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.generator.world import Generator, SteppedBackend, running_generator


@pytest.fixture
async def generator(tmp_path: Path) -> AsyncIterator[Generator]:
    async with running_generator(tmp_path) as made:
        yield made


@pytest.fixture
def backend() -> SteppedBackend:
    return SteppedBackend()


@pytest.fixture
async def stepped(tmp_path: Path, backend: SteppedBackend) -> AsyncIterator[Generator]:
    """A generator on `backend`."""
    async with running_generator(tmp_path, backend=backend) as made:
        yield made
