"""Tests that the SDK tells where image files come from, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.client import AsyncHeadshots, Headshots, SignatureState
from headshots.errors import InvalidPhotoError
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, fake_gateway_in_thread
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.prepared import trained
from tests.support.fake_gateway.styles import STYLES
from tests.support.gateway.caller import selfie


async def test_an_image_is_named(client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path) -> None:
    subject = await trained(client)
    gallery = await client.wait_gallery(await client.create_gallery(subject, STYLES[:1], shots_per_style=2))
    [file, *_] = await client.download_images(gallery, tmp_path)
    found = await client.verify_image(file)
    assert found == await client.verify_image(file.read_bytes())
    assert (found.made_here, found.yours, found.erased, len(found.images)) == (True, True, False, 1)
    assert found.images[0] in {image.name for image in gallery.images}
    assert (found.signature.state, found.signature.signer) == (SignatureState.VALID, "fake")
    assert found.metadata is not None
    assert found.metadata.source_type == "trainedAlgorithmicMedia"
    assert found.metadata.licence == "https://example.com/licence"
    assert found.watermark is None


async def test_what_is_erased_and_what_is_a_strangers(client: AsyncHeadshots) -> None:
    erased = await client.verify_image(selfie(1))
    assert (erased.made_here, erased.erased, erased.images) == (True, True, ())
    assert erased.watermark is not None
    assert (erased.watermark.mark_id, erased.watermark.confidence) == ("0123456789abcdef", 0.75)
    stranger = await client.verify_image(painted_png("nobody's", 1))
    assert (stranger.made_here, stranger.made_by_machine, stranger.metadata) == (False, False, None)
    assert stranger.signature.state is SignatureState.ABSENT


async def test_what_cannot_be_read_is_refused(client: AsyncHeadshots, tmp_path: Path) -> None:
    with pytest.raises(InvalidPhotoError, match="PHOTO_UNDECODABLE"):
        await client.verify_image(b"no picture")
    with pytest.raises(OSError, match="missing"):
        await client.verify_image(tmp_path / "missing.png")


def test_the_blocking_client_does_the_same() -> None:
    with fake_gateway_in_thread() as (_, address), Headshots(address, API_KEY) as client:
        assert client.verify_image(selfie(1)).erased
