"""Pictures that are converted in strips have the same bytes as pictures that are converted whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from headshots.imaging import strips
from headshots.imaging.colour import to_upright_srgb
from tests.support.images.costly import noise
from tests.support.images.photo_files import linear_rgb_profile


def whole(image: Image.Image, max_side_px: int) -> Image.Image:
    """What Pillow makes of the whole picture in one step after the other."""
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    alpha = upright.getchannel("A") if upright.mode in ("RGBA", "LA") else None
    colour = upright.convert("L") if upright.mode in ("L", "LA") else upright.convert("RGB")
    rgb = colour.convert("RGB")
    if profile and colour.mode == "RGB":
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colour, source, target, ImageCms.Intent.RELATIVE_COLORIMETRIC)
        assert converted is not None
        rgb = converted
    if alpha is not None:
        flat = Image.new("RGB", rgb.size, (255, 255, 255))
        flat.paste(rgb, mask=alpha)
        rgb = flat
    rgb.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    return rgb


@pytest.mark.parametrize("strip_pixels", [300, 5000, 2**20])
@pytest.mark.parametrize("size", [(317, 211), (211, 317), (450, 330), (90, 61)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_strips_change_nothing(
    mode: str, size: tuple[int, int], strip_pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "_STRIP_PIXELS", strip_pixels)
    rng = np.random.default_rng(size)
    for orientation in range(1, 9) if strip_pixels == 5000 else (1, 8):
        image = noise(*size, seed=orientation)
        if mode.endswith("A"):
            image.putalpha(Image.fromarray(rng.integers(0, 256, size[::-1], dtype=np.uint8)))
        image = image.convert(mode)
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.info.update(exif=exif.tobytes(), icc_profile=linear_rgb_profile())
        for side in (100, 211, 47):
            expected = whole(image.copy(), side)
            got = to_upright_srgb(image.copy(), side)
            assert got.size == expected.size
            assert got.tobytes() == expected.tobytes(), (orientation, side)


def test_the_pixels_are_freed_before_the_second_pass() -> None:
    image = noise(300, 200, seed=1)
    to_upright_srgb(image, 100)
    with pytest.raises(ValueError, match="closed image"):
        image.load()


def test_sizes_are_pillows() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        width, height = map(int, rng.integers(1, 3000, 2))
        image = Image.new("1", (width, height))
        image.thumbnail((512, 512))
        assert strips.scaled_size((width, height), 512) == image.size
