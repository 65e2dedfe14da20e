"""Portraits that may show nudity are covered before a sheet or the store gets them; all others stay as they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.faces import Pixels
from services.trainer.lora.stored_images import load_image
from services.trainer.run.messages import Succeeded
from services.trainer.selection.covering import cover_unsafe
from tests.support.images.faces import ColourAnalyzer
from tests.support.trainer.runs import OneFaceAnalyzer, events_of, judged_task

LIGHT, DARK = np.full((48, 64, 3), 200, np.uint8), np.full((48, 64, 3), 20, np.uint8)


class DarkIsUnsafe(ColourAnalyzer):
    """Sees nudity in the dark."""

    def unsafe(self, pixels_HWC: Pixels) -> float:
        return 0.95 if pixels_HWC.mean() < 50 else 0.05


class NothingIsSafe(OneFaceAnalyzer):
    """Sees nudity wherever a picture has more than two colours."""

    def unsafe(self, pixels_HWC: Pixels) -> float:
        return 0.05 if is_tile(pixels_HWC) else 0.95


def is_tile(pixels_HWC: Pixels) -> bool:
    """Grey all around, and no colour anywhere."""
    return bool((pixels_HWC[0] == 96).all() and (np.ptp(pixels_HWC, axis=2) == 0).all())


def test_what_is_unsafe_becomes_a_tile_with_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"):
        (first, second), (third,) = cover_unsafe(DarkIsUnsafe(), [[LIGHT, DARK], [LIGHT]])
    assert first is LIGHT
    assert third is LIGHT
    assert second.shape == DARK.shape
    assert is_tile(second)
    assert second.max() > 200, "it says why"
    assert "1 of 3 portraits" in caplog.text


def test_without_a_net_for_it_all_pictures_stay() -> None:
    for analyzer in (None, ColourAnalyzer()):
        ((kept,),) = cover_unsafe(analyzer, [[DARK]])
        assert kept is DARK


@pytest.mark.usefixtures("one_thread")
def test_no_unsafe_portrait_of_a_training_is_stored(judged_foundation: Path, tmp_path: Path) -> None:
    task = judged_task(judged_foundation, tmp_path)
    events = events_of(task, NothingIsSafe())
    assert isinstance(events[-1], Succeeded)
    store = ArtifactStore.open(task.store_url)
    bare = store.list_sync(f"foundations/{task.foundation_digest}/bare")
    assert bare
    assert all(is_tile(load_image(store, key)) for key in bare)
    (sheet,) = (key for key in store.list_sync(task.request.output_prefix) if key.endswith("sheet.jpg"))
    page = np.asarray(Image.open(io.BytesIO(store.get_sync(sheet))), np.int16)
    # Below the row of photos that were held out nothing has a colour; JPEG is off by little.
    below = page[len(page) // 3 :]
    assert np.ptp(below, axis=2).max() <= 6
