"""Images are cut to a look's frame before they are marked, or stay whole and tell why."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

from foundry.portraits import held_out_seed, render, sample_identity, sample_scene
from headshots.errors import FailedPreconditionError
from headshots.faces.bundled import BundledAnalyzer
from headshots.looks.placing import place
from headshots.marking.settings import MarkingSettings
from headshots.rpc.channel import error_from_rpc
from headshots.settings import default_analyzer
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import looks_pb2
from services.generator.images.marking import Marker
from tests.support.generator.sources import Pixels, source
from tests.support.generator.world import Generator, ask, refused, running_generator

SIZE = 128
FRAME = looks_pb2.Frame(width_px=96, height_px=120)


def portrait(number: int = 0) -> Pixels:
    seed = held_out_seed(21_000 + number)
    scene = sample_scene(np.random.default_rng([seed, 1]), "studio", backdrop="plain grey studio")
    return render(sample_identity(seed), scene, SIZE)


def kept(pixels: Pixels, frame: looks_pb2.Frame = FRAME) -> dict[str, Any]:
    """A request whose image shows this picture: all but a corner is kept."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[-8:, -8:] = 255
    return {"steps": 2, "width_px": SIZE, "height_px": SIZE, "source": source(pixels, mask), "frame": frame}


@pytest.fixture
def analyzer() -> BundledAnalyzer:
    return BundledAnalyzer(default_analyzer())


@pytest.fixture
async def framing(tmp_path: Path, analyzer: BundledAnalyzer) -> AsyncIterator[Generator]:
    marker = Marker(MarkingSettings(Path(), watermark=False, c2pa=False), None, "tiny", "0" * 64)
    async with running_generator(tmp_path, analyzer=analyzer, marker=marker) as made:
        yield made


async def test_the_head_stands_where_the_frame_wants_it_and_the_file_is_marked(
    framing: Generator, analyzer: BundledAnalyzer
) -> None:
    image = await framing.image(**kept(portrait()))
    assert (image.width_px, image.height_px, image.frame_missed) == (96, 120, "")
    with Image.open(io.BytesIO(image.content)) as opened:
        pixels = np.asarray(opened)
    assert pixels.shape == (120, 96, 3)
    found = place(analyzer, pixels)
    assert found is not None
    assert found.eye_line == pytest.approx(0.45, abs=0.01)
    assert found.head_height == pytest.approx(0.72, abs=0.01)
    assert found.centre == pytest.approx(0.5, abs=0.02)
    assert b"TrainedAlgorithmicMedia" in image.content, "what was cut says that a machine made it"


async def test_a_picture_that_the_frame_does_not_fit_into_stays_whole(framing: Generator) -> None:
    far = looks_pb2.Frame(width_px=96, height_px=120, eye_line=0.45, head_height=0.4)
    image = await framing.image(**kept(portrait(), far))
    assert (image.width_px, image.height_px, image.frame_missed) == (SIZE, SIZE, "FRAME_OUTSIDE")
    image = await framing.image(**kept(np.full((SIZE, SIZE, 3), 128, np.uint8)))
    assert (image.width_px, image.frame_missed) == (SIZE, "FRAME_WITHOUT_FACE")


async def test_without_an_analyzer_a_frame_is_refused_before_anything_is_painted(generator: Generator) -> None:
    asked = kept(portrait())
    with pytest.raises(grpc.RpcError) as caught:
        await generator.stub.CheckGeneration(pb.CheckGenerationRequest(request=ask(**asked)))
    for error in (error_from_rpc(caught.value), await refused(generator, **asked)):
        assert (type(error), error.reason) == (FailedPreconditionError, "FRAME_NEEDS_ANALYZER")
        assert "HEADSHOTS_GENERATOR_FACES" in error.message
    assert generator.metric("images_total") == 0


async def test_a_portrait_that_was_cut_is_painted_over_in_its_own_size(framing: Generator) -> None:
    cut, mask = portrait()[4:124, 16:112], np.zeros((120, 96), np.uint8)
    mask[:30] = 255
    size = {"steps": 2, "width_px": SIZE, "height_px": SIZE}
    for made in (source(cut, mask, soft_mask=True, whole=True), source(cut, repaint=0.5, whole=True)):
        image = await framing.image(**size, source=made)
        assert (image.width_px, image.height_px, image.frame_missed) == (96, 120, "")
        with Image.open(io.BytesIO(image.content)) as opened:
            found = np.asarray(opened)
        assert np.array_equal(found[30:], cut[30:]) == made.HasField("mask"), "what the mask keeps stays to the bit"
        assert not np.array_equal(found[:30], cut[:30])
