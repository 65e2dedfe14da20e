"""A picture that is painted over as a whole keeps its size and every pixel that its mask keeps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from services.generator.requests.inset import Inset
from services.generator.requests.source_images import SourcePixels, WholeSource
from tests.support.generator.sources import picture


@pytest.mark.parametrize(
    ("own", "painted", "box"),
    [
        ((96, 120), (128, 128), (13, 0, 115, 128)),
        ((1200, 1500), (512, 512), (51, 0, 461, 512)),
        ((120, 60), (64, 64), (0, 16, 64, 48)),
        ((64, 64), (64, 64), (0, 0, 64, 64)),
        ((2048, 64), (64, 64), (0, 31, 64, 33)),
    ],
)
def test_a_picture_lies_in_the_middle_as_large_as_fits(
    own: tuple[int, int], painted: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert Inset(own, painted).box == box


def test_beside_the_picture_lies_its_mirror_image() -> None:
    own = picture(48, 64)
    spread = Inset((48, 64), (64, 64)).spread(Image.fromarray(own))
    assert np.array_equal(spread[:, 8:56], own)
    assert np.array_equal(spread[:, :8], own[:, :8][:, ::-1])
    assert np.array_equal(spread[:, 56:], own[:, -8:][:, ::-1])
    mask = Image.fromarray(own[..., 0])
    assert np.array_equal(Inset((48, 64), (64, 64)).spread(mask), spread[..., 0])


def test_what_is_kept_stays_to_the_bit_and_what_is_painted_lands_where_it_was_painted() -> None:
    own = picture(96, 120)
    inset, mask = Inset((96, 120), (128, 128)), np.zeros((120, 96), np.uint8)
    mask[:, 48:] = 255
    painted = np.zeros((128, 128, 3), np.uint8)
    painted[:64, 64:] = (200, 0, 0)
    source = SourcePixels(inset.spread(Image.fromarray(own)), mask, b"", WholeSource(inset, own, mask))
    kept = source.keep(painted)
    assert kept.shape == own.shape
    assert np.array_equal(kept[:, :48], own[:, :48])
    assert np.abs(kept[5:55, 53:].astype(int) - (200, 0, 0)).max() <= 2
    assert kept[65:, 53:].max() <= 2
    everywhere = SourcePixels(source.pixels, None, b"", WholeSource(inset, own, None)).keep(painted)
    assert everywhere.shape == own.shape
    assert everywhere[:, :40].max() <= 2
