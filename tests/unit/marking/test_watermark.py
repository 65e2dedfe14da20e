"""The watermark is found again after what the world does to pictures, and only where there is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.promises.damages import DAMAGES, cropped
from foundry.portraits.identity import sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import sample_scene
from headshots.marking.watermark.embedding import embed
from headshots.marking.watermark.payload import CODED_BITS, agreement, decode, encode
from headshots.marking.watermark.reading import read

Pixels = npt.NDArray[np.uint8]
ID = bytes.fromhex("0123456789abcdef")


@cache
def portrait(seed: int = 3, size: int = 512) -> Pixels:
    return render(sample_identity(seed), sample_scene(np.random.default_rng(seed)), size)


def psnr_db(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_it_is_read_after_damage(damage: Callable[[Pixels], Pixels]) -> None:
    found = read(damage(embed(portrait(), ID)))
    assert found is not None
    assert found.mark_id == ID


def test_it_is_read_after_two_damages_and_in_another_shape() -> None:
    tall = np.concatenate([portrait(), portrait(4)[:256]])
    found = read(DAMAGES["screenshot"](cropped(embed(tall, ID))))
    assert found is not None
    assert found.mark_id == ID


@pytest.mark.parametrize("seed", [3, 8])
def test_it_is_not_seen(seed: int) -> None:
    assert psnr_db(portrait(seed), embed(portrait(seed), ID)) >= 42


def test_it_scales_with_large_images() -> None:
    large = np.kron(portrait(), np.ones((3, 3, 1), np.uint8))
    found = read(DAMAGES["half size, JPEG 75"](embed(large, ID)))
    assert found is not None
    assert found.mark_id == ID


@pytest.mark.parametrize("seed", [3, 8])
def test_what_is_painted_over_a_marked_image_is_read_as_its_own(seed: int) -> None:
    """Also where nothing was repainted, so that the source's mark is there in full."""
    source = embed(portrait(seed), bytes(8))
    found = read(DAMAGES["screenshot"](embed(source, ID)))
    assert found is not None
    assert found.mark_id == ID


def test_the_same_image_and_id_give_the_same_pixels_and_another_id_others() -> None:
    assert np.array_equal(embed(portrait(), ID), embed(portrait(), ID))
    assert not np.array_equal(embed(portrait(), ID), embed(portrait(), ID[::-1]))


def test_nothing_is_read_where_nothing_was_written() -> None:
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (256, 300, 3), np.uint8)
    for pixels in (portrait(5), portrait(6, 256), noise, np.zeros((64, 64, 3), np.uint8), portrait()[:40]):
        assert read(np.ascontiguousarray(pixels)) is None


def test_the_code_corrects_what_noise_turned_round_and_its_checksum_tells_the_rest() -> None:
    random = np.random.default_rng(2)
    sent = 1.0 - 2.0 * encode(ID)
    wrong = random.permutation(CODED_BITS)[: CODED_BITS // 10]
    received = sent.copy()
    received[wrong] *= -1
    assert decode(received) == ID
    assert agreement(ID, received) == pytest.approx(1 - 2 * len(wrong) / CODED_BITS)
    assert decode(random.normal(size=CODED_BITS)) is None
