"""Brings the analyzer `people` and a photo from the package index, once for all tests of this checkout.

Tests that need them are skipped where no index can be reached, and fail in CI, which has one.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

from benchmarks.people.photos import COLLINS, bring_photo
from headshots.diffusion.publish import exclusive
from headshots.errors import FailedPreconditionError
from headshots.faces import Pixels
from headshots.faces.people.installing.install import install
from tests.support.paths import ROOT

_CACHE = ROOT / ".pytest_cache" / "people"


def people_folder() -> Path:
    """The folder of the installed analyzer."""
    folder = _CACHE / "analyzers" / "people"
    try:
        install(folder, [], os.environ, lambda line: None)
    except FailedPreconditionError as error:
        give_up(error)
    return folder


def astronaut() -> Pixels:
    """The astronaut's portrait, [512, 512, 3]: one face in the upper half, a helmet, a flag, a model of the shuttle."""
    path = _CACHE / "astronaut.png"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(path):
        if not path.is_file():
            path.with_suffix(".partial").write_bytes(_bring_photo())
            path.with_suffix(".partial").rename(path)
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))


def _bring_photo() -> bytes:
    try:
        return bring_photo(COLLINS)
    except FailedPreconditionError as error:
        give_up(error)


def give_up(error: FailedPreconditionError) -> NoReturn:
    """Skip the test where no index can be reached; fail in CI, and where something else is wrong."""
    if error.reason != "PACKAGE_MISSING" or os.environ.get("CI"):
        raise error
    pytest.skip(f"no package index? {error.message}")
