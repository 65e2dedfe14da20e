"""What the generator writes carries all layers, each put in before the next one covers it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foundry.portraits.identity import sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import sample_scene
from headshots.marking.rights import TenantRights
from headshots.marking.settings import MarkingSettings
from headshots.marking.verification import SignatureState
from headshots.marking.verifying import verify
from headshots.marking.watermark.embedding import SMALLEST_SIDE_PX
from services.generator.images.encoding import CONTENT_TYPES, encode
from services.generator.images.marking import Marker, mark_id_of

PIXELS = render(sample_identity(3), sample_scene(np.random.default_rng(3)), 512)


@pytest.mark.parametrize("extension", CONTENT_TYPES)
def test_all_three_layers_speak_and_agree(tmp_path: Path, extension: str) -> None:
    settings = MarkingSettings(tmp_path / "marking", owner="Ada & co", licence="https://example.com/licence")
    marker = Marker(settings, settings.open_signer(), "tiny", "ab" * 32)
    one, other = (marker.write("acme", PIXELS, extension, 92, None) for _ in range(2))
    assert one.unsigned == other.unsigned
    found = verify(one.signed, (tmp_path / "marking" / "authority.pem").read_text())
    assert found.signature.state is SignatureState.TRUSTED
    assert found.metadata is not None
    assert found.metadata.owner == "Ada & co"
    assert found.watermark is not None
    assert found.watermark.mark_id == mark_id_of("acme", PIXELS)
    assert found.signature.mark_id == found.watermark.mark_id.hex()


@pytest.mark.parametrize(("side", "is_watermarked"), [(SMALLEST_SIDE_PX - 1, False), (SMALLEST_SIDE_PX, True)])
def test_small_images_are_named_by_their_signature_alone(tmp_path: Path, side: int, is_watermarked: bool) -> None:
    settings = MarkingSettings(tmp_path / "marking")
    pixels = np.ascontiguousarray(PIXELS[:side])
    written = Marker(settings, settings.open_signer(), "tiny", "ab" * 32).write("acme", pixels, "png", 92, None)
    shown = np.asarray(Image.open(io.BytesIO(written.signed)))
    assert np.array_equal(shown, pixels) is not is_watermarked
    found = verify(written.signed, (tmp_path / "marking" / "authority.pem").read_text())
    assert found.signature.mark_id == mark_id_of("acme", pixels).hex() == written.mark_id.hex()
    assert (b"watermarked\xf5" in written.signed) is is_watermarked, "CBOR's true"


@pytest.mark.parametrize("extension", CONTENT_TYPES)
def test_a_tenants_rights_stand_where_the_installations_stood(tmp_path: Path, extension: str) -> None:
    settings = MarkingSettings(tmp_path / "marking", owner="The studio", usage_terms="Ask us.")
    marker = Marker(settings, settings.open_signer(), "tiny", "ab" * 32)
    # As long as they may be, of what takes most room.
    rights = TenantRights("&" * 256, licence="&" * 1024, usage_terms="&" * 1024, with_prompts=True)
    prompts = "&" * 2000 + "\n" + "&" * 2000
    one, other = (marker.write("acme", PIXELS, extension, 92, None, rights, prompts) for _ in range(2))
    assert one.unsigned == other.unsigned
    found = verify(one.signed, (tmp_path / "marking" / "authority.pem").read_text())
    assert found.signature.state is SignatureState.TRUSTED
    assert found.metadata is not None
    said = found.metadata.owner, found.metadata.usage_terms, found.metadata.licence
    assert said == (rights.owner, rights.usage_terms, rights.licence)
    assert found.signature.mark_id == mark_id_of("acme", PIXELS).hex(), "rights change no pixel"


def test_prompts_stay_out_unless_the_tenant_wants_them_in(tmp_path: Path) -> None:
    settings = MarkingSettings(tmp_path / "marking", watermark=False)
    marker = Marker(settings, settings.open_signer(), "tiny", "ab" * 32)
    for rights, is_in in ((None, False), (TenantRights("Ada"), False), (TenantRights(with_prompts=True), True)):
        file = marker.write("acme", PIXELS, "png", 92, None, rights, "a hidden prompt").signed
        assert (file.count(b"a hidden prompt") == 2) is is_in
        assert (b"a hidden prompt" in file) is is_in


def test_an_image_has_one_mark_and_every_tenant_another() -> None:
    marks = [mark_id_of("acme", PIXELS), mark_id_of("other", PIXELS), mark_id_of("acme", PIXELS[::-1])]
    assert len(set(marks)) == 3
    assert mark_id_of("acme", PIXELS.copy()) == marks[0]


def test_layers_that_the_operator_turned_off_are_not_there(tmp_path: Path) -> None:
    settings = MarkingSettings(tmp_path / "marking", watermark=False, metadata=False, c2pa=False)
    file = Marker(settings, settings.open_signer(), "tiny", "0" * 64).write("acme", PIXELS, "png", 92, None)
    assert file.signed == file.unsigned == encode(PIXELS, "png")
    assert not (tmp_path / "marking").exists()
