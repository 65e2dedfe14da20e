"""Brings the analyzer `people` and a photo from the package index, once for all tests of this checkout.

Tests that need them are skipped where no index can be reached, and fail in CI, which has one.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

from headshots.diffusion.publish import exclusive
from headshots.errors import FailedPreconditionError
from headshots.faces import Pixels
from headshots.faces.people.installing.install import install
from headshots.packages import Package, bring, find_links, take
from tests.support.paths import ROOT

_CACHE = ROOT / ".pytest_cache" / "people"
_ASTRONAUT = "skimage/data/astronaut.png"
# The only clean photo of a real person that a package has: NASA's portrait of Eileen Collins, in the public domain.
_PHOTOS = Package(
    name="scikit-image",
    version="0.26.0",
    file="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    licences=("scikit_image-0.26.0.dist-info/LICENSE.txt",),
    members={_ASTRONAUT: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"},
)
# Whatever Python runs the tests: the photo lies in each wheel, and the pin is of this one.
_ONE_WHEEL = {
    "PIP_PYTHON_VERSION": "3.11",
    "PIP_PLATFORM": "manylinux_2_28_x86_64",
    "PIP_ONLY_BINARY": ":all:",
}


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
        with tempfile.TemporaryDirectory() as work:
            package = bring(_PHOTOS, find_links(os.environ), Path(work), {**os.environ, **_ONE_WHEEL})
            return take(_PHOTOS, package)[_ASTRONAUT]
    except FailedPreconditionError as error:
        give_up(error)


def give_up(error: FailedPreconditionError) -> NoReturn:
    """Skip the test where no index can be reached; fail in CI, and where something else is wrong."""
    if error.reason != "PACKAGE_MISSING" or os.environ.get("CI"):
        raise error
    pytest.skip(f"no package index? {error.message}")
