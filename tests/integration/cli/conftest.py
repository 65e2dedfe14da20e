"""Gives tests of the command line a folder of selfies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_gateway.pictures import painted_png


@pytest.fixture
def selfies(tmp_path: Path) -> Path:
    """Seven that can be used, and a file that is no image."""
    folder = tmp_path / "ada"
    folder.mkdir()
    for number in range(7):
        (folder / f"{number}.png").write_bytes(painted_png("selfie", number))
    (folder / "broken.jpg").write_text("not an image")
    return folder
